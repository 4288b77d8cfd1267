//! What lies in a folder of like things is also in the list of them.

use super::tree::{Tree, verdict};

const RULES: &str = "crates/audit/src/rules";

const WHY: &str = "a rule that is written but not listed never runs, and nobody misses it; its file's name is its id, \
                   so that a finding leads to its source.";

/// Files of `rules` that are not a group's own list: one rule each.
fn rule_files<'a>(files: &[&'a str]) -> Vec<&'a str> {
    let is_group = |path: &str| {
        let folder = format!("{}/", path.trim_end_matches(".rs"));
        files.iter().any(|other| other.starts_with(&folder))
    };
    let inside = |path: &str| path.starts_with(&format!("{RULES}/")) && path.ends_with(".rs");
    files.iter().copied().filter(|path| inside(path) && !is_group(path)).collect()
}

/// The list a rule must stand in: its group's, or the one of all.
fn complaint(path: &str, text: &str, lists: &str) -> Option<String> {
    let stem = path.rsplit('/').next()?.trim_end_matches(".rs");
    let id = stem.replace('_', "-");
    if !text.contains(&format!("\"{id}\"")) {
        return Some(format!("{path}: its rule is not called `{id}`"));
    }
    let listed = lists.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').any(|word| {
        word.strip_suffix("::RULE")
            .is_some_and(|module| module == stem || module.ends_with(&format!("::{stem}")))
    });
    (!listed).then(|| format!("{path}: `{stem}::RULE` is in no list"))
}

#[test]
fn every_audit_rule_is_listed() {
    let tree = Tree::of_repository();
    let files: Vec<&str> = tree.files().collect();
    let rules = rule_files(&files);
    let lists: String = files
        .iter()
        .filter(|path| path.starts_with(RULES) && path.ends_with(".rs") && !rules.contains(path))
        .filter_map(|path| tree.text(path))
        .collect();
    let found: Vec<_> = rules.iter().filter_map(|path| complaint(path, &tree.text(path)?, &lists)).collect();
    verdict(WHY, &found);
}

#[test]
fn a_rule_that_is_not_listed_or_misnamed_is_found() {
    let files = [format!("{RULES}.rs"), format!("{RULES}/data.rs"), format!("{RULES}/data/no_volume.rs")];
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    assert_eq!(rule_files(&files), [files[2]]);
    let text = "const RULE: Rule = Rule { id: \"no-volume\" };";
    assert!(complaint(files[2], text, "ALL = &[data::no_volume::RULE]").is_none());
    assert!(complaint(files[2], text, "ALL = &[&no_volume::RULE,]").is_none());
    assert!(complaint(files[2], text, "ALL = &[really_no_volume::RULE]").is_some());
    assert!(complaint(files[2], "id: \"novolume\"", "ALL = &[no_volume::RULE]").is_some());
}
