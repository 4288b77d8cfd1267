//! What a route with TLS does with requests that come without, or without the certificate of a client, and tells browsers
//! with those that come with it.

use std::sync::Arc;

use hyper::header::{HeaderName, HeaderValue, LOCATION, STRICT_TRANSPORT_SECURITY};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, StatusCode};

use super::Via;
use super::clients::Shown;
use crate::headers::forwarded::was_secure;
use crate::policy::Origin;
use crate::table::LiveRoute;
use crate::worker::Gateway;

/// The port of HTTPS, which an address leaves out.
const HTTPS: u16 = 443;
/// Where issuers of certificates look, who come without TLS (RFC 8555, section 8.3).
pub(crate) const CHALLENGES: &str = "/.well-known/acme-challenge/";

/// What backends are told of a client's certificate by.
const CERTIFICATE: HeaderName = HeaderName::from_static("x-forwarded-client-cert");

/// Has a request know what its client showed in the handshake.
pub(crate) fn introduce<B>(request: &mut Request<B>, shown: Option<&Arc<Shown>>) {
    if let Some(shown) = shown {
        request.extensions_mut().insert(shown.clone());
    }
}

/// Why a request is not let in where clients have certificates, and the word for it in the access log. A connection that
/// was shaken for another host was held against something else, or nothing: its client is to come over one of its own.
pub(crate) fn stranger<B>(
    request: &Request<B>,
    route: &LiveRoute,
    via: Via,
) -> Option<(StatusCode, &'static str)> {
    let asked = route.route.tls.as_ref()?.clients.as_ref()?;
    let shown = request.extensions().get::<Arc<Shown>>();
    if via != Via::Plain && shown.is_none_or(|shown| *shown.ca != *asked.ca) {
        return Some((StatusCode::MISDIRECTED_REQUEST, "other-host"));
    }
    let is_known = shown.is_some_and(|shown| shown.certificate.is_some());
    (asked.required && !is_known).then_some((StatusCode::FORBIDDEN, "client-certificate"))
}

/// Tells a backend what the client showed, and nothing that the client says of that itself.
pub(crate) fn tell_certificate(parts: &mut Parts, route: &LiveRoute) {
    if route.route.tls.as_ref().is_none_or(|tls| tls.clients.is_none()) {
        return;
    }
    parts.headers.remove(CERTIFICATE);
    let shown = parts.extensions.get::<Arc<Shown>>();
    if let Some(certificate) = shown.and_then(|shown| shown.certificate.clone()) {
        parts.headers.insert(CERTIFICATE, certificate);
    }
}

/// Where a request has to be sent to come with TLS: nothing where it did, be it only up to
/// a trusted proxy, where its route does not ask for it, where an issuer asks, and as long as there is no certificate
/// that it could be led to.
pub(crate) fn elsewhere<B>(
    request: &Request<B>,
    host: &str,
    route: &LiveRoute,
    (via, origin): (Via, Origin),
    gateway: &Gateway,
) -> Option<HeaderMap> {
    let tls = route.route.tls.as_ref().filter(|tls| tls.redirect && via == Via::Plain)?;
    if was_secure(request.headers(), origin)
        || host.is_empty()
        || request.uri().path().starts_with(CHALLENGES)
    {
        return None;
    }
    if !gateway.certificates.is_ready(route.route.listen, route.route.host.as_ref()) {
        return None;
    }
    let port = if tls.port == HTTPS { String::new() } else { format!(":{}", tls.port) };
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let location = HeaderValue::from_str(&format!("https://{host}{port}{target}")).ok()?;
    Some(HeaderMap::from_iter([(LOCATION, location)]))
}

/// Has browsers come with TLS only, where the route wishes it and the backend says nothing of it itself.
pub(crate) fn strict(answer: &mut HeaderMap, route: &LiveRoute, via: Via) {
    let seconds = route.route.tls.as_ref().and_then(|tls| tls.hsts_seconds);
    if let Some(seconds) =
        seconds.filter(|_| via == Via::Tls && !answer.contains_key(STRICT_TRANSPORT_SECURITY))
        && let Ok(value) = HeaderValue::from_str(&format!("max-age={seconds}"))
    {
        answer.insert(STRICT_TRANSPORT_SECURITY, value);
    }
}
