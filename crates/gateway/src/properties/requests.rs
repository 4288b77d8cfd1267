//! The bytes of a client's connection: what is looked at and what is then read must find the same requests.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::framing::{self, Framing, Look};
use crate::listener::{MOST_HEAD_BYTES, MOST_HEADERS};

/// No input takes so long, unless something waits for what never comes.
const AN_END: Duration = Duration::from_secs(5);

/// A request as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Read {
    method: String,
    target: String,
    chunked: bool,
    /// Nothing where it did not come whole.
    body: Option<Bytes>,
}

/// The bytes of a connection, in the ways in which they may arrive.
///
/// # Panics
/// When what is looked at and what is read find different requests, or the ways differ.
pub fn requests(bytes: &[u8]) {
    let looked = framing::looked(bytes, usize::MAX);
    for piece in [1, 7] {
        assert_eq!(framing::looked(bytes, piece), looked, "looked at in pieces of {piece}");
    }
    let whole = serve(bytes, usize::MAX);
    compare(bytes, &looked, &whole);
    for piece in [1, 7] {
        let read = serve(bytes, piece);
        compare(bytes, &looked, &read);
        // After an offer to switch, what was read with it before it was declined ends the connection.
        let both = read.len().min(whole.len());
        let (read, other) = if looked.offers { (&read[..both], &whole[..both]) } else { (&*read, &*whole) };
        assert_eq!(read, other, "read in pieces of {piece}");
    }
}

/// Each request that is read stands where one was looked at, with the same first line and the same body.
fn compare(bytes: &[u8], looked: &Look, read: &[Read]) {
    assert!(read.len() <= looked.heads.len(), "{read:?} of {looked:?}");
    for (index, (head, request)) in looked.heads.iter().zip(read).enumerate() {
        let text = String::from_utf8_lossy(&bytes[head.clone()]).into_owned();
        let mut words = text.lines().next().unwrap_or_default().split(' ');
        assert_eq!(words.next(), Some(request.method.as_str()), "{text:?}");
        let target = words.next().unwrap_or_default().trim_end_matches('/');
        let same = target.eq_ignore_ascii_case(request.target.trim_end_matches('/'));
        assert!(same || request.target.contains('?'), "{target:?} is read as {request:?}");
        let next = looked.heads.get(index + 1).map_or(bytes.len(), |next| next.start);
        let rest = &bytes[head.end..next];
        match &request.body {
            Some(body) if request.chunked => assert!(body.len() < rest.len(), "{request:?} of {rest:?}"),
            Some(body) => assert!(rest.starts_with(body), "{request:?} of {rest:?}"),
            None => {}
        }
    }
}

/// Reads requests as the gateway does; those that began.
fn serve(bytes: &[u8], piece: usize) -> Vec<Read> {
    thread_local! {
        static RUNTIME: RefCell<Option<Runtime>> = const { RefCell::new(None) };
    }
    let client = Client { bytes: bytes.to_vec(), at: 0, piece };
    RUNTIME.with_borrow_mut(|runtime| {
        let runtime = runtime.get_or_insert_with(|| {
            let built = tokio::runtime::Builder::new_current_thread().enable_time().build();
            built.expect("a runtime without sockets needs nothing of the system")
        });
        let served = runtime.block_on(async { timeout(AN_END, converse(client)).await });
        served.expect("each connection ends")
    })
}

async fn converse(client: Client) -> Vec<Read> {
    let (stream, framing) = framing::watch(client);
    let read = Arc::new(Mutex::new(Vec::new()));
    let service = service_fn(|request| {
        let (framing, read) = (framing.clone(), read.clone());
        async move { Ok::<_, Infallible>(answer(request, &framing, &read).await) }
    });
    let _ = http1::Builder::new()
        .max_headers(MOST_HEADERS)
        .max_buf_size(MOST_HEAD_BYTES)
        .max_header_size(MOST_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    let read = read.lock().unwrap_or_else(PoisonError::into_inner);
    read.clone()
}

async fn answer(
    request: Request<Incoming>,
    framing: &Framing,
    read: &Mutex<Vec<Read>>,
) -> Response<Full<Bytes>> {
    framing.begin();
    let (head, body) = request.into_parts();
    let mut told = Read {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        chunked: head.headers.contains_key(TRANSFER_ENCODING),
        body: None,
    };
    told.body = body.collect().await.ok().map(|body| body.to_bytes());
    let whole = told.body.is_some();
    read.lock().unwrap_or_else(PoisonError::into_inner).push(told);
    let mut answer = Response::new(Full::default());
    let fault = framing.fault();
    *answer.status_mut() = fault.map_or(StatusCode::OK, |fault| fault.status());
    if !framing.declined() || fault.is_some() || !whole {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// A client that sends so many bytes at a time, then its end, and hears anything.
struct Client {
    bytes: Vec<u8>,
    at: usize,
    piece: usize,
}

impl AsyncRead for Client {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let now = rest.len().min(self.piece).min(buffer.remaining());
        buffer.put_slice(&rest[..now]);
        self.at += now;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Client {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
