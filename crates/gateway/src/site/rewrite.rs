//! Paths without their beginning, or with another one.

use std::borrow::Cow;

use hyper::Uri;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::PathAndQuery;

/// In it a backend is told what its paths began with.
const PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// Takes `strip` off a request's path, and puts `add` in front of the rest.
pub(super) fn rewrite(parts: &mut Parts, path: &str, strip: &str, add: &str) {
    if !parts.uri.path().starts_with('/') {
        return;
    }
    let written = {
        let rest = rest(strip, parts.uri.path(), path);
        let slash = if rest.starts_with('/') { "" } else { "/" };
        let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{add}{slash}{rest}{query}")
    };
    let Ok(target) = PathAndQuery::try_from(written) else { return };
    let mut whole = std::mem::take(&mut parts.uri).into_parts();
    whole.path_and_query = Some(target);
    // Only the path is another one.
    parts.uri = Uri::from_parts(whole).unwrap_or_default();
    parts.headers.remove(PREFIX);
    if !strip.is_empty()
        && let Ok(strip) = HeaderValue::from_str(strip)
    {
        parts.headers.insert(PREFIX, strip);
    }
}

/// What follows a beginning: as it was written where that leaves no doubt, else as it is read.
pub(super) fn rest<'a>(prefix: &str, written: &'a str, read: &str) -> Cow<'a, str> {
    match written.strip_prefix(prefix) {
        Some(rest) if is_plain(rest) => Cow::Borrowed(rest),
        _ => Cow::Owned(encode(read.strip_prefix(prefix).unwrap_or_default())),
    }
}

/// Whether nobody can take it for the beginning of an address of its own.
fn is_plain(rest: &str) -> bool {
    !rest.contains("//") && !rest.contains('\\')
}

fn encode(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(target: &str, read: &str, strip: &str, add: &str) -> String {
        let (mut parts, ()) = hyper::Request::builder().uri(target).body(()).unwrap().into_parts();
        rewrite(&mut parts, read, strip, add);
        parts.uri.to_string()
    }

    #[test]
    fn the_beginning_goes_and_the_rest_stays_as_it_was_written() {
        assert_eq!(rewritten("/api/a%2fb?c=/d", "/api/a/b", "/api", ""), "/a%2fb?c=/d");
        assert_eq!(rewritten("/api", "/api", "/api", ""), "/");
        assert_eq!(rewritten("/api?a", "/api", "/api", "/v1"), "/v1/?a");
        assert_eq!(rewritten("/api/", "/api/", "/api", "/v1"), "/v1/");
        assert_eq!(rewritten("/a", "/a", "", "/v1"), "/v1/a");
        assert_eq!(rewritten("http://shop.example/api/a", "/api/a", "/api", ""), "http://shop.example/a");
        assert_eq!(rewritten("*", "/", "", "/v1"), "*");
    }

    #[test]
    fn a_path_written_in_another_way_is_read_first() {
        assert_eq!(rewritten("/%61pi/a%20b", "/api/a b", "/api", ""), "/a%20b");
        assert_eq!(rewritten("//api//a", "/api/a", "/api", ""), "/a");
        assert_eq!(rewritten("/api//evil.example", "/api/evil.example", "/api", ""), "/evil.example");
    }
}
