//! A check that was turned off tells nothing.

use crate::dockerfile::Keyword;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "healthcheck-off-in-image",
    severity: Severity::Low,
    grades: &[],
    group: Group::Build,
    summary: "image turns the health check of its base image off",
    why: "The base image knew how to tell whether it works; nothing does now.",
    fix: "Remove `HEALTHCHECK NONE`, or say how to check in the Compose file.",
    bad: "FROM debian:13-slim\nHEALTHCHECK NONE\n",
    good: "FROM debian:13-slim\nHEALTHCHECK CMD [\"/app\", \"--check\"]\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.6"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for build in file.images(|build| {
            build.subject.healthcheck.is_none() && build.subject.settings.probe.ready.is_none()
        }) {
            let Some(step) = build.last(file, Keyword::Healthcheck) else { continue };
            if step.words.first().is_some_and(|word| word.text.eq_ignore_ascii_case("none")) {
                let message =
                    format!("The image of `{}` turns its health check off.", build.subject.name.value);
                file.report(findings, step.span, "HEALTHCHECK", message);
            }
        }
    }
}
