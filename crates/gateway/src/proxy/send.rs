//! Sends a request to a backend, and to another one where that is safe.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, Response, StatusCode, Uri, Version};
use tokio::time::{Instant, sleep};

use crate::backend::{Backend, InFlight};
use crate::balance::Asker;
use crate::connection::Connection;
use crate::limits;
use crate::outgoing::{Outgoing, Passing, Progress};
use crate::probe;
use crate::spans::TryEnd;
use crate::table::LiveRoute;
use crate::wait::Patience;
use crate::worker::Gateway;

use super::body::Story;
use super::expect;

/// Backends that are tried, of which all but one turned out to be unreachable: nothing was sent to those.
const MOST_ATTEMPTS: usize = 3;
/// A request that may be repeated is sent at most so often.
const MOST_SENT: usize = 2;
/// How long a backend may take to begin its answer once nothing more of the request comes.
const FIRST_BYTE: Duration = Duration::from_secs(300);
/// How long a backend may take nothing of a body that is there.
const TAKE: Duration = Duration::from_secs(60);
/// Between two looks whether either was too long.
const LOOK: Duration = Duration::from_secs(15);

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
    pub(super) client: SocketAddr,
    pub(super) listen: SocketAddr,
    pub(super) host: &'a str,
    pub(super) path: &'a str,
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
    let mut patience = Patience::new(&gateway.metrics);
    route.budget.earn(route.route.balancing.retry_percent);
    if route.is_crowded() {
        // Those who wait for a place come first.
        patience.wait(&route).await.map_err(|_| given_up(sent))?;
        patience.wait(&route).await.map_err(|_| given_up(sent))?;
    }
    loop {
        // Where all were tried, one may be tried again: a kept connection that was closed is no sick backend.
        let picked = if tried.len() < MOST_ATTEMPTS { pick(wanted, &route, &tried, gateway) } else { None };
        let Some(backend) = picked else {
            // Nobody is well, or can be reached.
            patience.wait(&route).await.map_err(|_| given_up(sent))?;
            route = look_again(wanted, gateway)?;
            tried.clear();
            continue;
        };
        let Some(in_flight) = backend.enter() else {
            // The set was swapped meanwhile. This is no attempt, nothing was sent.
            route = look_again(wanted, gateway)?;
            continue;
        };
        if !tried.is_empty() {
            story.retried();
            gateway.metrics.retried(&route.project, &route.route.name);
        }
        story.backend(&backend);
        story.begin_try(&backend, wanted.parts.uri.path());
        let attempted = attempt(wanted.parts, &mut sending, &backend, tried.is_empty(), story).await;
        story.end_try(end(&attempted));
        match attempted {
            Ok((answer, connection)) => {
                tell_health(&backend, !is_sick(answer.status()), gateway);
                story.queued(patience.rewarded());
                return Ok((answer, in_flight, connection));
            }
            Err(Failed::Unsent) => {}
            Err(Failed::Unanswered) => {
                tell_health(&backend, false, gateway);
                sent += 1;
                if sent == MOST_SENT || !route.budget.pay(route.route.balancing.retry_percent) {
                    return Err(StatusCode::BAD_GATEWAY);
                }
            }
            Err(Failed::Unreachable(error)) => tell_unreachable(&backend, &error, gateway),
            Err(Failed::Broken(status)) => {
                tell_health(&backend, false, gateway);
                return Err(status);
            }
            Err(Failed::ForGood(status)) => return Err(status),
        }
        tried.push(backend);
    }
}

/// How an attempt ended, for its span.
fn end(attempted: &Result<(Response<Incoming>, Connection), Failed>) -> TryEnd {
    TryEnd::Failed(match attempted {
        Ok((answer, _)) => return TryEnd::Answered(answer.status().as_u16()),
        Err(Failed::Unreachable(_)) => "unreachable",
        Err(Failed::Unsent) => "closed",
        Err(Failed::Unanswered) => "unanswered",
        Err(Failed::Broken(StatusCode::GATEWAY_TIMEOUT)) => "timeout",
        Err(Failed::Broken(_)) => "broken",
        Err(Failed::ForGood(_)) => "body",
    })
}

fn tell_unreachable(backend: &Backend, error: &io::Error, gateway: &Gateway) {
    // A shortage of our own says nothing about the backend.
    if !limits::is_own_shortage(error)
        && let Some(well) = backend.judge(false, &gateway.metrics)
    {
        probe::tell(&gateway.place, backend, well);
    }
}

/// Whether an answer says that the backend cannot do its work now. A 500 is about one request.
fn is_sick(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

/// Takes in how a backend answered.
fn tell_health(backend: &Backend, well: bool, gateway: &Gateway) {
    if well {
        backend.ejected.well();
    } else if let Some(time) = backend.ejected.sick(Instant::now()) {
        gateway.metrics.ejected(backend);
        probe::tell_left_out(&gateway.place, backend, time);
    }
}

/// The answer where nobody took a request in time: it may come again, unless it was sent already.
fn given_up(sent: usize) -> StatusCode {
    if sent == 0 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::BAD_GATEWAY }
}

/// The route that answers by now.
fn look_again(wanted: &Wanted<'_>, gateway: &Gateway) -> Result<Arc<LiveRoute>, StatusCode> {
    let table = gateway.table.load();
    let found = table.find(wanted.listen, wanted.host, wanted.path);
    found.cloned().ok_or(StatusCode::NOT_FOUND)
}

/// The client's own backend where it has one that is well and was not tried, else the one whose turn it is.
fn pick(
    wanted: &Wanted<'_>,
    route: &LiveRoute,
    tried: &[Arc<Backend>],
    gateway: &Gateway,
) -> Option<Arc<Backend>> {
    let own = route.route.sticky.then(|| gateway.sessions.find(&wanted.parts.headers, route)).flatten();
    let asker = Asker { client: wanted.client.ip(), headers: Some(&wanted.parts.headers) };
    own.filter(|own| own.is_open() && !tried.iter().any(|tried| Arc::ptr_eq(tried, own)))
        .or_else(|| route.choose(tried, asker))
        .or_else(|| route.choose(&[], asker))
}

/// How an attempt failed.
enum Failed {
    /// No connection: no byte was sent.
    Unreachable(io::Error),
    /// The connection was closed before a byte was sent.
    Unsent,
    /// The connection broke before a byte of the answer came, and the request may be repeated.
    Unanswered,
    /// It must not be sent again, as the backend may have carried it out.
    Broken(StatusCode),
    /// It cannot be sent again, which says nothing about the backend.
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
    story.tell_try(request.headers_mut());
    if expect::is_expected(&parts.headers) {
        story.keep_open(expect::hold(&mut request));
    }
    let mut answered = std::pin::pin!(connection.try_send_request(request));
    let answer = loop {
        tokio::select! {
            biased;
            answer = &mut answered => break answer,
            () = sleep(LOOK) => {
                // As long as the client sends, the backend need not answer. A client that left cannot always be seen while
                // nobody takes what it has sent.
                let patience = if progress.is_untaken() { TAKE } else { FIRST_BYTE };
                if progress.last().elapsed() >= patience {
                    return Err(Failed::Broken(StatusCode::GATEWAY_TIMEOUT));
                }
            }
        }
    };
    match answer {
        // One of the two is a lie, and who reads the other finds an answer elsewhere (RFC 9112, section 6.3).
        Ok(answer) if has_two_lengths(answer.headers()) => Err(Failed::Broken(StatusCode::BAD_GATEWAY)),
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
            // The client's own body broke off.
            (None, Sending::Once(_)) if error.error().is_user() => {
                Err(Failed::ForGood(StatusCode::BAD_GATEWAY))
            }
            (None, Sending::Once(_)) => Err(Failed::Broken(StatusCode::BAD_GATEWAY)),
        },
    }
}

fn has_two_lengths(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH)
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
pub(super) fn origin_form(uri: &Uri) -> Uri {
    uri.path_and_query().map_or_else(|| Uri::from_static("/"), |path| Uri::from(path.clone()))
}

impl From<Passing> for Outgoing {
    fn from(body: Passing) -> Self {
        Self::Passing(body)
    }
}
