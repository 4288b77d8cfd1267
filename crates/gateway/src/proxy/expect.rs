//! `Expect: 100-continue`: a body that the client holds back is asked for only once the backend asks for it.

use std::time::Duration;

use hyper::header::EXPECT;
use hyper::{HeaderMap, Request, StatusCode};
use tokio::sync::{oneshot, watch};
use tokio::time::sleep;

use crate::outgoing::{Gate, Outgoing};

/// Backends that know nothing of it wait for the body: it is sent after so long (RFC 9110, section 10.1.1).
const PATIENCE: Duration = Duration::from_secs(1);

/// As long as it is kept, a connection whose backend wanted no body stays open for the rest of its answer.
pub(super) type Open = oneshot::Sender<()>;

/// Whether a client waits to be asked for its body.
pub(super) fn is_expected(headers: &HeaderMap) -> bool {
    super::says(headers, &EXPECT, |value| value.eq_ignore_ascii_case("100-continue"))
}

/// Holds the body of a request back until the backend asks for it.
pub(super) fn hold(request: &mut Request<Outgoing>) -> Open {
    let (asking, mut asked) = watch::channel(false);
    // Dropped when the answer itself begins.
    hyper::ext::on_informational(request, move |answer| {
        if answer.status() == StatusCode::CONTINUE {
            asking.send_replace(true);
        }
    });
    let (open, closed) = oneshot::channel();
    let gate = Gate::new(async move {
        tokio::select! {
            asked = asked.wait_for(|asked| *asked) => {
                if asked.is_ok() {
                    return true;
                }
            }
            () = sleep(PATIENCE) => return true,
        }
        let _ = closed.await;
        false
    });
    if let Outgoing::Passing(body) = request.body_mut() {
        body.wait_at(gate);
    }
    open
}
