//! Files and modules are named for what is in them.

use super::tree::{Tree, verdict};

const FORBIDDEN: [&str; 7] = ["util", "utils", "common", "helper", "helpers", "misc", "manager"];

const WHY: &str = "a file named for no subject collects code that belongs with its noun, and a row of tabs \
                   named `mod.rs` tells nobody apart.";

fn complaint(path: &str) -> Option<String> {
    let file = path.rsplit('/').next().unwrap_or(path);
    if file == "mod.rs" {
        return Some(format!("{path}: write `name.rs` beside the folder `name/`"));
    }
    let mut parts = path.split(['/', '.']);
    parts
        .find(|part| FORBIDDEN.contains(part))
        .map(|part| format!("{path}: `{part}` names no subject; put its contents with their noun"))
}

/// Modules written in place, which have no file name to look at.
fn inline(path: &str, text: &str) -> Vec<String> {
    let named = |line: &str| {
        let rest = line.trim().strip_prefix("pub ").unwrap_or(line.trim());
        let name = rest.strip_prefix("mod ")?.trim_end_matches('{').trim();
        FORBIDDEN.contains(&name).then(|| name.to_owned())
    };
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| Some((index + 1, named(line)?)))
        .map(|(line, name)| format!("{path}:{line}: `mod {name}` names no subject"))
        .collect()
}

#[test]
fn names_say_what_is_inside() {
    let tree = Tree::of_repository();
    let sources = tree.texts(".rs");
    let mut complaints: Vec<_> = sources.iter().filter_map(|(path, _)| complaint(path)).collect();
    complaints.extend(sources.iter().flat_map(|(path, text)| inline(path, text)));
    verdict(WHY, &complaints);
}

#[test]
fn drawers_for_anything_are_found() {
    assert!(complaint("crates/project/src/utils.rs").is_some());
    assert!(complaint("crates/project/tests/common/load.rs").is_some());
    assert!(complaint("crates/project/src/load/mod.rs").is_some());
    assert!(complaint("crates/project/src/utilisation.rs").is_none());
    assert_eq!(inline("a.rs", "//! A.\nmod helpers {\n}\n").len(), 1);
    assert_eq!(inline("a.rs", "//! A.\nmod model {\n}\n").len(), 0);
}
