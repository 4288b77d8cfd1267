//! How reports name files and places.

use std::path::{Component, Path};

use seaworthy_project::{Problem, Sources, Span};

/// The path of a file, with `/` between its parts.
pub(super) fn path(span: &Span, sources: &Sources) -> String {
    sources.get(span.file).map(|source| source.path.to_string_lossy().into_owned()).unwrap_or_default()
}

/// `path:line:column`, or only the name of what has no place.
pub(super) fn of_problem(problem: &Problem, sources: &Sources) -> Option<String> {
    problem.span.map(|span| sources.place(&span))
}

/// The path as a URI: relative where it is, percent-encoded where it must be.
pub(super) fn uri(path: &Path) -> String {
    let mut uri = String::from(if path.is_absolute() { "file://" } else { "" });
    let mut first = true;
    for component in path.components() {
        let part = match component {
            Component::Normal(part) => encoded(&part.to_string_lossy()),
            Component::ParentDir => "..".to_owned(),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => continue,
        };
        if !first || path.is_absolute() {
            uri.push('/');
        }
        uri.push_str(&part);
        first = false;
    }
    uri
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=@".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// How many of something: `1 finding`, `2 findings`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        for (path, expected) in [
            ("a/compose.yaml", "a/compose.yaml"),
            ("./a b/ü#?.yaml", "a%20b/%C3%BC%23%3F.yaml"),
            ("../x.yaml", "../x.yaml"),
            ("/srv/a.env", "file:///srv/a.env"),
            ("c:d.yaml", "c%3Ad.yaml"),
        ] {
            assert_eq!(uri(Path::new(path)), expected);
        }
    }
}
