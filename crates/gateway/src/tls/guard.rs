//! What a route with TLS does with requests that come without, and tells browsers with those that come with it.

use hyper::header::{HeaderValue, LOCATION, STRICT_TRANSPORT_SECURITY};
use hyper::{HeaderMap, Request};

use super::Via;
use crate::headers::forwarded::was_secure;
use crate::policy::Origin;
use crate::table::LiveRoute;
use crate::worker::Gateway;

/// The port of HTTPS, which an address leaves out.
const HTTPS: u16 = 443;
/// Where issuers of certificates look, who come without TLS (RFC 8555, section 8.3).
pub(crate) const CHALLENGES: &str = "/.well-known/acme-challenge/";

/// Where a request has to be sent to come with TLS: nothing where it did, be it only up to
/// a trusted proxy, where its route does not ask for it, where an issuer asks, and as long as there is no certificate that it could be led to.
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
