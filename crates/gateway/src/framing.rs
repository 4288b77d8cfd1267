//! Notices heads that give the length of a body twice: hyper drops the `Content-Length` of a chunked request before
//! anybody can see that it was there.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const LENGTH: &[u8] = b"content-length";

/// What the bytes of a connection showed, for whoever answers its requests.
#[derive(Debug)]
pub(crate) struct Framing {
    /// The bytes that come now belong to a head.
    in_head: AtomicBool,
    /// The head had a `Content-Length`.
    length: AtomicBool,
}

impl Default for Framing {
    fn default() -> Self {
        Self { in_head: AtomicBool::new(true), length: AtomicBool::new(false) }
    }
}

impl Framing {
    /// A head was read: whether it had a `Content-Length`. With a body, what follows is no head until
    /// [`Framing::body_ended`].
    pub(crate) fn head_read(&self, has_body: bool) -> bool {
        self.in_head.store(!has_body, Ordering::Relaxed);
        self.length.swap(false, Ordering::Relaxed)
    }

    /// The next byte begins a head.
    pub(crate) fn body_ended(&self) {
        self.in_head.store(true, Ordering::Relaxed);
    }
}

/// Looks at what is read from `stream`. A head that was read together with the end of the one before is not looked at;
/// such a request is still sent on with one framing only.
pub(crate) fn watch<S>(stream: S) -> (Watched<S>, Arc<Framing>) {
    let framing = Arc::new(Framing::default());
    (Watched { stream, framing: framing.clone(), name: Vec::new(), named: false, lines: 0 }, framing)
}

/// A stream whose heads are looked at.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    stream: S,
    framing: Arc<Framing>,
    /// The line so far, in lower case, up to its colon and no longer than needed.
    name: Vec<u8>,
    named: bool,
    lines: usize,
}

impl<S> Watched<S> {
    /// The stream, no longer looked at.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    fn look(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                if self.line_ended() {
                    self.framing.in_head.store(false, Ordering::Relaxed);
                    return;
                }
                continue;
            }
            match byte {
                b'\r' => {}
                b':' => self.named = true,
                byte if !self.named && self.name.len() <= LENGTH.len() => {
                    self.name.push(byte.to_ascii_lowercase());
                }
                _ => {}
            }
        }
    }

    /// Takes in a whole line; whether the head ends with it. Empty lines before a head are allowed (RFC 9112,
    /// section 2.2), one after it ends it.
    fn line_ended(&mut self) -> bool {
        if self.name.is_empty() && !self.named {
            return std::mem::take(&mut self.lines) > 0;
        }
        if self.named && self.name == LENGTH {
            self.framing.length.store(true, Ordering::Relaxed);
        }
        self.name.clear();
        self.named = false;
        self.lines += 1;
        false
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.framing.in_head.load(Ordering::Relaxed) {
            self.look(buffer.filled().get(before..).unwrap_or_default());
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
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
    use proptest::prelude::*;

    use super::*;

    fn seen(head: &str, cut: usize) -> bool {
        let (mut watched, framing) = watch(());
        let (left, right) = head.split_at(cut);
        watched.look(left.as_bytes());
        watched.look(right.as_bytes());
        framing.head_read(false)
    }

    proptest! {
        #[test]
        fn a_length_is_seen_wherever_the_head_is_cut(cut in 0_usize..40) {
            prop_assert!(seen("\r\nPOST / HTTP/1.1\r\nCONTENT-length: 3\r\n\r\n", cut));
            prop_assert!(!seen("POST / HTTP/1.1\r\nx-content-length: 3\r\n\r\n", cut));
            prop_assert!(!seen("POST /content-length: HTTP/1.1\r\nhost: a\r\n\r\n", cut));
        }

        #[test]
        fn any_bytes_are_looked_at_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let (mut watched, framing) = watch(());
            watched.look(&bytes);
            framing.head_read(true);
        }
    }

    #[test]
    fn what_follows_the_head_is_not_looked_at() {
        assert!(!seen("POST / HTTP/1.1\r\nhost: a\r\n\r\nx\r\nContent-Length: 3\r\n", 10));
    }
}
