//! Tells browsers which other sites may ask, and answers when they ask about that first (the Fetch standard, CORS).

use hyper::Method;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};

use crate::route::Cors;

/// What a preflight's answer depends on.
const ASKED: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Method, Access-Control-Request-Headers");

/// The answer's headers where a browser asks whether it may ask.
pub(super) fn preflight(cors: &Cors, method: &Method, asked: &HeaderMap) -> Option<HeaderMap> {
    let origin = asked.get(ORIGIN)?;
    if method != Method::OPTIONS || !asked.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return None;
    }
    let mut headers = HeaderMap::from_iter([(VARY, ASKED)]);
    if !is_allowed(cors, origin) {
        return Some(headers);
    }
    let mut say = |name, value: Option<HeaderValue>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            headers.insert(name, value);
        }
    };
    let named = joined(&cors.headers).filter(|named| !named.is_empty());
    say(ACCESS_CONTROL_ALLOW_METHODS, joined(&cors.methods));
    say(ACCESS_CONTROL_ALLOW_HEADERS, named.or_else(|| asked.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned()));
    say(ACCESS_CONTROL_MAX_AGE, Some(cors.max_age_seconds.into()));
    Some(headers)
}

/// Says in an answer who may read it; what the backend says of it goes.
pub(super) fn dress(cors: &Cors, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
    for name in [ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_EXPOSE_HEADERS]
    {
        headers.remove(name);
    }
    let any = cors.origins.iter().any(|origin| origin == "*");
    if !any {
        super::vary(headers, "origin");
    }
    let Some(origin) = origin.filter(|origin| is_allowed(cors, origin)) else { return };
    let told = if any { HeaderValue::from_static("*") } else { origin.clone() };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, told);
    if cors.credentials {
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    if let Some(expose) = joined(&cors.expose).filter(|expose| !expose.is_empty()) {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, expose);
    }
}

/// Whether it is one of them, byte by byte.
fn is_allowed(cors: &Cors, origin: &HeaderValue) -> bool {
    cors.origins.iter().any(|own| own == "*" || own.as_bytes() == origin.as_bytes())
}

fn joined(texts: &[String]) -> Option<HeaderValue> {
    HeaderValue::from_str(&texts.join(", ")).ok()
}
