//! The body of a request on its way to a backend.

mod allowance;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Instant;

use crate::framing::Framing;

use allowance::Allowance;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Kept whole so that it can be sent again, or the client's own as it comes.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Whole(Full<Bytes>),
    Passing(Passing),
}

/// The client's own body.
#[derive(Debug)]
pub(crate) struct Passing {
    body: Incoming,
    allowance: Allowance,
    progress: Progress,
    gate: Option<Gate>,
}

/// Holds a body back until it is known whether it is wanted.
pub(crate) struct Gate {
    wanted: Pin<Box<dyn Future<Output = bool> + Send>>,
}

/// When something of a body was last sent on.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    began: Instant,
    last_ms: Arc<AtomicU64>,
    /// Whether there is more of it that its backend has not asked for.
    untaken: Arc<AtomicBool>,
}

impl Outgoing {
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self::Whole(Full::new(bytes))
    }
}

impl Gate {
    /// One that opens when `wanted` says so; where it says no, nothing of the body is sent.
    pub(crate) fn new(wanted: impl Future<Output = bool> + Send + 'static) -> Self {
        Self { wanted: Box::pin(wanted) }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

impl Passing {
    /// Of at most so many bytes, each part of which comes in such a time.
    pub(crate) fn new(body: Incoming, framing: Arc<Framing>, limits: (u64, Duration)) -> Self {
        Self { body, allowance: Allowance::new(framing, limits), progress: Progress::default(), gate: None }
    }

    /// All of the body, when it is no longer than this.
    pub(crate) async fn collect(self, most: usize) -> Result<Bytes, BoxError> {
        let whole = Limited::new(self, most).collect().await?;
        Ok(whole.to_bytes())
    }

    /// Nothing more is sent before that gate opens.
    pub(crate) fn wait_at(&mut self, gate: Gate) {
        self.gate = Some(gate);
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self { began: Instant::now(), last_ms: Arc::default(), untaken: Arc::default() }
    }
}

impl Progress {
    pub(crate) fn last(&self) -> Instant {
        self.began + Duration::from_millis(self.last_ms.load(Ordering::Relaxed))
    }

    /// Whether its backend takes no more of it now, though the client has more.
    pub(crate) fn is_untaken(&self) -> bool {
        self.untaken.load(Ordering::Relaxed)
    }

    fn made(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(now, Ordering::Relaxed);
    }
}

impl Body for Passing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(gate) = &mut self.gate {
            if !ready!(gate.wanted.as_mut().poll(context)) {
                // It stays shut: a future is not asked again once it has answered.
                self.gate = Some(Gate::new(std::future::ready(false)));
                return Poll::Ready(None);
            }
            self.gate = None;
        }
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_ready() {
            self.progress.made();
        }
        // Where nothing is there, the client is waited for; after a part, it is the backend until it asks again.
        let more = matches!(&polled, Poll::Ready(Some(Ok(_)))) && !self.body.is_end_stream();
        self.progress.untaken.store(more, Ordering::Relaxed);
        match self.allowance.allows(&polled, context) {
            Ok(()) => polled.map(|frame| frame.map(|frame| frame.map_err(Into::into))),
            Err(refused) => Poll::Ready(Some(Err(refused.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body)
                .poll_frame(context)
                .map(|frame| frame.map(|frame| frame.map_err(|never| match never {}))),
            Self::Passing(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Passing(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Passing(body) => body.size_hint(),
        }
    }
}
