//! Whether a rule speaks of a project.
#![allow(dead_code, unreachable_pub, reason = "shared by several test programs")]

use seaworthy_audit::check;
use seaworthy_project::Project;
use seaworthy_project::fixture::load_yaml;

pub fn found(project: &Project, rule: &str) -> Vec<String> {
    check(project)
        .iter()
        .filter(|finding| finding.rule.id == rule)
        .map(|finding| finding.message.clone())
        .collect()
}

/// One service `web` with these lines; `rule` must be found or must not.
#[track_caller]
pub fn web(rule: &str, expected: bool, lines: &[&str]) {
    let image = if lines.iter().any(|line| line.starts_with("image:") || line.starts_with("build:")) {
        ""
    } else {
        "    image: shop:1.4\n"
    };
    let body: String = lines.iter().map(|line| format!("    {line}\n")).collect();
    whole(rule, expected, &format!("services:\n  web:\n{image}{body}"));
}

#[track_caller]
pub fn whole(rule: &str, expected: bool, yaml: &str) {
    assert!(seaworthy_audit::explain(rule).is_some(), "`{rule}` is a rule");
    let found = found(&load_yaml(yaml), rule);
    assert_eq!(!found.is_empty(), expected, "`{rule}`: {found:?}\n{yaml}");
}
