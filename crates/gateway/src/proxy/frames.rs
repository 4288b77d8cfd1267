//! What HTTP/2 lets pass and HTTP/1.1 does not: a request is held to the same, whatever it came over, as backends get it
//! in HTTP/1.1.

use hyper::header::{CONTENT_LENGTH, COOKIE, HeaderValue};
use hyper::{Request, Version};

use crate::framing::Fault;
use crate::listener::MOST_HEADERS;

/// What is wrong with a request that came over HTTP/2. Over HTTP/1.1 its bytes were looked at before.
pub(super) fn fault<B>(request: &Request<B>) -> Option<Fault> {
    if request.version() != Version::HTTP_2 {
        return None;
    }
    let headers = request.headers();
    if headers.get_all(CONTENT_LENGTH).iter().nth(1).is_some() {
        return Some(Fault::ContentLength);
    }
    // Blanks around a value mean nothing in HTTP/1.1, and are not there in HTTP/2 (RFC 9113, section 8.2.1).
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let ends = |value: &HeaderValue| is_blank(value.as_bytes().first()) || is_blank(value.as_bytes().last());
    if headers.values().any(ends) {
        return Some(Fault::Malformed);
    }
    // A cookie may come in crumbs, which are put together.
    let fields = headers.len() - headers.get_all(COOKIE).iter().count();
    if fields > MOST_HEADERS {
        return Some(Fault::TooLarge);
    }
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    (!target.bytes().all(|byte| byte.is_ascii_graphic())).then_some(Fault::Target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(version: Version, headers: &[(&str, &str)]) -> Option<Fault> {
        let mut request = Request::builder().version(version).uri("http://a/b?c");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        fault(&request.body(()).unwrap())
    }

    #[test]
    fn one_length_and_as_many_headers_as_elsewhere() {
        let two = [("content-length", "3"), ("content-length", "3")];
        assert_eq!(of(Version::HTTP_2, &two), Some(Fault::ContentLength));
        assert_eq!(of(Version::HTTP_11, &two), None, "it was looked at before");
        assert_eq!(of(Version::HTTP_2, &[("x", "1"); MOST_HEADERS + 1]), Some(Fault::TooLarge));
        assert_eq!(of(Version::HTTP_2, &[("x", "1"); MOST_HEADERS]), None);
        for blank in [" 1", "1 ", "\t1", "1\t", " "] {
            assert_eq!(of(Version::HTTP_2, &[("x", blank)]), Some(Fault::Malformed), "{blank:?}");
        }
        assert_eq!(of(Version::HTTP_2, &[("x", ""), ("y", "1 2")]), None);
        assert_eq!(of(Version::HTTP_2, &[("cookie", "a=1"); MOST_HEADERS + 1]), None, "one cookie in crumbs");
    }

    #[test]
    fn a_target_has_no_bytes_beyond_ascii() {
        let Ok(target) = "http://a/\u{fc}".parse::<hyper::Uri>() else { return };
        let request = Request::builder().version(Version::HTTP_2).uri(target).body(()).unwrap();
        assert_eq!(fault(&request), Some(Fault::Target));
    }
}
