//! Nothing in the repository depends on, or speaks of, the machine it was written on.

use super::tree::{Tree, verdict};

/// Marks of a private machine, each in two halves, so that this file does not bear them itself.
const MARKS: [(&str, &str); 8] = [
    ("/wo", "rk/"),
    ("/ro", "ot/"),
    ("/ho", "me/"),
    ("/tmp/tar", "get"),
    ("fa", "rm-"),
    ("index.", "crates.io"),
    ("static.", "crates.io"),
    ("replace-", "with ="),
];

/// Where a mark is part of the subject: a prefix of the path, the mark, and why.
const EXCUSED: [(&str, &str, &str); 1] = [(
    "crates/catalog/images/",
    concat!("/ho", "me/"),
    "where an image keeps its data is a fact of the image",
)];

const WHY: &str =
    "a path, host or package mirror of one machine works for one person; the repository is for everybody.";

fn complaints(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (head, tail) in MARKS {
        let mark = format!("{head}{tail}");
        if EXCUSED.iter().any(|(prefix, excused, _)| path.starts_with(prefix) && *excused == mark) {
            continue;
        }
        let lines = text.lines().enumerate().filter(|(_, line)| bears(line, &mark));
        found.extend(lines.map(|(index, _)| format!("{path}:{}: `{mark}`", index + 1)));
    }
    found
}

/// Whether the mark stands there as itself, not as the tail of a longer word or path.
fn bears(line: &str, mark: &str) -> bool {
    line.match_indices(mark).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| {
            c.is_alphanumeric() || (mark.starts_with('/') && matches!(c, '.' | '-' | '_' | '}'))
        })
    })
}

/// Every package in the lock file must come from the public registry, or from this workspace.
fn foreign_sources(lock: &str) -> Vec<String> {
    const PUBLIC: &str = "registry+https://github.com/rust-lang/crates.io-index";
    let sources = lock.lines().filter_map(|line| line.strip_prefix("source = \"")?.strip_suffix('"'));
    sources.filter(|source| *source != PUBLIC).map(|source| format!("Cargo.lock: {source}")).collect()
}

#[test]
fn nothing_speaks_of_one_machine() {
    let tree = Tree::of_repository();
    let readable = tree.files().filter(|path| *path != "Cargo.lock");
    let texts = readable.filter_map(|path| Some((path, tree.text(path)?)));
    let mut found: Vec<_> = texts.flat_map(|(path, text)| complaints(path, &text)).collect();
    found.extend(foreign_sources(&tree.text("Cargo.lock").expect("Cargo.lock is there")));
    verdict(WHY, &found);
}

#[test]
fn each_mark_is_found() {
    for (head, tail) in MARKS {
        assert_eq!(complaints("a.md", &format!("first\nsee {head}{tail}x")).len(), 1, "{head}{tail}");
    }
    assert!(
        complaints("a.md", concat!("see crates/wo", "rk/a and ./wo", "rk/b and alfa", "rm-x")).is_empty()
    );
    assert_eq!(foreign_sources("source = \"git+https://a.example/b\"\n").len(), 1);
    assert!(
        foreign_sources("source = \"registry+https://github.com/rust-lang/crates.io-index\"\n").is_empty()
    );
}
