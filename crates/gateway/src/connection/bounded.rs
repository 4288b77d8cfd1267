//! A connection to a backend on which no answer may be preceded by more than a bounded number of bytes: interim answers
//! (RFC 9110, section 15.2) could else come for ever, each of them short.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// So many bytes may come before an answer is there: far more than a head may have, and what is read ahead of its body.
const MOST_BEFORE: u64 = 4 << 20;
/// No answer is waited for.
const ANY: u64 = u64::MAX;

/// A backend's connection.
#[derive(Debug)]
pub(crate) struct Bounded {
    stream: TcpStream,
    allowance: Allowance,
}

/// How many bytes may still come.
#[derive(Debug, Clone)]
pub(crate) struct Allowance(Arc<AtomicU64>);

impl Allowance {
    /// A request is sent: its answer is waited for from now on.
    pub(crate) fn ask(&self) {
        self.0.store(MOST_BEFORE, Ordering::Relaxed);
    }

    /// The answer is there; its body may be as long as it is.
    pub(crate) fn answered(&self) {
        self.0.store(ANY, Ordering::Relaxed);
    }
}

impl Bounded {
    pub(crate) fn new(stream: TcpStream) -> (Self, Allowance) {
        let allowance = Allowance(Arc::new(AtomicU64::new(ANY)));
        (Self { stream, allowance: allowance.clone() }, allowance)
    }

    /// The stream, no longer bounded.
    pub(crate) fn into_inner(self) -> TcpStream {
        self.stream
    }
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let left = self.allowance.0.load(Ordering::Relaxed);
        if left == ANY {
            return polled;
        }
        let read = (buffer.filled().len() - before) as u64;
        match left.checked_sub(read) {
            // Told meanwhile that the answer is there: what is stored then matters no more.
            Some(left) => {
                let _ = self.allowance.0.compare_exchange(
                    left + read,
                    left,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                );
                polled
            }
            None => Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "too much before an answer"))),
        }
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
