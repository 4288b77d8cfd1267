//! Which variables are taken for credentials, held against lines that a person has labelled.

use seaworthy_audit::{Group, check};
use seaworthy_project::fixture::load_yaml;

/// The fewest lines that say something about a share.
const LEAST_LINES: usize = 200;
/// Of a thousand lines, how many may be judged otherwise than by a person: less than this.
const WRONG_OF_A_THOUSAND: usize = 20;

#[test]
fn names_and_values_are_judged_as_a_person_would() {
    let lines: Vec<&str> =
        include_str!("credentials.txt").lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.len() >= LEAST_LINES, "{} lines", lines.len());
    let wrong: Vec<&str> = lines.iter().copied().filter(|line| is_wrong(line)).collect();
    assert!(
        wrong.len() * 1000 < lines.len() * WRONG_OF_A_THOUSAND,
        "{} of {} are judged otherwise:\n{}",
        wrong.len(),
        lines.len(),
        wrong.join("\n")
    );
}

/// Whether the audit says something else of `yes NAME=value` or `no NAME=value` than its label.
fn is_wrong(line: &str) -> bool {
    let (label, variable) = line.split_once(' ').expect("a label, a space and a variable");
    let (name, value) = variable.split_once('=').expect("a name, `=` and a value");
    let value = value.replace('\'', "''").replace('$', "$$");
    let project = load_yaml(&format!(
        "services:\n  web:\n    image: shop:1.4\n    environment:\n      {name}: '{value}'\n"
    ));
    let findings = check(&project);
    let told = findings.iter().any(|finding| {
        finding.rule.group == Group::Secrets && finding.place.path.last().is_some_and(|key| key == name)
    });
    told != (label == "yes")
}
