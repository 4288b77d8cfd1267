//! A connection to a backend: HTTP/1.1 for one request at a time, or HTTP/2 shared by all of them.

mod bounded;

use std::io;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue, TE};
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{Request, Response, Uri, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::outgoing::Outgoing;

use bounded::Allowance;

pub(crate) use bounded::Bounded;

/// What a backend may send unasked, of one answer and of all.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;
/// Bytes of an answer's headers.
const MOST_HEADER_BYTES: u32 = 64 << 10;
/// How often a backend with requests is asked whether it is still there, and how long it may take to say so.
const ALIVE: Duration = Duration::from_secs(30);
const ALIVE_ANSWER: Duration = Duration::from_secs(20);
/// What calls of gRPC are known by; they need trailers, and say so hop by hop.
const GRPC: &[u8] = b"application/grpc";

/// A connection to a backend.
#[derive(Debug)]
pub(crate) enum Connection {
    Http1(http1::SendRequest<Outgoing>, Allowance),
    Http2(http2::SendRequest<Outgoing>),
}

impl Connection {
    /// Speaks HTTP/1.1 over a stream, or HTTP/2 as agreed before.
    pub(crate) async fn over(stream: TcpStream, http2: bool) -> io::Result<Self> {
        if !http2 {
            let (bounded, allowance) = Bounded::new(stream);
            let shaken = http1::handshake(TokioIo::new(bounded)).await;
            let (sender, connection) = shaken.map_err(io::Error::other)?;
            // Ends when the sender is dropped or the backend closes.
            tokio::spawn(connection.with_upgrades());
            return Ok(Self::Http1(sender, allowance));
        }
        let shaken = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MOST_HEADER_BYTES)
            .keep_alive_interval(ALIVE)
            .keep_alive_timeout(ALIVE_ANSWER)
            .handshake(TokioIo::new(stream))
            .await;
        let (sender, connection) = shaken.map_err(io::Error::other)?;
        tokio::spawn(connection);
        Ok(Self::Http2(sender))
    }

    pub(crate) fn is_ready(&self) -> bool {
        match self {
            Self::Http1(sender, _) => sender.is_ready(),
            Self::Http2(sender) => sender.is_ready(),
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Http1(sender, _) => sender.is_closed(),
            Self::Http2(sender) => sender.is_closed(),
        }
    }

    /// The same connection, where several may use it.
    pub(crate) fn shared(&self) -> Option<Self> {
        match self {
            Self::Http1(..) => None,
            Self::Http2(sender) => Some(Self::Http2(sender.clone())),
        }
    }

    /// Sends a request that is written for HTTP/1.1.
    pub(crate) fn try_send_request(
        &mut self,
        mut request: Request<Outgoing>,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<Outgoing>>>> + use<> {
        let sent = match self {
            Self::Http1(sender, allowance) => {
                allowance.ask();
                Sent::Http1(sender.try_send_request(request), allowance.clone())
            }
            Self::Http2(sender) => {
                rewrite(&mut request);
                Sent::Http2(sender.try_send_request(request))
            }
        };
        async move {
            match sent {
                Sent::Http1(answer, allowance) => {
                    let answer = answer.await;
                    allowance.answered();
                    answer
                }
                Sent::Http2(answer) => answer.await,
            }
        }
    }
}

/// A request on its way.
enum Sent<One, Two> {
    Http1(One, Allowance),
    Http2(Two),
}

/// Writes a request for HTTP/2: whom it is for stands in its address.
fn rewrite(request: &mut Request<Outgoing>) {
    let host = request.headers_mut().remove(HOST);
    let authority = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority.unwrap_or_else(|| Authority::from_static("localhost")));
    parts.path_and_query.get_or_insert_with(|| PathAndQuery::from_static("/"));
    // All three parts are there, which is all that could be missing.
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    *request.version_mut() = Version::HTTP_2;
    if request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(GRPC)) {
        request.headers_mut().insert(TE, HeaderValue::from_static("trailers"));
    }
}
