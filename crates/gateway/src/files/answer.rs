//! The answer of a file: which one is asked for, in which coding, whether the client has it, and which part it wants.

use std::ops::Range;
use std::path::PathBuf;

use hyper::header::{
    ACCEPT, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, IF_RANGE, LOCATION, RANGE, UPGRADE,
};
use hyper::{Method, StatusCode, Uri};

use super::kinds::kind;
use super::list::{Entry, List};
use crate::compress::{Coding, accepted};
use crate::route::Files;

/// What a folder shows.
const INDEX: &str = "index.html";
/// A year, in which a file never changes under its name.
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
/// Ends of names of files that are another one, made shorter before.
const PACKED: [(Coding, &str); 3] = [(Coding::Brotli, ".br"), (Coding::Zstd, ".zst"), (Coding::Gzip, ".gz")];
/// Digits of a hash that tell two files apart.
const TAG_DIGITS: usize = 32;

/// What is asked for.
pub(crate) struct Question<'a> {
    pub(crate) method: &'a Method,
    pub(crate) target: &'a Uri,
    /// The path that routes are held against.
    pub(crate) path: &'a str,
    /// The path of the route, without the slash at its end.
    pub(crate) prefix: &'a str,
    pub(crate) headers: &'a HeaderMap,
}

/// What is there.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The name of what is to be read, and the bytes of it; nothing where the headers say all.
    pub(crate) part: Option<(PathBuf, Range<u64>)>,
}

impl Found {
    fn bare(status: StatusCode, headers: HeaderMap) -> Self {
        Self { status, headers, part: None }
    }
}

/// The answer to a question, where a file is asked for.
pub(crate) fn find(list: &List, told: &Files, asked: &Question<'_>) -> Option<Found> {
    let reads = [Method::GET, Method::HEAD].contains(asked.method) && !asked.headers.contains_key(UPGRADE);
    if !reads || told.pass.iter().any(|begin| is_below(asked.path, begin)) {
        return None;
    }
    let rest = asked.path.strip_prefix(asked.prefix)?.trim_start_matches('/');
    let shown =
        if rest.is_empty() || rest.ends_with('/') { format!("{rest}{INDEX}") } else { rest.to_owned() };
    if list.files.contains_key(&shown) {
        return file(list, told, asked, &shown);
    }
    if !asked.path.ends_with('/') && list.files.contains_key(&format!("{shown}/{INDEX}")) {
        return folder(asked.target);
    }
    let page = told.fallback.as_deref().filter(|_| wants_page(asked.headers))?;
    file(list, told, asked, page)
}

/// Sends who asks for a folder there, so that what its page names is found.
fn folder(target: &Uri) -> Option<Found> {
    let name = target.path().rsplit('/').next()?;
    let query = target.query().map(|query| format!("?{query}")).unwrap_or_default();
    let location = HeaderValue::from_str(&format!("./{name}/{query}")).ok()?;
    let headers = HeaderMap::from_iter([(LOCATION, location)]);
    Some(Found::bare(StatusCode::PERMANENT_REDIRECT, headers))
}

fn file(list: &List, told: &Files, asked: &Question<'_>, path: &str) -> Option<Found> {
    let plain = list.files.get(path)?;
    let mut headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static(kind(path))),
        (CACHE_CONTROL, age(told, asked, path)),
    ]);
    let packed: Vec<(Coding, &Entry)> = PACKED
        .iter()
        .filter_map(|(coding, end)| Some((*coding, list.files.get(&format!("{path}{end}"))?)))
        .collect();
    if !packed.is_empty() {
        headers.insert(hyper::header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    // A part is one of the file as it is.
    let wanted = packed
        .iter()
        .filter(|_| !asked.headers.contains_key(RANGE))
        .map(|(coding, entry)| (accepted(asked.headers, *coding), *coding, *entry));
    let best = wanted
        .filter(|(weight, ..)| *weight > 0)
        .reduce(|best, next| if next.0 > best.0 { next } else { best });
    let entry = match best {
        Some((_, coding, entry)) => {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
            entry
        }
        None => {
            headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
            plain
        }
    };
    let tag = format!("\"{}\"", entry.hash.get(..TAG_DIGITS)?);
    headers.insert(ETAG, HeaderValue::from_str(&tag).ok()?);
    if matches(asked.headers, &IF_NONE_MATCH, &tag) {
        headers.remove(CONTENT_TYPE);
        headers.remove(CONTENT_ENCODING);
        return Some(Found::bare(StatusCode::NOT_MODIFIED, headers));
    }
    Some(parts(asked, headers, entry, &tag))
}

/// The file, or the part of it that is wanted.
fn parts(asked: &Question<'_>, mut headers: HeaderMap, entry: &Entry, tag: &str) -> Found {
    let same = asked.headers.get(IF_RANGE).is_none_or(|known| known.as_bytes() == tag.as_bytes());
    let range =
        asked.headers.get(RANGE).filter(|_| same).and_then(|range| part(range.to_str().ok()?, entry.bytes));
    let (status, bytes) = match range {
        Some(Err(())) => {
            headers.insert(CONTENT_RANGE, text(format!("bytes */{}", entry.bytes)));
            headers.remove(CONTENT_TYPE);
            return Found::bare(StatusCode::RANGE_NOT_SATISFIABLE, headers);
        }
        Some(Ok(range)) => {
            let said = format!("bytes {}-{}/{}", range.start, range.end - 1, entry.bytes);
            headers.insert(CONTENT_RANGE, text(said));
            (StatusCode::PARTIAL_CONTENT, range)
        }
        None => (StatusCode::OK, 0..entry.bytes),
    };
    headers.insert(CONTENT_LENGTH, (bytes.end - bytes.start).into());
    let read = asked.method != Method::HEAD && !bytes.is_empty();
    Found { status, headers, part: read.then(|| (PathBuf::from(&entry.hash), bytes)) }
}

/// One part of so many bytes; an error where there is none of it, nothing where it is no range that is known here or
/// several, for which the whole is an answer too (RFC 9110, section 14.2).
fn part(said: &str, bytes: u64) -> Option<Result<Range<u64>, ()>> {
    let (first, last) = said.strip_prefix("bytes=")?.trim().split_once('-')?;
    let range = if first.is_empty() {
        let count: u64 = last.parse().ok()?;
        bytes.saturating_sub(count)..bytes
    } else {
        let first: u64 = first.parse().ok()?;
        let last: u64 =
            if last.is_empty() { u64::MAX } else { last.parse().ok().filter(|last| *last >= first)? };
        first..last.saturating_add(1).min(bytes)
    };
    Some(if range.is_empty() { Err(()) } else { Ok(range) })
}

/// How long browsers need not ask again. Pages name all the others, and are asked for each time.
fn age(told: &Files, asked: &Question<'_>, path: &str) -> HeaderValue {
    let page = kind(path).starts_with("text/html");
    if !page && told.immutable.iter().any(|pattern| fits(asked.path, pattern)) {
        return FOR_GOOD;
    }
    match told.max_age_seconds {
        seconds if seconds > 0 && !page => text(format!("public, max-age={seconds}")),
        _ => ASK_AGAIN,
    }
}

fn fits(path: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        Some((begin, end)) => {
            path.len() >= begin.len() + end.len() && path.starts_with(begin) && path.ends_with(end)
        }
        None => path == pattern,
    }
}

fn is_below(path: &str, begin: &str) -> bool {
    let begin = begin.trim_end_matches('/');
    path.strip_prefix(begin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a browser asks for a page, and not a script for data.
fn wants_page(headers: &HeaderMap) -> bool {
    let said = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    said.flat_map(|value| value.split(','))
        .any(|kind| kind.trim().to_ascii_lowercase().starts_with("text/html"))
}

/// Whether a tag is among those of a header, weakly compared.
fn matches(headers: &HeaderMap, name: &HeaderName, tag: &str) -> bool {
    let said = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    said.flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

fn text(said: String) -> HeaderValue {
    HeaderValue::try_from(said).unwrap_or(ASK_AGAIN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_part_of_a_file() {
        for (said, range) in [
            ("bytes=0-0", Some(Ok(0..1))),
            ("bytes=2-", Some(Ok(2..10))),
            ("bytes=2-99", Some(Ok(2..10))),
            ("bytes=-3", Some(Ok(7..10))),
            ("bytes=-99", Some(Ok(0..10))),
            ("bytes=10-", Some(Err(()))),
            ("bytes=-0", Some(Err(()))),
            ("bytes=3-2", None),
            ("bytes=0-1,3-4", None),
            ("lines=0-1", None),
            ("bytes=a-", None),
        ] {
            assert_eq!(part(said, 10), range, "{said}");
        }
        assert_eq!(part("bytes=0-", 0), Some(Err(())));
    }

    fn asked(path: &str, accept: &str) -> Option<String> {
        let entry = |hash: &str| Entry { hash: hash.repeat(64), bytes: 3 };
        let files = [("index.html", "a"), ("a/index.html", "b"), ("a/b.js", "c"), ("a/b.js.br", "d")];
        let list =
            List { files: files.iter().map(|(path, hash)| ((*path).to_owned(), entry(hash))).collect() };
        let told =
            Files { fallback: Some("index.html".into()), pass: vec!["/x/api".into()], ..Files::default() };
        let target = path.parse().unwrap();
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_str(accept).unwrap())]);
        let path = path.split('?').next().unwrap();
        let question =
            Question { method: &Method::GET, target: &target, path, prefix: "/x", headers: &headers };
        let found = find(&list, &told, &question)?;
        Some(match found.part {
            Some((name, _)) => name.to_string_lossy()[..1].to_owned(),
            None => found.headers[LOCATION].to_str().unwrap().to_owned(),
        })
    }

    #[test]
    fn files_folders_and_pages_that_are_none() {
        for (path, accept, found) in [
            ("/x", "*/*", Some("a")),
            ("/x/", "*/*", Some("a")),
            ("/x/a", "*/*", Some("./a/")),
            ("/x/a?b", "*/*", Some("./a/?b")),
            ("/x/a/", "*/*", Some("b")),
            ("/x/a/b.js", "*/*", Some("c")),
            ("/x/none", "text/html, */*", Some("a")),
            ("/x/none", "application/json", None),
            ("/x/api", "text/html", None),
            ("/x/api/a", "text/html", None),
            ("/x/apis", "text/html", Some("a")),
            ("/y", "text/html", None),
        ] {
            assert_eq!(asked(path, accept).as_deref(), found, "{path}");
        }
    }

    proptest! {
        #[test]
        fn a_part_is_inside(said in "bytes=[0-9]{0,20}-[0-9]{0,20}", bytes in 0_u64..100) {
            if let Some(Ok(range)) = part(&said, bytes) {
                prop_assert!(range.start < range.end && range.end <= bytes);
            }
        }
    }
}
