//! What a request is about: the path that routes and rules are held against. What is sent on stays as it was written.

use std::borrow::Cow;

use hyper::{Method, Uri};

/// The path of a request as everybody behind us may read it: percent-encoded bytes decoded once, slashes in a row as
/// one. `None` where no two readers need agree on it: dot segments, however they are written (clients resolve them
/// before they send), encoded NUL, and a `%` that encodes nothing.
pub(super) fn matched<'a>(method: &Method, uri: &'a Uri) -> Option<Cow<'a, str>> {
    let path = uri.path();
    if path == "*" {
        return (method == Method::OPTIONS).then_some(Cow::Borrowed("/"));
    }
    let web = uri.scheme_str().is_none_or(|scheme| matches!(scheme, "http" | "https"));
    if !web || !path.starts_with('/') || uri.scheme().is_none() && uri.authority().is_some() {
        return None;
    }
    let plain = !path.contains(['%', '\\']) && !path.contains("//") && !path.contains("/.");
    if plain { Some(Cow::Borrowed(path)) } else { normal(path).map(Cow::Owned) }
}

fn normal(path: &str) -> Option<String> {
    let decoded = decode(path)?;
    if decoded.contains(&0) || decoded.split(|byte| matches!(byte, b'/' | b'\\')).any(is_dots) {
        return None;
    }
    let mut single = Vec::with_capacity(decoded.len());
    for byte in decoded {
        if byte != b'/' || single.last() != Some(&b'/') {
            single.push(byte);
        }
    }
    Some(String::from_utf8_lossy(&single).into_owned())
}

fn decode(path: &str) -> Option<Vec<u8>> {
    let mut bytes = path.bytes();
    let mut decoded = Vec::with_capacity(path.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        decoded.push(digit()? * 16 + digit()?);
    }
    Some(decoded)
}

/// Whether it is `.` or `..`; some servers leave out what follows a `;`.
fn is_dots(segment: &[u8]) -> bool {
    let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
    matches!(name, b"." | b"..")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(target: &str) -> Option<String> {
        let uri: Uri = target.parse().ok()?;
        matched(&Method::GET, &uri).map(Cow::into_owned)
    }

    #[test]
    fn one_path_for_all_ways_to_write_it() {
        for same in
            ["/admin/x", "//admin/x", "/%61dmin/x", "/admin%2fx", "/admin//x?a=/../b", "http://a/admin/x"]
        {
            assert_eq!(of(same).as_deref(), Some("/admin/x"), "{same}");
        }
        assert_eq!(of("/a/.well-known/b..c/...").as_deref(), Some("/a/.well-known/b..c/..."));
        assert_eq!(of("/%c3%bc").as_deref(), Some("/ü"));
        assert_eq!(of("/%252e").as_deref(), Some("/%2e"), "decoded once");
    }

    #[test]
    fn what_readers_may_disagree_on_is_none() {
        for wrong in [
            "/..",
            "/a/../b",
            "/a/./b",
            "/a/%2e%2e/b",
            "/a/.%2E/b",
            "/a/..%2fb",
            "/a\\..\\b",
            "/a/%5c..%5cb",
            "/a/..;x/b",
            "/%00",
            "/a%",
            "/a%4",
            "/a%zz",
            "*",
            "ftp://a/b",
            "a:80",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_dot_segment_passes(path in "/[a.%2efEF/\\\\;]{0,12}") {
            if let Some(matched) = of(&path) {
                prop_assert!(!matched.split('/').any(|segment| segment == ".." || segment == "."), "{} from {}", matched, path);
            }
        }
    }
}
