//! What a backend is told of where a request came from: what clients say of it themselves counts nothing, what trusted
//! proxies say is gone on with.

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

use crate::policy::Origin;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
const REAL: HeaderName = HeaderName::from_static("x-real-ip");
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
    let plain = peer.to_string();
    let node = if peer.is_ipv6() { format!("\"[{plain}]\"") } else { plain.clone() };
    let proto = said(headers).unwrap_or(scheme).to_owned();
    let quoted: String =
        host.to_str().unwrap_or_default().chars().filter(|c| !matches!(c, '"' | '\\')).collect();
    append(headers, &FOR, &plain);
    append(headers, &FORWARDED, &format!("for={node};host=\"{quoted}\";proto={proto}"));
    if !headers.contains_key(&HOST) {
        headers.insert(&HOST, host.clone());
    }
    set(headers, &PROTO, &proto);
    set(headers, &REAL, &origin.client.to_string());
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
fn append(headers: &mut HeaderMap, name: &HeaderName, value: &str) {
    let before = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let list = before.chain([value]).collect::<Vec<_>>().join(", ");
    set(headers, name, &list);
}

fn set(headers: &mut HeaderMap, name: &HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
