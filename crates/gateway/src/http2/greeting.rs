//! The first words of HTTP/2: the preface, and SETTINGS right after it (RFC 9113, section 3.4). What begins with another
//! frame speaks something else.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Where the type of the first frame stands: behind the preface, and the frame's length.
const TYPE_AT: usize = 24 + 3;
const SETTINGS: u8 = 4;

/// A connection whose first frame is looked at.
#[derive(Debug)]
pub(super) struct Greeted<S> {
    stream: S,
    /// Bytes read, up to that type.
    read: usize,
}

impl<S> Greeted<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, read: 0 }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Greeted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.read > TYPE_AT {
            return polled;
        }
        let fresh = buffer.filled().get(before..).unwrap_or_default();
        if fresh.get(TYPE_AT - self.read).is_some_and(|kind| *kind != SETTINGS) {
            buffer.set_filled(before);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "no SETTINGS first")));
        }
        self.read += fresh.len();
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Greeted<S> {
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

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn settings_come_first_however_they_are_cut() {
        let with = |kind: u8| [&[0; 27][..], &[kind, 0, 0, 0, 0, 0], &[9; 20]].concat();
        for piece in [1, 2, 26, 27, 28, 29, 53] {
            for (kind, fits) in [(SETTINGS, true), (6, false)] {
                let bytes = with(kind);
                let mut parts = pieces(&bytes, piece);
                let mut read = Vec::new();
                let ended = Greeted::new(&mut parts).read_to_end(&mut read).await;
                assert_eq!(ended.is_ok(), fits, "{piece} {kind}");
                assert_eq!(read == bytes, fits);
            }
        }
    }

    /// A stream that gives so many bytes at a time.
    fn pieces(bytes: &[u8], piece: usize) -> impl AsyncRead + Unpin {
        struct Pieces(Vec<u8>, usize);
        impl AsyncRead for Pieces {
            fn poll_read(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                let count = self.1.min(self.0.len()).min(buffer.remaining());
                let rest = self.0.split_off(count);
                buffer.put_slice(&self.0);
                self.0 = rest;
                Poll::Ready(Ok(()))
            }
        }
        Pieces(bytes.to_vec(), piece)
    }
}
