//! Lends something out, and has it back once the borrower is gone.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;

/// A stream that is lent: whoever drops it gives it back.
#[derive(Debug)]
pub(crate) struct Lent<S> {
    /// Nothing only while it is dropped.
    stream: Option<S>,
    back: Option<oneshot::Sender<S>>,
}

/// Where a stream comes back.
#[derive(Debug)]
pub(crate) struct Lender<S>(oneshot::Receiver<S>);

/// Lends a stream out.
pub(crate) fn lend<S>(stream: S) -> (Lent<S>, Lender<S>) {
    let (back, lender) = oneshot::channel();
    (Lent { stream: Some(stream), back: Some(back) }, Lender(lender))
}

impl<S> Lender<S> {
    /// What came back; nothing while it is lent, and when it was kept.
    pub(crate) fn take(mut self) -> Option<S> {
        self.0.try_recv().ok()
    }
}

impl<S> Lent<S> {
    /// Keeps it: it does not come back.
    pub(crate) fn keep(mut self) -> Option<S> {
        self.stream.take()
    }

    fn stream(&mut self) -> io::Result<Pin<&mut S>>
    where
        S: Unpin,
    {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl<S> Drop for Lent<S> {
    fn drop(&mut self) {
        if let (Some(stream), Some(back)) = (self.stream.take(), self.back.take()) {
            // Nobody waits for it: then it ends here.
            let _ = back.send(stream);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lent<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream()?.poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lent<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }
}
