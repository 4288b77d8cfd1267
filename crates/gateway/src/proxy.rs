//! The life of a request, top to bottom.

mod body;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Empty, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_LENGTH, EXPECT, HOST, RETRY_AFTER, UPGRADE};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode, Uri, Version};
use tokio::time::{Instant, timeout};

use crate::backend::{Backend, InFlight, Outgoing};
use crate::headers::{self, Identity};
use crate::probe;
use crate::table::LiveRoute;
use crate::worker::Gateway;

use body::{Answer, Story};

/// Sent at most so often, each time to another backend where there is one.
const MOST_ATTEMPTS: usize = 3;
/// A body so long is kept so that it can be sent again; a longer one is sent once.
const MOST_KEPT_BODY: u64 = 64 << 10;
/// How long a backend may take to begin its answer.
const FIRST_BYTE: Duration = Duration::from_secs(300);

/// A request that can be sent.
enum Sending {
    /// Whole, any number of times.
    Again(Bytes),
    /// As it comes, once.
    Once(Option<Incoming>),
}

/// Answers a request. Never fails: what goes wrong is an answer too.
pub(crate) async fn answer(
    request: Request<Incoming>,
    client: SocketAddr,
    listen: SocketAddr,
    gateway: Arc<Gateway>,
) -> Result<Response<Answer>, Infallible> {
    let identity = Identity::of(request.headers());
    let mut story = Story::new(&request, client, &identity);
    let Some(host) = host_of(&request) else {
        return Ok(plain(StatusCode::BAD_REQUEST, &identity, story, &gateway));
    };
    let table = gateway.table.load_full();
    let Some(route) = table.find(listen, &host, request.uri().path()).cloned() else {
        return Ok(plain(StatusCode::NOT_FOUND, &identity, story, &gateway));
    };
    drop(table);
    story.route(&route);
    if request.headers().contains_key(UPGRADE) || request.method() == Method::CONNECT {
        return Ok(plain(StatusCode::NOT_IMPLEMENTED, &identity, story, &gateway));
    }
    let (mut parts, body) = request.into_parts();
    headers::forward(&mut parts.headers, client.ip(), &host, &identity);
    let sending = match keep(&mut parts, body).await {
        Ok(sending) => sending,
        Err(status) => return Ok(plain(status, &identity, story, &gateway)),
    };
    match send(&parts, sending, route, &gateway, &mut story, listen, &host).await {
        Ok((answer, in_flight, connection)) => {
            let (mut head, body) = answer.into_parts();
            headers::back(&mut head.headers, &identity);
            story.status(head.status);
            let body = body::Passing::new(body, in_flight, connection, story, gateway);
            Ok(Response::from_parts(head, Either::Right(body)))
        }
        Err(status) => Ok(plain(status, &identity, story, &gateway)),
    }
}

/// Keeps a short body of a request that may be repeated, so that it can be sent again.
async fn keep(parts: &mut Parts, body: Incoming) -> Result<Sending, StatusCode> {
    let repeatable = matches!(
        parts.method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE | Method::TRACE
    );
    if body.is_end_stream() {
        return Ok(if repeatable { Sending::Again(Bytes::new()) } else { Sending::Once(Some(body)) });
    }
    let short = body.size_hint().upper().is_some_and(|length| length <= MOST_KEPT_BODY);
    if !repeatable || !short || parts.headers.contains_key(EXPECT) {
        return Ok(Sending::Once(Some(body)));
    }
    let whole =
        Limited::new(body, MOST_KEPT_BODY as usize).collect().await.map_err(|_| StatusCode::BAD_REQUEST)?;
    let whole = whole.to_bytes();
    parts.headers.insert(CONTENT_LENGTH, whole.len().into());
    Ok(Sending::Again(whole))
}

type Sent = (Response<Incoming>, InFlight, crate::backend::Connection);

async fn send(
    parts: &Parts,
    mut sending: Sending,
    mut route: Arc<LiveRoute>,
    gateway: &Arc<Gateway>,
    story: &mut Story,
    listen: SocketAddr,
    host: &str,
) -> Result<Sent, StatusCode> {
    let mut tried: Vec<Arc<Backend>> = Vec::new();
    let mut attempts = 0;
    while attempts < MOST_ATTEMPTS {
        // Where all were tried, one may be tried again: a kept connection that was closed is no sick backend.
        let Some(backend) = route.choose(&tried).or_else(|| route.choose(&[])) else {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        };
        let Some(in_flight) = backend.enter() else {
            // The set was swapped meanwhile: look again. This is no attempt, nothing was sent.
            let table = gateway.table.load();
            route = table.find(listen, host, parts.uri.path()).cloned().ok_or(StatusCode::NOT_FOUND)?;
            continue;
        };
        attempts += 1;
        if attempts > 1 {
            story.retried();
            gateway.metrics.retried(&route.project, &route.route.name);
        }
        story.backend(&backend);
        match attempt(parts, &mut sending, &backend, attempts == 1, story).await {
            Ok((answer, connection)) => return Ok((answer, in_flight, connection)),
            Err(Failed::Again) => {}
            Err(Failed::Unreachable) => {
                if let Some(well) = backend.judge(false, &gateway.metrics) {
                    probe::tell(&gateway.place, &backend, well);
                }
            }
            Err(Failed::ForGood(status)) => return Err(status),
        }
        tried.push(backend);
    }
    Err(StatusCode::BAD_GATEWAY)
}

/// How an attempt failed.
enum Failed {
    /// No connection: no byte was sent.
    Unreachable,
    /// The connection broke before a byte of the answer came, and the request may be repeated.
    Again,
    /// It must not be sent again.
    ForGood(StatusCode),
}

async fn attempt(
    parts: &Parts,
    sending: &mut Sending,
    backend: &Arc<Backend>,
    first: bool,
    story: &mut Story,
) -> Result<(Response<Incoming>, crate::backend::Connection), Failed> {
    let began = Instant::now();
    // A kept connection may have been closed by the other side just now; only what can be repeated is risked on it.
    let kept = match sending {
        Sending::Again(_) if first => backend.idle_connection(),
        _ => None,
    };
    let mut connection = match kept {
        Some(connection) => connection,
        None => backend.connect().await.map_err(|_| Failed::Unreachable)?,
    };
    story.connected(began.elapsed());
    let repeatable = matches!(sending, Sending::Again(_));
    let body: Outgoing = match sending {
        Sending::Again(bytes) => Either::Left(Full::new(bytes.clone())),
        Sending::Once(body) => match body.take() {
            Some(body) => Either::Right(body),
            None => return Err(Failed::ForGood(StatusCode::BAD_GATEWAY)),
        },
    };
    let mut request = Request::new(body);
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = origin_form(&parts.uri);
    *request.headers_mut() = parts.headers.clone();
    *request.version_mut() = Version::HTTP_11;
    match timeout(FIRST_BYTE, connection.send_request(request)).await {
        Ok(Ok(answer)) => {
            story.first_byte();
            Ok((answer, connection))
        }
        Ok(Err(_)) if repeatable => Err(Failed::Again),
        Ok(Err(_)) => Err(Failed::ForGood(StatusCode::BAD_GATEWAY)),
        Err(_) => Err(Failed::ForGood(StatusCode::GATEWAY_TIMEOUT)),
    }
}

/// The path and query alone.
fn origin_form(uri: &Uri) -> Uri {
    uri.path_and_query().map_or_else(|| Uri::from_static("/"), |path| Uri::from(path.clone()))
}

/// The host a request names, without its port; none when it names none, or several.
fn host_of(request: &Request<Incoming>) -> Option<String> {
    let mut named = request.headers().get_all(HOST).iter();
    let header = named.next().and_then(|value| value.to_str().ok());
    if named.next().is_some() {
        return None;
    }
    let host = match (request.uri().authority(), header) {
        (Some(authority), _) => authority.as_str(),
        (None, Some(host)) => host,
        (None, None) if request.version() == Version::HTTP_10 => "",
        (None, None) => return None,
    };
    let bare = match host.rfind(':') {
        Some(colon) if !host[colon..].contains(']') => &host[..colon],
        _ => host,
    };
    Some(bare.to_ascii_lowercase())
}

/// An answer of the gateway's own.
fn plain(status: StatusCode, identity: &Identity, mut story: Story, gateway: &Gateway) -> Response<Answer> {
    let mut answer = Response::new(Either::Left(Empty::new()));
    *answer.status_mut() = status;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        answer.headers_mut().insert(RETRY_AFTER, 1.into());
    }
    headers::back(answer.headers_mut(), identity);
    story.status(status);
    story.tell(0, gateway);
    answer
}
