//! Ctrl-C and SIGTERM: a wish to stop, and then an order.

use std::sync::Arc;

use seaworthy_release::Interrupt;

/// Lets Ctrl-C and SIGTERM raise a wish to stop; a second one ends the program at once.
pub(crate) fn listen_for_interrupts(interrupt: Arc<Interrupt>) {
    tokio::spawn(async move {
        let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        else {
            return;
        };
        loop {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            if interrupt.is_raised() {
                // What was written down says how far it came; the next command settles it.
                crate::leave_at_once();
            }
            interrupt.raise();
        }
    });
}
