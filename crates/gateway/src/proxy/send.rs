//! Sends a request to a backend, and to another one where that is safe.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode, Uri, Version};
use tokio::time::{Instant, sleep_until};

use crate::backend::{Backend, InFlight};
use crate::connection::Connection;
use crate::limits;
use crate::outgoing::{Outgoing, Passing, Progress};
use crate::probe;
use crate::table::LiveRoute;
use crate::worker::Gateway;

use super::body::Story;
use super::expect;

/// Backends that are tried, of which all but one turned out to be unreachable: nothing was sent to those.
const MOST_ATTEMPTS: usize = 3;
/// A request that may be repeated is sent at most so often.
const MOST_SENT: usize = 2;
/// How long a backend may take to begin its answer once nothing more of the request comes.
const FIRST_BYTE: Duration = Duration::from_secs(300);

/// A request that can be sent.
pub(super) enum Sending {
    /// Whole, any number of times.
    Again(Bytes),
    /// As it comes, once.
    Once(Option<Outgoing>),
}

/// What is to be sent, and how its route is found.
pub(super) struct Wanted<'a> {
    pub(super) parts: &'a Parts,
    pub(super) listen: SocketAddr,
    pub(super) host: &'a str,
}

/// What came back, and what it keeps busy.
pub(super) type Sent = (Response<Incoming>, InFlight, Connection);

pub(super) async fn send(
    wanted: &Wanted<'_>,
    mut sending: Sending,
    mut route: Arc<LiveRoute>,
    gateway: &Arc<Gateway>,
    story: &mut Story,
) -> Result<Sent, StatusCode> {
    let mut tried: Vec<Arc<Backend>> = Vec::new();
    let mut sent = 0;
    while tried.len() < MOST_ATTEMPTS && sent < MOST_SENT {
        // Where all were tried, one may be tried again: a kept connection that was closed is no sick backend.
        let Some(backend) = pick(wanted, &route, &tried, gateway) else {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        };
        let Some(in_flight) = backend.enter() else {
            // The set was swapped meanwhile: look again. This is no attempt, nothing was sent.
            let table = gateway.table.load();
            let found = table.find(wanted.listen, wanted.host, wanted.parts.uri.path());
            route = found.cloned().ok_or(StatusCode::NOT_FOUND)?;
            continue;
        };
        if !tried.is_empty() {
            story.retried();
            gateway.metrics.retried(&route.project, &route.route.name);
        }
        story.backend(&backend);
        match attempt(wanted.parts, &mut sending, &backend, tried.is_empty(), story).await {
            Ok((answer, connection)) => return Ok((answer, in_flight, connection)),
            Err(Failed::Unsent) => {}
            Err(Failed::Unanswered) => sent += 1,
            Err(Failed::Unreachable(error)) => {
                // A shortage of our own says nothing about the backend.
                if !limits::is_own_shortage(&error)
                    && let Some(well) = backend.judge(false, &gateway.metrics)
                {
                    probe::tell(&gateway.place, &backend, well);
                }
            }
            Err(Failed::ForGood(status)) => return Err(status),
        }
        tried.push(backend);
    }
    Err(StatusCode::BAD_GATEWAY)
}

/// The client's own backend where it has one that is well and was not tried, else the one whose turn it is.
fn pick(
    wanted: &Wanted<'_>,
    route: &LiveRoute,
    tried: &[Arc<Backend>],
    gateway: &Gateway,
) -> Option<Arc<Backend>> {
    let own = route.route.sticky.then(|| gateway.sessions.find(&wanted.parts.headers, route)).flatten();
    own.filter(|own| own.is_well() && !tried.iter().any(|tried| Arc::ptr_eq(tried, own)))
        .or_else(|| route.choose(tried))
        .or_else(|| route.choose(&[]))
}

/// How an attempt failed.
enum Failed {
    /// No connection: no byte was sent.
    Unreachable(io::Error),
    /// The connection was closed before a byte was sent.
    Unsent,
    /// The connection broke before a byte of the answer came, and the request may be repeated.
    Unanswered,
    /// It must not be sent again.
    ForGood(StatusCode),
}

async fn attempt(
    parts: &Parts,
    sending: &mut Sending,
    backend: &Arc<Backend>,
    first: bool,
    story: &mut Story,
) -> Result<(Response<Incoming>, Connection), Failed> {
    let began = Instant::now();
    // A kept connection may have been closed by the other side just now; only what can be repeated is risked on it.
    let kept = match sending {
        Sending::Again(_) if first => backend.idle_connection(),
        _ => None,
    };
    let mut connection = match kept {
        Some(connection) => connection,
        None => backend.connect().await.map_err(Failed::Unreachable)?,
    };
    story.connected(began.elapsed());
    let (mut request, progress) = request(parts, sending)?;
    if expect::is_expected(&parts.headers) {
        story.keep_open(expect::hold(&mut request));
    }
    let mut answered = std::pin::pin!(connection.try_send_request(request));
    let answer = loop {
        tokio::select! {
            answer = &mut answered => break answer,
            // As long as the client sends, the backend need not answer.
            () = sleep_until(progress.last() + FIRST_BYTE) => {
                if progress.last().elapsed() >= FIRST_BYTE {
                    return Err(Failed::ForGood(StatusCode::GATEWAY_TIMEOUT));
                }
            }
        }
    };
    match answer {
        Ok(answer) => {
            story.first_byte();
            Ok((answer, connection))
        }
        Err(mut error) => match (error.take_message(), sending) {
            (Some(unsent), Sending::Once(body)) => {
                *body = Some(unsent.into_body());
                Err(Failed::Unsent)
            }
            (Some(_), Sending::Again(_)) => Err(Failed::Unsent),
            (None, Sending::Again(_)) => Err(Failed::Unanswered),
            (None, Sending::Once(_)) => Err(Failed::ForGood(StatusCode::BAD_GATEWAY)),
        },
    }
}

/// The request for a backend, and when something of it was last sent.
fn request(parts: &Parts, sending: &mut Sending) -> Result<(Request<Outgoing>, Progress), Failed> {
    let body = match sending {
        Sending::Again(bytes) => Outgoing::whole(bytes.clone()),
        Sending::Once(body) => body.take().ok_or(Failed::ForGood(StatusCode::BAD_GATEWAY))?,
    };
    let progress = match &body {
        Outgoing::Passing(body) => body.progress(),
        Outgoing::Whole(_) => Progress::default(),
    };
    let mut request = Request::new(body);
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = origin_form(&parts.uri);
    *request.headers_mut() = parts.headers.clone();
    *request.version_mut() = Version::HTTP_11;
    Ok((request, progress))
}

/// The path and query alone.
fn origin_form(uri: &Uri) -> Uri {
    uri.path_and_query().map_or_else(|| Uri::from_static("/"), |path| Uri::from(path.clone()))
}

impl From<Passing> for Outgoing {
    fn from(body: Passing) -> Self {
        Self::Passing(body)
    }
}
