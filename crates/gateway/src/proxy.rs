//! The life of a request, top to bottom.

mod body;
mod expect;
mod frames;
mod host;
mod mirror;
mod own;
mod send;
mod target;
mod upgrade;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HeaderValue, RETRY_AFTER, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Version};
use tokio::time::timeout;

use crate::backend::Backend;
use crate::framing::{Fault, Framing};
use crate::headers::{self, Identity};
use crate::outgoing::Passing;
use crate::policy::Origin;
use crate::table::LiveRoute;
use crate::tls::{Via, guard};
use crate::worker::Gateway;

use host::Host;
use send::{Sending, Sent, Wanted};
use upgrade::{Offer, Speakers};

pub(crate) use body::{Answer, Story};
pub(crate) use upgrade::Switch;

/// A body so long is kept so that it can be sent again; a longer one is sent once.
const MOST_KEPT_BODY: usize = 64 << 10;
/// How long a client may take to send such a body.
const KEPT_BODY: Duration = Duration::from_secs(60);

/// Answers a request. Never fails: what goes wrong is an answer too.
pub(crate) async fn answer(
    request: Request<Incoming>,
    client: SocketAddr,
    listen: SocketAddr,
    gateway: Arc<Gateway>,
    framing: Arc<Framing>,
    switch: Switch,
    via: Via,
) -> Response<Answer> {
    let mut identity = Identity::of(request.headers());
    let mut story = Story::new(&request, client, &identity, gateway.clone());
    let place = match Place::of(&request, &framing) {
        Ok(place) => place,
        Err(status) => return failed(status, &framing, &identity, story),
    };
    if via == Via::Plain
        && let Some(proof) = gateway.certificates.challenges.found(&place.host.bare, &place.path)
    {
        return said(StatusCode::OK, proof, story);
    }
    let found = gateway.table.load().find(listen, &place.host.bare, &place.path).cloned();
    let Some(route) = found else {
        return plain(StatusCode::NOT_FOUND, &identity, story);
    };
    story.route(&route);
    story.begin_span(&mut identity, &request, (&place.host.bare, listen, via));
    let origin = route.policy.origin(client.ip(), request.headers());
    story.client(origin.client);
    if let Some(elsewhere) = guard::elsewhere(&request, &place.host.bare, &route, (via, origin), &gateway) {
        // It counts for nothing that is limited, as the same request comes again.
        let mut answer =
            instead(StatusCode::PERMANENT_REDIRECT, elsewhere, &request, &framing, &identity, story);
        route.policy.dress(answer.headers_mut(), &None);
        return answer;
    }
    if let Some((status, why)) = guard::stranger(&request, &route, via) {
        return turned_away((status, why), &request, &framing, &identity, story);
    }
    let asker = route.site.origin(request.headers());
    let shows = route.site.shows(request.headers());
    let wish = route.site.wish(request.method(), request.headers());
    // Who is told that the project is being worked on is counted by no limit.
    let (refusal, told) = match gateway.closed.get(&route.project) {
        Some(closed) if !closed.lets_in(origin.client) => (None, None),
        _ => route.policy.admit(origin, request.headers(), request.body().size_hint().exact()),
    };
    let mut answer = match refusal {
        Some(status) => refused(status, &request, &framing, &identity, story),
        None => {
            let asking = Asking { client, listen, via, place, origin, identity, framing, switch };
            own::serve(request, asking, &route, &gateway, story).await
        }
    };
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        if shows {
            own::show(&mut answer, &route);
        }
        if let Some(wish) = wish {
            answer = own::pack(answer, &route, wish);
        }
        route.site.dress(asker.as_ref(), answer.headers_mut());
        route.policy.dress(answer.headers_mut(), &told);
    }
    answer
}

/// What is asked, of whom.
struct Place {
    host: Host,
    path: String,
}

impl Place {
    /// Where a request goes, where it can be sent on.
    fn of(request: &Request<Incoming>, framing: &Framing) -> Result<Self, StatusCode> {
        framing.begin();
        if let Some(fault) = framing.fault().or_else(|| frames::fault(request)) {
            framing.refuse(fault);
            return Err(fault.status());
        }
        let host = host::of(request).ok_or(StatusCode::BAD_REQUEST)?;
        if !is_supported(request) {
            return Err(StatusCode::NOT_IMPLEMENTED);
        }
        let path = target::matched(request.method(), request.uri()).ok_or(StatusCode::BAD_REQUEST)?;
        Ok(Self { host, path: path.into_owned() })
    }
}

/// The answer to a request that goes no further, without a body.
fn instead(
    status: StatusCode,
    mut headers: HeaderMap,
    request: &Request<Incoming>,
    framing: &Framing,
    identity: &Identity,
    story: Story,
) -> Response<Answer> {
    headers::back(&mut headers, identity);
    let mut answer = told(status, headers, story);
    leave_unread(&mut answer, request, framing);
    answer
}

/// The answer to a request that its route does not let in.
fn refused(
    status: StatusCode,
    request: &Request<Incoming>,
    framing: &Framing,
    identity: &Identity,
    mut story: Story,
) -> Response<Answer> {
    story.refused(match status {
        StatusCode::PAYLOAD_TOO_LARGE => Fault::BodyTooLarge.word(),
        StatusCode::TOO_MANY_REQUESTS => "rate-limit",
        _ => "address",
    });
    let mut answer = plain(status, identity, story);
    leave_unread(&mut answer, request, framing);
    answer
}

/// The answer to a client that is not known by its certificate.
fn turned_away(
    (status, why): (StatusCode, &'static str),
    request: &Request<Incoming>,
    framing: &Framing,
    identity: &Identity,
    mut story: Story,
) -> Response<Answer> {
    story.refused(why);
    let mut answer = plain(status, identity, story);
    leave_unread(&mut answer, request, framing);
    answer
}

/// Ends the connection with an answer that comes before the body of its request.
fn leave_unread(answer: &mut Response<Answer>, request: &Request<Incoming>, framing: &Framing) {
    if !request.body().is_end_stream() {
        framing.linger();
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

/// Who asks, and over what.
struct Asking {
    client: SocketAddr,
    listen: SocketAddr,
    via: Via,
    place: Place,
    origin: Origin,
    identity: Identity,
    framing: Arc<Framing>,
    switch: Switch,
}

/// Passes a request to a backend of its route, and the answer back.
async fn pass(
    mut request: Request<Incoming>,
    asking: Asking,
    route: &Arc<LiveRoute>,
    gateway: &Arc<Gateway>,
    mut story: Story,
) -> Response<Answer> {
    let Asking { client, listen, via, place: Place { host, path }, origin, identity, framing, switch } =
        asking;
    let offer = Offer::of(&mut request);
    let (mut parts, body) = request.into_parts();
    let Host { mut sent, bare } = host;
    if sent.is_empty()
        && let Ok(own) = HeaderValue::from_str(&listen.to_string())
    {
        sent = own;
    }
    headers::join_cookies(&mut parts.headers);
    headers::forward(&mut parts.headers, client.ip(), origin, via.scheme(), &sent, &identity);
    guard::tell_certificate(&mut parts, route);
    route.site.rewrite(&mut parts, &path);
    route.policy.dress_request(&mut parts.headers);
    if let Some(offer) = &offer {
        offer.offer(&mut parts.headers);
    }
    let sending = match keep(&mut parts, Passing::new(body, framing.clone(), route.policy.body())).await {
        Ok(sending) => sending,
        Err(status) => return failed(status, &framing, &identity, story),
    };
    if offer.is_none() && matches!(&sending, Sending::Again(whole) if whole.is_empty()) {
        mirror::copy(&parts, route, client.ip(), gateway);
    }
    let wanted = Wanted { parts: &parts, client, listen, host: &bare, path: &path };
    match send::send(&wanted, sending, route.clone(), gateway, &mut story).await {
        Ok((answer, in_flight, _)) if answer.status() == StatusCode::SWITCHING_PROTOCOLS => {
            let speakers = Speakers { from: client, route, identity: &identity, gateway };
            // Nothing, where nothing was offered to switch to.
            match offer.and_then(|offer| offer.agree(answer, in_flight, &speakers, &switch)) {
                Some((mut headers, backend)) => {
                    stick(&parts.headers, route, &backend, &mut headers, gateway);
                    told(StatusCode::SWITCHING_PROTOCOLS, headers, story)
                }
                None => plain(StatusCode::BAD_GATEWAY, &identity, story),
            }
        }
        Ok(sent) => back(sent, &parts.headers, route, via, &identity, story, gateway),
        Err(status) => failed(status, &framing, &identity, story),
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
    // What the backend speaks is its own hop's matter (RFC 9110, section 2.5).
    head.version = Version::HTTP_11;
    headers::back(&mut head.headers, identity);
    stick(asked, route, &in_flight.backend, &mut head.headers, gateway);
    guard::strict(&mut head.headers, route, via);
    story.status(head.status);
    Response::from_parts(head, Answer::Passing(body::Passing::new(body, in_flight, connection, story)))
}

/// The answer where a request could not be sent: where its client is at fault, it is told so.
fn failed(status: StatusCode, framing: &Framing, identity: &Identity, mut story: Story) -> Response<Answer> {
    let fault = framing.fault();
    fault.into_iter().for_each(|fault| story.refused(fault.word()));
    plain(fault.map_or(status, Fault::status), identity, story)
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
    if matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_IMPLEMENTED) {
        // What follows may not be what it seems.
        own.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    told(status, own, story)
}

/// An answer to an issuer that looks whether a host is ours.
fn said(status: StatusCode, text: String, mut story: Story) -> Response<Answer> {
    let mut answer = Response::new(Answer::Own(Full::from(text)));
    *answer.status_mut() = status;
    story.status(status);
    story.tell();
    answer
}

/// An answer without a body.
fn told(status: StatusCode, headers: HeaderMap, mut story: Story) -> Response<Answer> {
    let mut answer = Response::new(Answer::Own(Full::default()));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    story.status(status);
    story.tell();
    answer
}
