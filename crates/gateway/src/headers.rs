//! Headers on their way: hop-by-hop ones go, forwarding ones and identities come.

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::{CONNECTION, COOKIE, HeaderName, HeaderValue, SERVER};

/// Hop-by-hop headers (RFC 9110, section 7.6.1), and those that were never standard.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// The longest request id that is passed on.
const LONGEST_ID: usize = 128;
const TRACEPARENT_LENGTH: usize = 55;

/// What a request is known by.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) request: String,
    pub(crate) traceparent: String,
}

impl Identity {
    /// Takes over what the client sent where it is valid, and makes the rest.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        Self {
            request: text("x-request-id").filter(|id| is_id(id)).map_or_else(|| random(16), str::to_owned),
            traceparent: text("traceparent")
                .filter(|parent| is_traceparent(parent))
                .map_or_else(|| format!("00-{}-{}-01", random(16), random(8)), str::to_owned),
        }
    }

    /// The trace id.
    pub(crate) fn trace(&self) -> &str {
        self.traceparent.get(3..35).unwrap_or_default()
    }
}

/// Removes hop-by-hop headers, those that `Connection` names among them.
pub(crate) fn strip(headers: &mut HeaderMap) {
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

/// Makes a request's headers fit to be sent on; `host` is as the client wrote it.
pub(crate) fn forward(
    headers: &mut HeaderMap,
    client: IpAddr,
    scheme: &str,
    host: &str,
    identity: &Identity,
) {
    strip(headers);
    let before = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let chain = before.map(str::to_owned).chain([client.to_string()]).collect::<Vec<_>>().join(", ");
    if headers.get("traceparent").is_none_or(|value| value.as_bytes() != identity.traceparent.as_bytes()) {
        // The state of a trace that is not gone on with (W3C Trace Context, section 3.3).
        headers.remove("tracestate");
    }
    for (name, value) in [
        ("host", host),
        ("x-forwarded-for", chain.as_str()),
        ("x-forwarded-proto", scheme),
        ("x-forwarded-host", host),
        ("x-request-id", &identity.request),
        ("traceparent", &identity.traceparent),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
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
    if let Ok(id) = HeaderValue::from_str(&identity.request) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
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

/// Random bytes as hexadecimal digits.
fn random(bytes: usize) -> String {
    let mut drawn = [0u8; 16];
    let drawn = &mut drawn[..bytes.min(16)];
    if getrandom::fill(drawn).is_err() {
        return "0".repeat(bytes * 2);
    }
    drawn.iter().map(|byte| format!("{byte:02x}")).collect()
}
