//! A wish to stop, raised by Ctrl-C and heard between steps and while waiting.

use tokio::sync::watch;

/// A wish to stop.
#[derive(Debug)]
pub struct Interrupt {
    raised: watch::Sender<bool>,
}

impl Default for Interrupt {
    fn default() -> Self {
        Self { raised: watch::channel(false).0 }
    }
}

impl Interrupt {
    /// Asks whoever listens to stop.
    pub fn raise(&self) {
        self.raised.send_replace(true);
    }

    /// Whether somebody asked.
    pub fn is_raised(&self) -> bool {
        *self.raised.borrow()
    }

    /// Waits until somebody asks.
    pub async fn wait(&self) {
        let mut listener = self.raised.subscribe();
        if listener.wait_for(|raised| *raised).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
