//! What lies in a folder of like things is also in the list of them.

use super::tree::{Tree, verdict};

const RULES: &str = "crates/audit/src/rules";

const WHY: &str = "a rule that is written but not listed never runs, and nobody misses it; its file's name is its id, \
                   so that a finding leads to its source.";

/// `rules/<group>/<id>.rs`: one rule each. What lies deeper is a part of its rule, what lies higher is a list.
fn is_rule(path: &str) -> bool {
    let inside = path.strip_prefix(RULES).and_then(|rest| rest.strip_prefix('/'));
    inside.is_some_and(|inside| inside.ends_with(".rs") && inside.matches('/').count() == 1)
}

/// `rules.rs`, and a group's own `rules/<group>.rs`.
fn is_list(path: &str) -> bool {
    path == format!("{RULES}.rs")
        || path
            .strip_prefix(RULES)
            .is_some_and(|rest| rest.ends_with(".rs") && rest.matches('/').count() == 1)
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
    let lists: String =
        files.iter().filter(|path| is_list(path)).filter_map(|path| tree.text(path)).collect();
    let rules = files.iter().filter(|path| is_rule(path));
    let found: Vec<_> = rules.filter_map(|path| complaint(path, &tree.text(path)?, &lists)).collect();
    verdict(WHY, &found);
}

#[test]
fn a_rule_that_is_not_listed_or_misnamed_is_found() {
    let path = format!("{RULES}/data/no_volume.rs");
    assert!(is_rule(&path) && !is_list(&path));
    for list in ["", "/data"] {
        let path = format!("{RULES}{list}.rs");
        assert!(is_list(&path) && !is_rule(&path), "{path}");
    }
    let part = format!("{RULES}/data/no_volume/fixes.rs");
    assert!(!is_rule(&part) && !is_list(&part));
    let text = "const RULE: Rule = Rule { id: \"no-volume\" };";
    assert!(complaint(&path, text, "ALL = &[data::no_volume::RULE]").is_none());
    assert!(complaint(&path, text, "ALL = &[&no_volume::RULE,]").is_none());
    assert!(complaint(&path, text, "ALL = &[really_no_volume::RULE]").is_some());
    assert!(complaint(&path, "id: \"novolume\"", "ALL = &[no_volume::RULE]").is_some());
}
