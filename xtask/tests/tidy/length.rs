//! Files and functions stay short enough to be read at one sitting.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::tree::{Tree, verdict};

/// About three screens: past this a file holds more than one subject.
const FILE_LINES: usize = 400;
/// About one screen: past this nobody sees the beginning and the end together.
const FUNCTION_LINES: usize = 70;
/// Exceptions in the ratchet. It may be lowered, never raised.
const RATCHET_ENTRIES: usize = 0;
/// Known exceptions, one a line: `path lines` or `path::function lines`; `#` begins a comment.
const RATCHET: &str = include_str!("length.ratchet");

const WHY: &str = "what does not fit on a screen is not read as a whole, so its faults are not seen; split it by subject. \
                   Exceptions stand in `xtask/tests/tidy/length.ratchet`, which only ever gets shorter.";

/// Whatever is longer than it should be, as `name`, lines and limit.
struct TooLong {
    name: String,
    lines: usize,
    limit: usize,
}

fn too_long(path: &str, text: &str) -> Vec<TooLong> {
    let mut found = Vec::new();
    let lines = text.lines().count();
    if lines > FILE_LINES {
        found.push(TooLong { name: path.to_owned(), lines, limit: FILE_LINES });
    }
    if let Ok(tokens) = text.parse() {
        functions(path, tokens, &mut found);
    }
    found
}

/// Finds `fn name … { … }` among the tokens, so that functions inside macros are measured too.
fn functions(path: &str, tokens: TokenStream, found: &mut Vec<TooLong>) {
    let mut open: Option<(String, usize)> = None;
    let mut after_fn = None;
    for tree in tokens {
        match tree {
            TokenTree::Ident(word) if word == "fn" => after_fn = Some(word.span().start().line),
            TokenTree::Ident(name) => {
                if let Some(start) = after_fn.take() {
                    open = Some((name.to_string(), start));
                }
            }
            TokenTree::Punct(mark) if mark.as_char() == ';' => open = None,
            TokenTree::Group(group) => {
                after_fn = None;
                if group.delimiter() == Delimiter::Brace
                    && let Some((name, start)) = open.take()
                {
                    let lines = group.span_close().end().line - start + 1;
                    if lines > FUNCTION_LINES {
                        found.push(TooLong { name: format!("{path}::{name}"), lines, limit: FUNCTION_LINES });
                    }
                }
                functions(path, group.stream(), found);
            }
            _ => {}
        }
    }
}

fn ratchet(text: &str) -> Vec<(String, usize)> {
    let entry = |line: &str| {
        let (name, lines) = line.split_once(' ')?;
        Some((name.to_owned(), lines.trim().parse().ok()?))
    };
    text.lines().filter(|line| !line.starts_with('#')).filter_map(entry).collect()
}

/// Compares what is too long with the exceptions: none may be new, grow, or outlive its need.
fn complaints(found: &[TooLong], exceptions: &[(String, usize)]) -> Vec<String> {
    let allowed = |name: &str| exceptions.iter().find(|(known, _)| known == name).map(|(_, lines)| *lines);
    let mut complaints = Vec::new();
    for TooLong { name, lines, limit } in found {
        match allowed(name) {
            None => complaints.push(format!("{name}: {lines} lines, at most {limit}; split it")),
            Some(known) if *lines > known => {
                complaints.push(format!("{name}: grew from {known} to {lines} lines"))
            }
            Some(known) if *lines < known => {
                complaints.push(format!("{name}: write {lines} into the ratchet"))
            }
            Some(_) => {}
        }
    }
    for (name, _) in exceptions {
        if !found.iter().any(|long| long.name == *name) {
            complaints.push(format!("{name}: short enough now; take it out of the ratchet"));
        }
    }
    complaints
}

#[test]
fn files_and_functions_are_short() {
    let tree = Tree::of_repository();
    let found: Vec<_> = tree.texts(".rs").iter().flat_map(|(path, text)| too_long(path, text)).collect();
    verdict(WHY, &complaints(&found, &ratchet(RATCHET)));
}

#[test]
fn the_ratchet_only_gets_shorter() {
    let entries = ratchet(RATCHET).len();
    assert_eq!(
        entries, RATCHET_ENTRIES,
        "exceptions in the ratchet; the number may be lowered, never raised. {WHY}"
    );
}

#[test]
fn long_files_and_functions_are_found() {
    let long = format!(
        "//! A.\ntrait T {{ fn c();\n wrap! {{ fn a<'x>() -> [u8; 2] {{\n{}}} }} }}",
        "\n".repeat(69)
    );
    let found = too_long("a.rs", &long);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].name.as_str(), found[0].lines), ("a.rs::a", 71));
    assert_eq!(too_long("a.rs", &"\n".repeat(401)).len(), 1);
    assert!(too_long("a.rs", &"\n".repeat(400)).is_empty());
}

#[test]
fn an_exception_may_not_grow_or_outlive_its_need() {
    let long = |lines| [TooLong { name: "a.rs".into(), lines, limit: FILE_LINES }];
    let exceptions = ratchet("# why\na.rs 500\n");
    assert!(complaints(&long(500), &exceptions).is_empty());
    assert_eq!(complaints(&long(501), &exceptions).len(), 1);
    assert_eq!(complaints(&long(499), &exceptions).len(), 1);
    assert_eq!(complaints(&[], &exceptions).len(), 1);
    assert_eq!(complaints(&long(500), &[]).len(), 1);
}
