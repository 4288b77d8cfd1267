//! Answers made shorter on their way, where the client can read them and it pays.

mod accept;
mod encoder;
mod packed;

use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    HeaderMap, HeaderName, HeaderValue,
};
use hyper::{Method, StatusCode};

use crate::route::Compression;

pub(crate) use accept::{Coding, accepted, best};
pub(crate) use packed::Packed;

/// Answers that are compressed at a time in this process; each needs up to about 1 MiB. What comes above that is passed
/// on as it is.
const MOST_AT_A_TIME: usize = 128;
/// Types of which it is known that it pays. Events are left alone: they are short, and have to come at once.
const TYPES: [&str; 15] = [
    "text/*",
    "application/json",
    "application/javascript",
    "application/xml",
    "application/xhtml+xml",
    "application/manifest+json",
    "application/wasm",
    "application/x-ndjson",
    "application/graphql",
    "application/vnd.ms-fontobject",
    "font/ttf",
    "font/otf",
    "image/svg+xml",
    "*+json",
    "*+xml",
];
const EVENTS: &str = "text/event-stream";
/// Digests of what is sent, which would be another one's.
const DIGESTS: [HeaderName; 3] = [
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

static BUSY: AtomicUsize = AtomicUsize::new(0);

/// A place among those that are compressed.
#[derive(Debug)]
pub(crate) struct Turn;

impl Turn {
    fn take() -> Option<Self> {
        let turn = Self;
        (BUSY.fetch_add(1, Ordering::SeqCst) < MOST_AT_A_TIME).then_some(turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        BUSY.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What a client can read, as far as it is made shorter for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    coding: Option<Coding>,
    /// Whether there is no body to come.
    head: bool,
}

impl Wish {
    /// Of a request.
    pub(crate) fn of(method: &Method, headers: &HeaderMap) -> Self {
        let transforms = !says_no_transform(headers);
        Self { coding: best(headers).filter(|_| transforms), head: method == Method::HEAD }
    }
}

/// Has the headers of an answer say that it comes compressed, where it shall; `length` is that of the body where it is
/// known. Returns what to compress with, where there is a body to compress.
pub(crate) fn dress(
    told: &Compression,
    wish: Wish,
    status: StatusCode,
    headers: &mut HeaderMap,
    length: Option<u64>,
) -> Option<(Coding, Turn)> {
    let fits = !matches!(status.as_u16(), 100..=199 | 204 | 205 | 206 | 300..=399)
        && !headers.contains_key(CONTENT_ENCODING)
        && !headers.contains_key(CONTENT_RANGE)
        && !DIGESTS.iter().any(|name| headers.contains_key(name))
        && !says_no_transform(headers)
        && headers.get(CONTENT_TYPE).is_some_and(|kind| is_worth(told, kind));
    let said = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if !fits || said.or(length).is_some_and(|length| length < told.min_bytes.max(1)) {
        return None;
    }
    crate::site::vary(headers, "accept-encoding");
    let coding = wish.coding?;
    let turn = Turn::take()?;
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    headers.remove(CONTENT_LENGTH);
    headers.remove(ACCEPT_RANGES);
    weaken(headers);
    (!wish.head).then_some((coding, turn))
}

/// The same in other bytes is not the same byte by byte (RFC 9110, section 8.8.1).
fn weaken(headers: &mut HeaderMap) {
    let Some(tag) = headers.get(ETAG).filter(|tag| !tag.as_bytes().starts_with(b"W/")) else { return };
    if let Ok(weak) = HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()) {
        headers.insert(ETAG, weak);
    }
}

fn says_no_transform(headers: &HeaderMap) -> bool {
    let said = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    said.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case("no-transform"))
}

fn is_worth(told: &Compression, kind: &HeaderValue) -> bool {
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    let fits = |pattern: &str| match pattern.split_once('*') {
        Some((begin, end)) => kind.starts_with(begin) && kind.ends_with(end),
        None => kind == pattern,
    };
    if told.types.is_empty() {
        return kind != EVENTS && TYPES.iter().any(|pattern| fits(pattern));
    }
    told.types.iter().any(|pattern| fits(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dressed(asked: &[(&str, &str)], answered: &[(&str, &str)]) -> (Option<Coding>, HeaderMap) {
        let map = |pairs: &[(&str, &str)]| -> HeaderMap {
            let pair = |(name, value): &(&str, &str)| {
                (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
            };
            pairs.iter().map(pair).collect()
        };
        let wish = Wish::of(&Method::GET, &map(asked));
        let mut headers = map(answered);
        let coding = dress(&Compression::default(), wish, StatusCode::OK, &mut headers, None);
        (coding.map(|(coding, _)| coding), headers)
    }

    #[test]
    fn what_pays_is_told_as_such() {
        let html =
            [("content-type", "text/html; charset=utf-8"), ("content-length", "5000"), ("etag", "\"a\"")];
        let (coding, headers) = dressed(&[("accept-encoding", "gzip")], &html);
        assert_eq!(coding, Some(Coding::Gzip));
        assert_eq!(
            (&headers["content-encoding"], &headers["etag"]),
            (&"gzip".parse().unwrap(), &"W/\"a\"".parse().unwrap())
        );
        assert!(!headers.contains_key("content-length"));
        assert_eq!(headers["vary"], "accept-encoding");
        let (coding, headers) = dressed(&[], &html);
        assert!(coding.is_none() && headers["etag"] == "\"a\"" && headers["vary"] == "accept-encoding");
    }

    #[test]
    fn what_does_not_is_left_alone() {
        let html = ("content-type", "text/html");
        for answered in [
            [html, ("content-length", "1023")],
            [html, ("content-encoding", "br")],
            [html, ("content-range", "bytes 0-1/5000")],
            [html, ("cache-control", "public, no-transform")],
            [html, ("content-digest", "sha-256=:x:")],
            [("content-type", "image/png"), ("content-length", "5000")],
            [("content-type", "text/event-stream"), ("x", "y")],
            [("content-type", "application/grpc+proto"), ("x", "y")],
        ] {
            let (coding, headers) = dressed(&[("accept-encoding", "gzip")], &answered);
            assert!(coding.is_none() && !headers.contains_key("vary"), "{answered:?}");
        }
        let asked = [("accept-encoding", "gzip"), ("cache-control", "no-transform")];
        assert_eq!(dressed(&asked, &[html]).0, None);
        assert_eq!(
            dressed(&asked[..1], &[("content-type", "application/problem+json")]).0,
            Some(Coding::Gzip)
        );
    }
}
