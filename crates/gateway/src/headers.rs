//! Headers on their way: hop-by-hop ones go, forwarding ones and identities come.

pub(crate) mod forwarded;
mod random;

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::{
    CONNECTION, COOKIE, HOST, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SERVER, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};

use crate::policy::Origin;
use crate::spans::Context;

/// Hop-by-hop headers (RFC 9110, section 7.6.1), and those that were never standard.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACE_STATE: HeaderName = HeaderName::from_static("tracestate");
/// The longest request id that is passed on.
const LONGEST_ID: usize = 128;
const TRACEPARENT_LENGTH: usize = 55;
/// Whoever began a trace wishes it to be told; and the flags that are gone on with (W3C Trace Context, section 3.2.2.5).
const SAMPLED: u8 = 1;
const KNOWN: u8 = 3;

/// What a request is known by. Copies share one text.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    request: HeaderValue,
    traceparent: HeaderValue,
    /// Whether the trace began elsewhere.
    continued: bool,
}

impl Identity {
    /// Takes over what the client sent where it is valid, and makes the rest.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let sent = |name: &HeaderName, is_valid: fn(&str) -> bool| {
            headers.get(name).filter(|value| value.to_str().is_ok_and(is_valid)).cloned()
        };
        let request = sent(&REQUEST_ID, is_id);
        let traceparent = sent(&TRACE_PARENT, is_traceparent);
        Self {
            continued: traceparent.is_some(),
            request: request.unwrap_or_else(random::request_id),
            traceparent: traceparent.unwrap_or_else(random::trace_parent),
        }
    }

    /// Begins a span of our own, which backends are told as what theirs are part of, where its trace is told: as whoever
    /// began it wishes, and of those that begin here so many of a hundred.
    pub(crate) fn begin_span(&mut self, sample_percent: u32) -> Option<Context> {
        let sent = self.traceparent.to_str().ok()?;
        let (trace, span) = (sent.get(3..35)?.to_owned(), sent.get(36..52)?.to_owned());
        let flags = u8::from_str_radix(sent.get(53..55)?, 16).ok()?;
        if self.continued {
            if flags & SAMPLED == 0 {
                return None;
            }
            let context = Context { trace, parent: Some(span), own: random::span(), flags: flags & KNOWN };
            self.traceparent = trace_parent(&context, &context.own)?;
            return Some(context);
        }
        let drawn = u32::from_str_radix(trace.get(24..)?, 16).ok()?;
        let is_told = drawn % 100 < sample_percent;
        let context = Context { trace, parent: None, own: span, flags: u8::from(is_told) };
        if !is_told {
            self.traceparent = trace_parent(&context, &context.own)?;
        }
        is_told.then_some(context)
    }

    /// The request id.
    pub(crate) fn request(&self) -> &str {
        self.request.to_str().unwrap_or_default()
    }

    /// The trace id.
    pub(crate) fn trace(&self) -> &str {
        self.traceparent.to_str().ok().and_then(|parent| parent.get(3..35)).unwrap_or_default()
    }
}

/// The `traceparent` of what is part of a span.
fn trace_parent(context: &Context, span: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("00-{}-{span}-{:02x}", context.trace, context.flags)).ok()
}

/// Makes what a backend is told of its request part of a try at it.
pub(crate) fn tell_try(headers: &mut HeaderMap, context: &Context, own: &str) {
    if let Some(parent) = trace_parent(context, own) {
        headers.insert(TRACE_PARENT, parent);
    }
}

/// An identity for a span.
pub(crate) fn span() -> String {
    random::span()
}

/// Removes hop-by-hop headers, those that `Connection` names among them.
pub(crate) fn strip(headers: &mut HeaderMap) {
    let mut found = headers.keys().filter(|name| HOP_BY_HOP.contains(name));
    let (first, more) = (found.next().cloned(), found.next().is_some());
    match first {
        None => return,
        // As most say it, and nothing else.
        Some(name) if name == CONNECTION && !more && is_common(headers) => {
            headers.remove(CONNECTION);
            return;
        }
        Some(_) => {}
    }
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Whether `Connection` says once what it mostly says, and names no header by it.
fn is_common(headers: &HeaderMap) -> bool {
    let mut said = headers.get_all(CONNECTION).iter().map(HeaderValue::as_bytes);
    let common = said
        .next()
        .is_some_and(|said| said.eq_ignore_ascii_case(b"keep-alive") || said.eq_ignore_ascii_case(b"close"));
    common && said.next().is_none()
}

/// Makes a request's headers fit to be sent on; `scheme` is what it came with, `host` is as the client wrote it.
pub(crate) fn forward(
    headers: &mut HeaderMap,
    peer: IpAddr,
    origin: Origin,
    scheme: &str,
    host: &HeaderValue,
    identity: &Identity,
) {
    strip(headers);
    remove_look_alikes(headers);
    forwarded::write(headers, peer, origin, scheme, host);
    if !identity.continued {
        // The state of a trace that is not gone on with (W3C Trace Context, section 3.3).
        headers.remove(TRACE_STATE);
    }
    headers.insert(HOST, host.clone());
    headers.insert(REQUEST_ID, identity.request.clone());
    headers.insert(TRACE_PARENT, identity.traceparent.clone());
}

/// Headers that tell a backend who asks and how; they come from here alone.
const OURS: [&str; 10] = [
    "host",
    "content-length",
    "transfer-encoding",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-client-cert",
    "x-real-ip",
    "x-request-id",
];

/// Removes headers that a backend may take for ours: CGI and what came of it tell `_` from `-` no longer.
fn remove_look_alikes(headers: &mut HeaderMap) {
    let is_alike = |name: &&HeaderName| {
        name.as_str().contains('_') && OURS.contains(&name.as_str().replace('_', "-").as_str())
    };
    let alike: Vec<HeaderName> = headers.keys().filter(is_alike).cloned().collect();
    for name in alike {
        headers.remove(name);
    }
}

/// Puts a cookie together that came in crumbs, as it may with HTTP/2 and must not without (RFC 9113, section 8.2.3).
pub(crate) fn join_cookies(headers: &mut HeaderMap) {
    let mut crumbs = headers.get_all(COOKIE).iter();
    if crumbs.by_ref().nth(1).is_none() {
        return;
    }
    let crumbs: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(whole) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        headers.insert(COOKIE, whole);
    }
}

/// Makes an answer's headers fit to be sent back.
pub(crate) fn back(headers: &mut HeaderMap, identity: &Identity) {
    strip(headers);
    headers.remove(SERVER);
    headers.insert(REQUEST_ID, identity.request.clone());
}

fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= LONGEST_ID
        && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/+=".contains(c))
}

fn is_traceparent(parent: &str) -> bool {
    let parts: Vec<&str> = parent.split('-').collect();
    let hex = |text: &str, length: usize| {
        text.len() == length && text.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase())
    };
    parent.len() == TRACEPARENT_LENGTH
        && matches!(parts.as_slice(), [version, trace, span, flags]
            if hex(version, 2) && *version != "ff" && hex(trace, 32) && hex(span, 16) && hex(flags, 2)
                && trace.chars().any(|c| c != '0') && span.chars().any(|c| c != '0'))
}
