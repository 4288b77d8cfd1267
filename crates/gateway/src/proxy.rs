//! The life of a request, top to bottom.

mod body;
mod expect;
mod host;
mod send;
mod upgrade;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_LENGTH, EXPECT, RETRY_AFTER, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Version};
use tokio::time::timeout;

use crate::backend::Backend;
use crate::framing::Framing;
use crate::headers::{self, Identity};
use crate::outgoing::Passing;
use crate::table::LiveRoute;
use crate::tls::{Via, guard};
use crate::worker::Gateway;

use body::Story;
use host::Host;
use send::{Sending, Sent, Wanted};
use upgrade::{Offer, Speakers};

pub(crate) use body::Answer;
pub(crate) use upgrade::Switch;

/// A body so long is kept so that it can be sent again; a longer one is sent once.
const MOST_KEPT_BODY: usize = 64 << 10;
/// How long a client may take to send such a body.
const KEPT_BODY: Duration = Duration::from_secs(60);

/// Answers a request. Never fails: what goes wrong is an answer too.
pub(crate) async fn answer(
    mut request: Request<Incoming>,
    client: SocketAddr,
    listen: SocketAddr,
    gateway: Arc<Gateway>,
    framing: Arc<Framing>,
    switch: Switch,
    via: Via,
) -> Response<Answer> {
    let identity = Identity::of(request.headers());
    let mut story = Story::new(&request, client, &identity, gateway.clone());
    let length_given = framing.head_read(!request.body().is_end_stream());
    let host = match host::of(&request) {
        Some(host) if !(length_given && request.headers().contains_key(TRANSFER_ENCODING)) => host,
        _ => return plain(StatusCode::BAD_REQUEST, &identity, story),
    };
    if via == Via::Plain
        && let Some(proof) = gateway.certificates.challenges.found(&host.bare, request.uri().path())
    {
        return said(StatusCode::OK, proof, story);
    }
    let table = gateway.table.load_full();
    let Some(route) = table.find(listen, &host.bare, request.uri().path()).cloned() else {
        return plain(StatusCode::NOT_FOUND, &identity, story);
    };
    drop(table);
    story.route(&route);
    if let Some(elsewhere) = guard::elsewhere(&request, &host.bare, &route, via, &gateway) {
        return told(StatusCode::PERMANENT_REDIRECT, elsewhere, story);
    }
    if !is_supported(&request) {
        return plain(StatusCode::NOT_IMPLEMENTED, &identity, story);
    }
    let offer = Offer::of(&mut request);
    let (mut parts, body) = request.into_parts();
    let Host { mut sent, bare } = host;
    if sent.is_empty() {
        sent = listen.to_string();
    }
    headers::join_cookies(&mut parts.headers);
    headers::forward(&mut parts.headers, client.ip(), via.scheme(), &sent, &identity);
    if let Some(offer) = &offer {
        offer.offer(&mut parts.headers);
    }
    let sending = match keep(&mut parts, Passing::new(body, framing)).await {
        Ok(sending) => sending,
        Err(status) => return plain(status, &identity, story),
    };
    let wanted = Wanted { parts: &parts, listen, host: &bare };
    match send::send(&wanted, sending, route.clone(), &gateway, &mut story).await {
        Ok((answer, in_flight, _)) if answer.status() == StatusCode::SWITCHING_PROTOCOLS => {
            let speakers = Speakers { from: client, route: &route, identity: &identity, gateway: &gateway };
            // Nothing, where nothing was offered to switch to.
            match offer.and_then(|offer| offer.agree(answer, in_flight, &speakers, &switch)) {
                Some((mut headers, backend)) => {
                    stick(&parts.headers, &route, &backend, &mut headers, &gateway);
                    told(StatusCode::SWITCHING_PROTOCOLS, headers, story)
                }
                None => plain(StatusCode::BAD_GATEWAY, &identity, story),
            }
        }
        Ok(sent) => back(sent, &parts.headers, &route, via, &identity, story, &gateway),
        Err(status) => plain(status, &identity, story),
    }
}

/// A backend's answer on its way to the client.
fn back(
    (answer, in_flight, connection): Sent,
    asked: &HeaderMap,
    route: &LiveRoute,
    via: Via,
    identity: &Identity,
    mut story: Story,
    gateway: &Gateway,
) -> Response<Answer> {
    let (mut head, body) = answer.into_parts();
    // Whatever the backend speaks.
    head.version = Version::HTTP_11;
    headers::back(&mut head.headers, identity);
    stick(asked, route, &in_flight.backend, &mut head.headers, gateway);
    guard::strict(&mut head.headers, route, via);
    story.status(head.status);
    Response::from_parts(head, Either::Right(body::Passing::new(body, in_flight, connection, story)))
}

/// Has the client keep to a backend, where its route wishes it.
fn stick(asked: &HeaderMap, route: &LiveRoute, backend: &Backend, answer: &mut HeaderMap, gateway: &Gateway) {
    if route.route.sticky {
        gateway.sessions.keep(asked, route, backend, answer);
    }
}

/// Whether it is a request that can be sent on.
fn is_supported(request: &Request<Incoming>) -> bool {
    request.method() != Method::CONNECT
        && !says(request.headers(), &TRANSFER_ENCODING, |value| !value.eq_ignore_ascii_case("chunked"))
}

fn says(headers: &HeaderMap, name: &hyper::header::HeaderName, what: impl Fn(&str) -> bool) -> bool {
    let values = headers.get_all(name).iter();
    values.flat_map(|value| value.to_str().unwrap_or("?").split(',')).any(|value| what(value.trim()))
}

/// Keeps a short body of a request that may be repeated, so that it can be sent again.
async fn keep(parts: &mut Parts, body: Passing) -> Result<Sending, StatusCode> {
    let repeatable = matches!(
        parts.method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE | Method::TRACE
    );
    if body.is_end_stream() {
        return Ok(if repeatable { Sending::Again(Bytes::new()) } else { Sending::Once(Some(body.into())) });
    }
    let short = body.size_hint().upper().is_some_and(|length| length <= MOST_KEPT_BODY as u64);
    if !repeatable || !short || parts.headers.contains_key(EXPECT) {
        return Ok(Sending::Once(Some(body.into())));
    }
    match timeout(KEPT_BODY, body.collect(MOST_KEPT_BODY)).await {
        Ok(Ok(whole)) => {
            parts.headers.insert(CONTENT_LENGTH, whole.len().into());
            Ok(Sending::Again(whole))
        }
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// An answer of the gateway's own.
fn plain(status: StatusCode, identity: &Identity, story: Story) -> Response<Answer> {
    let mut own = HeaderMap::new();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        own.insert(RETRY_AFTER, 1.into());
    }
    headers::back(&mut own, identity);
    told(status, own, story)
}

/// An answer to an issuer that looks whether a host is ours.
fn said(status: StatusCode, text: String, mut story: Story) -> Response<Answer> {
    let mut answer = Response::new(Either::Left(Full::from(text)));
    *answer.status_mut() = status;
    story.status(status);
    story.tell();
    answer
}

/// An answer without a body.
fn told(status: StatusCode, headers: HeaderMap, mut story: Story) -> Response<Answer> {
    let mut answer = Response::new(Either::Left(Full::default()));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    story.status(status);
    story.tell();
    answer
}
