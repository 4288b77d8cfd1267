//! What the documents name is there.

use std::path::{Component, Path, PathBuf};

use super::tree::{Tree, verdict};

/// Folders in the root that a path in a document may begin with.
const ROOTED: [&str; 5] = ["crates/", "xtask/", "docs/", "examples/", ".ci/"];

const WHY: &str =
    "a document that names a crate, file or page that is not there sends its reader into the void.";

/// Paths in backticks that begin in the root and hold no placeholder.
fn named_paths(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in outside_fences(text) {
        for word in line.split('`').skip(1).step_by(2) {
            let plain = !word.contains(['<', '{', '*', '…', ' ', '$']);
            if plain && ROOTED.iter().any(|root| word.starts_with(root)) {
                found.push((index, word.to_owned()));
            }
        }
    }
    found
}

/// Links to other files of the repository, without their anchors.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in outside_fences(text) {
        for rest in line.split("](").skip(1) {
            let target = rest.split([')', '#']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                found.push((index, target.to_owned()));
            }
        }
    }
    found
}

/// Our packages by name: `seaworthy-…` in backticks.
fn packages(text: &str) -> Vec<(usize, String)> {
    let lines = outside_fences(text);
    let words =
        lines.flat_map(|(index, line)| line.split('`').skip(1).step_by(2).map(move |word| (index, word)));
    words
        .filter_map(|(index, word)| Some((index, word.strip_prefix("seaworthy-")?.to_owned())))
        .filter(|(_, name)| name.chars().all(|c| c.is_ascii_lowercase()))
        .collect()
}

fn outside_fences(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fence && !fenced).then_some((index + 1, line))
    })
}

/// `docs/a.md` + `../README.md` → `README.md`.
fn beside(document: &str, target: &str) -> PathBuf {
    let mut path = Path::new(document).parent().unwrap_or(Path::new("")).to_path_buf();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path
}

#[test]
fn documents_name_what_is_there() {
    let tree = Tree::of_repository();
    let crates = tree.crates();
    let mut found = Vec::new();
    for (path, text) in tree.texts(".md") {
        let lost = named_paths(&text).into_iter().filter(|(_, name)| !tree.has(name));
        found.extend(lost.map(|(line, name)| format!("{path}:{line}: there is no `{name}`")));
        let lost =
            links(&text).into_iter().filter(|(_, target)| !tree.root().join(beside(path, target)).exists());
        found.extend(lost.map(|(line, target)| format!("{path}:{line}: the link to `{target}` is dead")));
        let lost = packages(&text).into_iter().filter(|(_, name)| !crates.contains(name));
        found.extend(lost.map(|(line, name)| format!("{path}:{line}: there is no crate `{name}`")));
    }
    verdict(WHY, &found);
}

#[test]
fn paths_links_and_crates_are_read_from_text() {
    let text = "see `crates/engine/src` and `crates/<name>`\n[a](../b.md#c) [d](https://e.example)\n```\n`docs/no`\n```\n\
                `seaworthy-engine` `seaworthy-1.tar`";
    assert_eq!(named_paths(text), [(1, "crates/engine/src".to_owned())]);
    assert_eq!(links(text), [(2, "../b.md".to_owned())]);
    assert_eq!(packages(text), [(6, "engine".to_owned())]);
    assert_eq!(beside("docs/guide/a.md", "../b.md"), Path::new("docs/b.md"));
}
