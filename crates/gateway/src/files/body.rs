//! A file on its way: read piece by piece, beside the threads that serve.

use std::fs::File;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

use crate::proxy::Story;
use crate::rim;

/// What is read at a time, and held of a client that does not take it.
const PIECE: u64 = 128 << 10;

/// A part of a file.
pub(crate) struct FileBody {
    file: Arc<File>,
    at: u64,
    end: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    story: Story,
}

impl FileBody {
    pub(crate) fn new(file: File, (at, end): (u64, u64), story: Story) -> Self {
        Self { file: Arc::new(file), at, end, reading: None, story }
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.at >= self.end {
            self.story.tell();
            return Poll::Ready(None);
        }
        let (file, at, count) = (self.file.clone(), self.at, PIECE.min(self.end - self.at));
        let reading = self
            .reading
            .get_or_insert_with(|| tokio::task::spawn_blocking(move || rim::read_at(&file, at, count)));
        let read = match Pin::new(reading).poll(context) {
            Poll::Ready(read) => read.map_err(io::Error::other).flatten(),
            Poll::Pending => return Poll::Pending,
        };
        self.reading = None;
        Poll::Ready(Some(match read {
            // It is shorter than it was.
            Ok(bytes) if bytes.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(bytes) => {
                self.at += bytes.len() as u64;
                self.story.passed(bytes.len() as u64);
                if self.at >= self.end {
                    self.story.tell();
                }
                Ok(Frame::data(bytes))
            }
            Err(error) => Err(error),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.at >= self.end
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end - self.at)
    }
}
