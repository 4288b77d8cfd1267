//! What a backend is told of where a request came from: what clients say of it themselves counts nothing, what trusted
//! proxies say is gone on with.

use std::fmt::Write;
use std::net::IpAddr;

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

use crate::policy::Origin;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
const REAL: HeaderName = HeaderName::from_static("x-real-ip");
/// Room for what is said of a hop by most, and for most addresses: more is made where it is needed.
const HOP: usize = 96;
const ADDRESS: usize = 16;
/// Said by some proxies, and not by us, except for the last one where clients have certificates.
const FOREIGN: [&str; 5] = [
    "x-forwarded-port",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-forwarded-prefix",
    "x-forwarded-client-cert",
];

/// Writes them; `scheme` is what the request came with, unless a trusted proxy says what it came with before, and `host` is
/// as the client wrote it.
pub(super) fn write(headers: &mut HeaderMap, peer: IpAddr, origin: Origin, scheme: &str, host: &HeaderValue) {
    if !origin.trusted {
        for name in [&FOR, &PROTO, &HOST, &FORWARDED] {
            headers.remove(name);
        }
        for name in FOREIGN {
            headers.remove(name);
        }
    }
    let peer = peer.to_canonical();
    let plain = text(&peer);
    let proto = match said(headers) {
        Some("https") => "https",
        Some(_) => "http",
        None => scheme,
    };
    let (open, close) = if peer.is_ipv6() { ("\"[", "]\"") } else { ("", "") };
    let mut hop = String::with_capacity(HOP);
    let asked = host.to_str().unwrap_or_default();
    let _ = write!(hop, "for={open}{peer}{close};host=\"");
    hop.extend(asked.chars().filter(|c| !matches!(c, '"' | '\\')));
    let _ = write!(hop, "\";proto={proto}");
    append(headers, &FORWARDED, value(hop));
    let real = if origin.client == peer { plain.clone() } else { text(&origin.client) };
    append(headers, &FOR, plain);
    if !headers.contains_key(&HOST) {
        headers.insert(&HOST, host.clone());
    }
    let proto = if proto == "https" { "https" } else { "http" };
    headers.insert(&PROTO, HeaderValue::from_static(proto));
    insert(headers, &REAL, real);
}

fn text(address: &IpAddr) -> Option<HeaderValue> {
    let mut text = String::with_capacity(ADDRESS);
    let _ = write!(text, "{address}");
    value(text)
}

/// A text as a value, without a copy of it.
fn value(text: String) -> Option<HeaderValue> {
    HeaderValue::from_maybe_shared(Bytes::from(text)).ok()
}

/// Whether a trusted proxy says that its client came with TLS.
pub(crate) fn was_secure(headers: &HeaderMap, origin: Origin) -> bool {
    origin.trusted && said(headers) == Some("https")
}

/// The scheme that is said, where it is one of the web.
fn said(headers: &HeaderMap) -> Option<&str> {
    let said = headers.get(&PROTO).and_then(|said| said.to_str().ok());
    said.filter(|said| ["http", "https"].contains(said))
}

/// Adds to a list, as one header.
fn append(headers: &mut HeaderMap, name: &HeaderName, said: Option<HeaderValue>) {
    let Some(last) = &said else { return };
    if !headers.contains_key(name) {
        return insert(headers, name, said);
    }
    let before = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let list = before.chain(last.to_str().ok()).collect::<Vec<_>>().join(", ");
    insert(headers, name, value(list));
}

fn insert(headers: &mut HeaderMap, name: &HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value {
        headers.insert(name, value);
    }
}
