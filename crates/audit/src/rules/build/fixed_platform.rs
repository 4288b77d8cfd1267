//! An image should run where it is deployed.

use crate::dockerfile::Keyword;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "fixed-platform",
    severity: Severity::Low,
    grades: &[],
    group: Group::Build,
    summary: "base image is fixed to one platform",
    why: "On a machine of another kind the image runs slowly under emulation, or not at all.",
    fix: "Leave `--platform` away, or write `--platform=$BUILDPLATFORM` for a stage that builds.",
    bad: "FROM --platform=linux/amd64 debian:13-slim\n",
    good: "FROM debian:13-slim\n",
    more: &[],
    references: &["Dockerfile reference"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (stage, step) in file.of(Keyword::From).filter(|(stage, _)| file.is_shipped(*stage)) {
            let flag = step.flags.iter().find(|flag| flag.name == "platform");
            let Some((flag, value)) = flag.and_then(|flag| Some((flag, flag.value.as_deref()?))) else {
                continue;
            };
            if !value.contains('$') {
                let message = format!("The image is fixed to `{value}`.");
                file.report(findings, flag.span, &format!("{stage} {value}"), message);
            }
        }
    }
}
