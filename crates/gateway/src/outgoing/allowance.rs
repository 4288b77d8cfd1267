//! How long a request's body may be, and how slowly it may come.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Frame;
use tokio::time::{Instant, Sleep, sleep};

use crate::framing::{Fault, Framing};

/// So much has to come in each stretch of waiting.
const PART_BYTES: u64 = 4 << 10;

/// What is left of it.
#[derive(Debug)]
pub(super) struct Allowance {
    framing: Arc<Framing>,
    left: u64,
    patience: Duration,
    /// Since the last part was whole: what came, and how long the client was waited for. While a backend is slow to take
    /// what there is, nobody waits for the client.
    came: u64,
    waited: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

/// A body that is not taken.
#[derive(Debug, thiserror::Error)]
#[error("the body is {}", .0.word())]
pub(super) struct Refused(Fault);

impl Allowance {
    pub(super) fn new(framing: Arc<Framing>, (left, patience): (u64, Duration)) -> Self {
        Self { framing, left, patience, came: 0, waited: Duration::ZERO, waiting: None }
    }

    /// Whether what came, or that nothing did, is allowed.
    pub(super) fn allows<E>(
        &mut self,
        polled: &Poll<Option<Result<Frame<Bytes>, E>>>,
        context: &mut Context<'_>,
    ) -> Result<(), Refused> {
        let fault = match polled {
            Poll::Pending => self.is_late(context).then_some(Fault::BodyTooSlow),
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                self.count(length);
                match self.left.checked_sub(length) {
                    Some(left) => {
                        self.left = left;
                        None
                    }
                    None => Some(Fault::BodyTooLarge),
                }
            }
            Poll::Ready(_) => None,
        };
        let Some(fault) = fault else { return Ok(()) };
        self.framing.refuse(fault);
        Err(Refused(fault))
    }

    fn count(&mut self, length: u64) {
        if let Some((since, _)) = self.waiting.take() {
            self.waited += since.elapsed();
        }
        self.came += length;
        if self.came >= PART_BYTES {
            (self.came, self.waited) = (0, Duration::ZERO);
        }
    }

    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        let left = self.patience.saturating_sub(self.waited);
        let (_, end) = self.waiting.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(left))));
        end.as_mut().poll(context).is_ready()
    }
}
