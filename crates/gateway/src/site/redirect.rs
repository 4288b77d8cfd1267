//! Where clients are sent instead of being answered.

use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderValue, LOCATION};

use crate::route::Redirect;

use super::{Asked, rewrite};

/// Where a rule sends a request, if it is about it.
pub(super) fn follow(rule: &Redirect, asked: &Asked<'_>) -> Option<(StatusCode, HeaderMap)> {
    let rest = match rule.from.strip_suffix("/*") {
        // The beginning itself is among what begins so.
        Some(prefix) if asked.path == prefix => "".into(),
        Some(prefix) => {
            let begin = format!("{prefix}/");
            asked.path.strip_prefix(&begin)?;
            rest(&begin, asked)
        }
        None if rule.from == asked.path => "".into(),
        None => return None,
    };
    let mut location = match rule.to.split_once('*') {
        Some((before, after)) => format!("{before}{rest}{after}"),
        None => rule.to.clone(),
    };
    if let Some(host) = rule.to.strip_prefix("//") {
        let port = if host.split('/').next()?.contains(':') { "" } else { port(asked.host) };
        let (host, path) = location[2..].split_once('/').unwrap_or((&location[2..], ""));
        location = format!("{}://{host}{port}/{path}", asked.scheme);
    }
    if let Some(query) = asked.target.query().filter(|query| !query.is_empty()) {
        location.push(if rule.to.contains('?') { '&' } else { '?' });
        location.push_str(query);
    }
    let status = StatusCode::from_u16(rule.status).ok()?;
    Some((status, HeaderMap::from_iter([(LOCATION, HeaderValue::from_str(&location).ok()?)])))
}

/// What follows the beginning of a path, and never a slash of its own, which would make it a host.
fn rest<'a>(begin: &str, asked: &'a Asked<'_>) -> std::borrow::Cow<'a, str> {
    let written = asked.target.path();
    let doubtful = written.strip_prefix(begin).is_some_and(|rest| rest.starts_with('/'));
    rewrite::rest(begin, if doubtful { "" } else { written }, asked.path)
}

/// The port of a host, with its colon.
fn port(host: &HeaderValue) -> &str {
    let host = host.to_str().unwrap_or_default();
    let rest = host.rsplit(']').next().unwrap_or_default();
    rest.find(':').map_or("", |colon| &rest[colon..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(from: &str, to: &str, target: &str, path: &str) -> Option<String> {
        let rule = Redirect { from: from.to_owned(), to: to.to_owned(), status: 308 };
        let target = target.parse().unwrap();
        let host = HeaderValue::from_static("www.shop.example:8080");
        let asked = Asked { target: &target, path, host: &host, scheme: "http" };
        let (_, headers) = follow(&rule, &asked)?;
        Some(headers[LOCATION].to_str().unwrap().to_owned())
    }

    fn plain(from: &str, to: &str, target: &str) -> Option<String> {
        sent(from, to, target, target.split('?').next().unwrap())
    }

    #[test]
    fn a_path_or_all_that_begin_so() {
        assert_eq!(plain("/old", "/new", "/old?a=b").as_deref(), Some("/new?a=b"));
        assert_eq!(plain("/old", "/new?c", "/old?a=b").as_deref(), Some("/new?c&a=b"));
        assert_eq!(plain("/old", "/new", "/old/a"), None);
        assert_eq!(plain("/old", "/new", "/older"), None);
        assert_eq!(plain("/old/*", "/new/*", "/old/a/b?c").as_deref(), Some("/new/a/b?c"));
        assert_eq!(plain("/old/*", "/new/*", "/old").as_deref(), Some("/new/"));
        assert_eq!(plain("/old/*", "/new/*", "/older"), None);
        assert_eq!(plain("/old/*", "https://a.example/x", "/old/a").as_deref(), Some("https://a.example/x"));
    }

    #[test]
    fn a_host_keeps_scheme_port_and_path() {
        let host = |to: &str| plain("/*", to, "/a/b?c");
        assert_eq!(host("//shop.example/*").as_deref(), Some("http://shop.example:8080/a/b?c"));
        assert_eq!(host("//shop.example:81/*").as_deref(), Some("http://shop.example:81/a/b?c"));
        assert_eq!(host("https://shop.example/*").as_deref(), Some("https://shop.example/a/b?c"));
    }

    #[test]
    fn nobody_is_led_to_a_host_that_stands_in_the_path() {
        for target in
            ["/old//evil.example", "/old/%2fevil.example", "/old/\\evil.example", "//old//evil.example"]
        {
            let Ok(_) = target.parse::<hyper::Uri>() else { continue };
            let read = if target.contains('\\') { "/old/\\evil.example" } else { "/old/evil.example" };
            let led = sent("/old/*", "/*", target, read).unwrap();
            assert!(!led.starts_with("//") && !led.starts_with("/\\"), "{target}: {led}");
        }
    }
}
