//! Each Rust file opens with a `//!` sentence.

use super::tree::{Tree, verdict};

const WHY: &str =
    "the first line of a file is where a reader decides whether to read on; it says what the file is for.";

fn complaint(path: &str, text: &str) -> Option<String> {
    let first = text.lines().next().unwrap_or_default();
    let sentence = first.strip_prefix("//! ").unwrap_or_default();
    (sentence.split_whitespace().count() < 2)
        .then(|| format!("{path}:1: opens with `{first}`; open it with `//!` and a sentence"))
}

#[test]
fn each_file_says_what_it_is_for() {
    let tree = Tree::of_repository();
    let sources = tree.texts(".rs");
    assert!(sources.len() > 30, "the tree was not found");
    let complaints: Vec<_> = sources.iter().filter_map(|(path, text)| complaint(path, text)).collect();
    verdict(WHY, &complaints);
}

#[test]
fn silence_and_a_bare_title_are_found() {
    assert!(complaint("a.rs", "use std::fs;\n").is_some());
    assert!(complaint("a.rs", "").is_some());
    assert!(complaint("a.rs", "//! Ports\n").is_some());
    assert!(complaint("a.rs", "//! Published ports.\n").is_none());
}
