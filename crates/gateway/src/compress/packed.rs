//! A body on its way through an encoder. Nothing is held back: where the backend pauses, what it sent so far goes out.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame};

use super::encoder::Encoder;
use super::{Coding, Turn};

type Failure = Box<dyn Error + Send + Sync>;

/// A compressed body.
pub(crate) struct Packed<B> {
    body: B,
    /// `None` once all was compressed.
    encoder: Option<Encoder>,
    /// Whether it holds bytes that it could give out.
    holds: bool,
    trailers: Option<Frame<Bytes>>,
    _turn: Turn,
}

impl<B> Packed<B> {
    pub(crate) fn new(body: B, coding: Coding, turn: Turn) -> Self {
        let encoder = Some(Encoder::new(coding));
        Self { body, encoder, holds: false, trailers: None, _turn: turn }
    }
}

impl<B> Body for Packed<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Failure>,
{
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        let this = &mut *self;
        loop {
            let Some(encoder) = &mut this.encoder else {
                return Poll::Ready(this.trailers.take().map(Ok));
            };
            let ready = match Pin::new(&mut this.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => {
                        this.holds = true;
                        encoder.write(data.chunk())
                    }
                    Err(trailers) => {
                        this.trailers = Some(trailers);
                        this.encoder.take().map_or_else(|| Ok(Bytes::new()), Encoder::finish)
                    }
                },
                Poll::Ready(None) => this.encoder.take().map_or_else(|| Ok(Bytes::new()), Encoder::finish),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error.into()))),
                Poll::Pending if this.holds => {
                    this.holds = false;
                    match encoder.flush() {
                        Ok(ready) if ready.is_empty() => return Poll::Pending,
                        other => other,
                    }
                }
                Poll::Pending => return Poll::Pending,
            };
            match ready {
                Ok(ready) if ready.is_empty() => {}
                Ok(ready) => return Poll::Ready(Some(Ok(Frame::data(ready)))),
                Err(error) => return Poll::Ready(Some(Err(error.into()))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.encoder.is_none() && self.trailers.is_none()
    }
}
