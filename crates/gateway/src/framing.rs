//! Stands between the socket and the reader of requests: nothing malformed gets past it, nor anything that follows.

mod fault;
mod grammar;
#[cfg(any(test, feature = "test-util"))]
mod look;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

pub(crate) use fault::Fault;
use grammar::Grammar;
#[cfg(any(test, feature = "test-util"))]
pub(crate) use look::{Look, looked};

/// A client that is refused may still be sending: closing at once would reset the connection, and our answer with it.
/// So much is thrown away, for so long.
const LEFT_OVER_BYTES: u64 = 64 << 20;
const LEFT_OVER: Duration = Duration::from_secs(5);

/// What the bytes of a connection showed, for whoever answers its requests.
#[derive(Debug, Default)]
pub(crate) struct Framing {
    fault: AtomicU8,
    /// The number of the request that it is in.
    faulty: AtomicU64,
    /// Requests that are answered, or were.
    begun: AtomicU64,
    /// Whether the connection may become another protocol with the next byte.
    offered: AtomicBool,
    /// What followed an offer was none of HTTP: it was passed on unseen.
    unseen: AtomicBool,
    /// The last answer leaves something unread.
    lingers: AtomicBool,
    /// Answers that are done.
    answered: AtomicU64,
    /// Whether something written may not have been sent yet.
    unsent: AtomicBool,
    /// Whether all that came was read, and the last request ended with it.
    read_all: AtomicBool,
}

impl Framing {
    /// Counts a request whose head could be read.
    pub(crate) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    /// How many requests are answered, or were.
    pub(crate) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Counts an answer that is done.
    pub(crate) fn answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the connection lies between two requests with nothing left to read, answer or send: nobody who reads it
    /// holds anything of it.
    pub(crate) fn rests(&self) -> bool {
        let is = |sign: &AtomicBool| sign.load(Ordering::Relaxed);
        is(&self.read_all)
            && !is(&self.unsent)
            && !is(&self.offered)
            && !is(&self.unseen)
            && !is(&self.lingers)
            && self.any_fault().is_none()
            && self.answered.load(Ordering::Relaxed) == self.begun()
    }

    /// What is wrong with the request that is being answered: its body, as far as it came.
    pub(crate) fn fault(&self) -> Option<Fault> {
        self.any_fault().filter(|_| self.faulty.load(Ordering::Relaxed) == self.begun.load(Ordering::Relaxed))
    }

    /// Refuses the request that is being answered: nothing more is read of its connection.
    pub(crate) fn refuse(&self, fault: Fault) {
        self.faulty.store(self.begun.load(Ordering::Relaxed), Ordering::Relaxed);
        self.fault.store(fault.number().get(), Ordering::Relaxed);
    }

    /// What is wrong with the head of a request that nobody is asked to answer.
    pub(crate) fn head_fault(&self) -> Option<Fault> {
        self.any_fault().filter(|_| self.faulty.load(Ordering::Relaxed) > self.begun.load(Ordering::Relaxed))
    }

    fn any_fault(&self) -> Option<Fault> {
        Fault::numbered(self.fault.load(Ordering::Relaxed))
    }

    /// An offer to switch protocols was not taken: what follows is HTTP. Whether the connection can go on.
    pub(crate) fn declined(&self) -> bool {
        self.offered.store(false, Ordering::Relaxed);
        !self.unseen.load(Ordering::Relaxed)
    }

    /// The answer comes before the request was read, and the connection ends with it.
    pub(crate) fn linger(&self) {
        self.lingers.store(true, Ordering::Relaxed);
    }
}

/// Looks at what is read from `stream`.
pub(crate) fn watch<S>(stream: S) -> (Watched<S>, Arc<Framing>) {
    let framing = Arc::new(Framing::default());
    let grammar = Grammar::default();
    let watched = Watched {
        stream,
        framing: framing.clone(),
        grammar,
        instead: b"",
        left_over: None,
        has_left: |_| false,
    };
    (watched, framing)
}

/// A stream whose requests are looked at.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    stream: S,
    framing: Arc<Framing>,
    grammar: Grammar,
    /// What is still to be read instead of what was wrong.
    instead: &'static [u8],
    left_over: Option<LeftOver>,
    /// Whether whoever sends is gone.
    has_left: fn(&S) -> bool,
}

/// What a refused client still sends.
#[derive(Debug)]
struct LeftOver {
    bytes: u64,
    until: Pin<Box<Sleep>>,
}

impl<S> Watched<S> {
    /// Ends when whoever sends a body leaves within it, though nobody reads any more of it now.
    pub(crate) fn unless(mut self, has_left: fn(&S) -> bool) -> Self {
        self.has_left = has_left;
        self
    }

    /// The stream below.
    pub(crate) fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The stream, no longer looked at.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    /// Looks at bytes that were just read into the end of `buffer`. From the first wrong one on, they are replaced by
    /// what the reader of requests takes for an error too, wherever it stands: it may wait for the end of a head to look.
    fn look(&mut self, buffer: &mut ReadBuf<'_>, before: usize) {
        let read = buffer.filled().get(before..).unwrap_or_default();
        let looked = self.grammar.read(read);
        if self.grammar.take_offer() {
            self.framing.offered.store(true, Ordering::Relaxed);
        }
        let Err((right, fault)) = looked else { return };
        if self.framing.offered.load(Ordering::Relaxed) && !self.grammar.in_body() {
            self.framing.unseen.store(true, Ordering::Relaxed);
            return;
        }
        let faulty = self.grammar.heads() + u64::from(!self.grammar.in_body());
        self.framing.faulty.store(faulty, Ordering::Relaxed);
        self.framing.fault.store(fault.number().get(), Ordering::Relaxed);
        self.instead = if self.grammar.in_extension() { b"\n" } else { b"\0\r\n\r\n" };
        buffer.set_filled(before + right);
        self.fill(buffer);
    }
}

impl<S> Watched<S> {
    fn fill(&mut self, buffer: &mut ReadBuf<'_>) {
        let (now, later) = self.instead.split_at(self.instead.len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.instead = later;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.framing.any_fault().is_some() {
            if self.instead.is_empty() {
                // Nothing more is read, and the reader has what it needs to answer.
                return Poll::Pending;
            }
            self.fill(buffer);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before && !self.framing.unseen.load(Ordering::Relaxed) {
            self.look(buffer, before);
        }
        let all =
            polled.is_pending() && self.grammar.is_at_rest() && self.grammar.heads() == self.framing.begun();
        self.framing.read_all.store(all, Ordering::Relaxed);
        polled
    }
}

impl<S: AsyncRead + Unpin> Watched<S> {
    /// Throws away what still comes; done at the client's end, or when it was enough.
    fn poll_left_over(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(left) = &mut self.left_over else { return Poll::Ready(()) };
        let mut room = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut room);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    left.bytes = left.bytes.saturating_add(buffer.filled().len() as u64);
                    if left.bytes > LEFT_OVER_BYTES {
                        return Poll::Ready(());
                    }
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return left.until.as_mut().poll(context),
            }
            if left.until.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.framing.unsent.store(true, Ordering::Relaxed);
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Asked for whenever the connection is looked at. Where a backend takes no more of a body, nothing is read here.
        if self.grammar.in_body() && (self.has_left)(&self.stream) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        // Asked for once all was written.
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.framing.unsent.store(false, Ordering::Relaxed);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.left_over.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            if this.framing.any_fault().is_none() && !this.framing.lingers.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
            this.left_over = Some(LeftOver { bytes: 0, until: Box::pin(sleep(LEFT_OVER)) });
        }
        ready!(this.poll_left_over(context));
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.framing.unsent.store(true, Ordering::Relaxed);
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

    fn read(bytes: &[u8], cut: usize) -> Result<(), Fault> {
        let mut grammar = Grammar::default();
        let (left, right) = bytes.split_at(cut.min(bytes.len()));
        grammar.read(left).and_then(|()| grammar.read(right)).map_err(|(_, fault)| fault)
    }

    proptest! {
        #[test]
        fn it_is_the_same_wherever_the_bytes_are_cut(cut in 0_usize..140) {
            let fine = b"\r\nPOST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\n\r\nx\r\n0\r\na: b\r\n\r\nGET / HTTP/1.0\r\n\r\n";
            prop_assert_eq!(read(fine, cut), Ok(()));
            let both = b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n";
            prop_assert_eq!(read(both, cut), Err(Fault::TwoLengths));
            let next = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n\n\n\nGET / HTTP/1.1\r\nA : b\r\n\r\n";
            prop_assert_eq!(read(next, cut), Err(Fault::FieldName));
        }

        #[test]
        fn any_bytes_are_looked_at_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0_usize..300) {
            let _ = read(&bytes, cut);
        }

        #[test]
        fn a_body_is_no_head(body in proptest::collection::vec(any::<u8>(), 1..100)) {
            let mut bytes = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
            bytes.extend(body);
            bytes.extend(b"GET / HTTP/1.1\n");
            prop_assert_eq!(read(&bytes, 7), Err(Fault::BareLineFeed));
        }
    }
}
