//! Whom a request is for.

use hyper::body::Incoming;
use hyper::header::{HOST, HeaderValue};
use hyper::http::uri::Authority;
use hyper::{Request, Version};

/// The host of a request.
#[derive(Debug)]
pub(super) struct Host {
    /// As the client wrote it, with its port.
    pub(super) sent: HeaderValue,
    /// In lower case, without port and without the dot that ends a complete name.
    pub(super) bare: String,
}

/// The host a request names; none when it names none, several, or one that cannot be. A target in absolute form
/// counts more than the header (RFC 9112, section 3.2.2); over HTTP/2 it stands for it, and both have to say the same
/// (RFC 9113, section 8.3.1).
pub(super) fn of(request: &Request<Incoming>) -> Option<Host> {
    let mut named = request.headers().get_all(HOST).iter();
    let header = named.next();
    if named.next().is_some() {
        return None;
    }
    let header = match header {
        Some(value) => Some(host(value)?),
        None => None,
    };
    match request.uri().authority() {
        Some(authority) if request.version() == Version::HTTP_2 => {
            let named = host(&HeaderValue::from_str(authority.as_str()).ok()?)?;
            let same = header
                .is_none_or(|header| named.sent.as_bytes().eq_ignore_ascii_case(header.sent.as_bytes()));
            same.then_some(named)
        }
        // The header must be there all the same.
        Some(authority) if header.is_some() || request.version() == Version::HTTP_10 => {
            host(&HeaderValue::from_str(authority.as_str()).ok()?)
        }
        Some(_) => None,
        None if request.version() == Version::HTTP_10 => {
            header.or_else(|| host(&HeaderValue::from_static("")))
        }
        None => header,
    }
}

fn host(value: &HeaderValue) -> Option<Host> {
    let sent = value.to_str().ok()?;
    if sent.is_empty() || is_plain(sent) {
        let bare = sent.split(':').next().unwrap_or_default();
        return Some(Host { sent: value.clone(), bare: bare.strip_suffix('.').unwrap_or(bare).to_owned() });
    }
    let authority: Authority = sent.parse().ok()?;
    // What follows the last colon behind an address in brackets is a port, if anything is.
    let port = sent.rsplit(']').next().and_then(|rest| Some(rest.split_once(':')?.1));
    if sent.contains('@') || port.is_some_and(|port| !port.is_empty() && port.parse::<u16>().is_err()) {
        return None;
    }
    let bare = authority.host();
    let bare = bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase();
    Some(Host { sent: value.clone(), bare })
}

/// Whether it is a name in lower case or an address of IPv4, maybe with a port: what nearly all clients send, and what
/// needs no parser.
fn is_plain(sent: &str) -> bool {
    let (name, port) = sent.split_once(':').unwrap_or((sent, "0"));
    !name.is_empty()
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
        && (1..=5).contains(&port.len())
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bare(sent: &str) -> Option<String> {
        host(&HeaderValue::from_str(sent).ok()?).map(|host| host.bare)
    }

    #[test]
    fn port_case_and_last_dot_do_not_matter() {
        for sent in ["shop.example", "SHOP.example:8080", "shop.example.", "shop.example.:80"] {
            assert_eq!(bare(sent).as_deref(), Some("shop.example"), "{sent}");
        }
        assert_eq!(bare("[::1]:80").as_deref(), Some("[::1]"));
        for wrong in ["a b", "user@a", "a/b", "a:b:c", "[::1", "a:http", "a:65536", "[::1]:x"] {
            assert_eq!(bare(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(sent in "[a-z0-9.:-]{0,12}|.{0,40}") {
            let parsed = sent.parse::<Authority>().ok().filter(|_| !sent.contains('@'));
            if is_plain(&sent) {
                // The short way gives what the parser would.
                let host = parsed.map(|authority| authority.host().to_owned());
                let name = host.map(|host| host.strip_suffix('.').unwrap_or(&host).to_owned());
                prop_assert_eq!(bare(&sent), name);
            } else {
                let _ = bare(&sent);
            }
        }
    }
}
