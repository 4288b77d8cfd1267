//! What runs tomorrow should be what was tested today.

use crate::{Context, Example, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "moving-tag",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Images,
    summary: "image has no version",
    why: "Without a tag, or with one such as `latest`, the same file runs something else after the next pull: a new major \
          version of a database may not read the old one's data, and a rollback has nothing to go back to.",
    fix: "Name the version that you tested, such as the one that `docker compose images` shows.",
    bad: "services:\n  db:\n    image: postgres:latest\n",
    good: "services:\n  db:\n    image: postgres:17.2\n",
    more: &[Example {
        of: "no tag at all",
        bad: "services:\n  db:\n    image: postgres\n",
        good: "services:\n  db:\n    image: postgres:17.2\n",
    }],
    references: &["CIS Docker 1.6, 5.28", "OWASP Docker Security Cheat Sheet, rule 13"],
    check,
};

const MOVING: [&str; 14] = [
    "latest",
    "main",
    "master",
    "edge",
    "nightly",
    "stable",
    "dev",
    "develop",
    "development",
    "rolling",
    "next",
    "head",
    "lts",
    "current",
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects().filter(|service| !service.is_built_here) {
        let (Some(image), Some(reference)) = (&service.image, service.reference()) else { continue };
        if reference.digest.is_some() {
            continue;
        }
        let message = match reference.tag {
            None => format!(
                "The image of `{}` has no tag, so it is whatever `latest` is at the next pull.",
                service.name.value
            ),
            Some(tag) if is_moving(tag) => {
                format!("The image of `{}` has the tag `{tag}`, which moves.", service.name.value)
            }
            Some(_) => continue,
        };
        findings.report(service.place(&["image"]), image.span, message);
    }
}

/// Whether a tag names no version: a known word, or only the variant (`alpine`, `slim`).
pub(in crate::rules) fn is_moving(tag: &str) -> bool {
    let first = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let variant = ["alpine", "slim", "bookworm", "bullseye", "trixie", "fpm", "apache", "management"];
    MOVING.contains(&first.as_str()) || tag.split('-').all(|part| variant.contains(&part))
}
