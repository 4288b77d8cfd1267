//! What was not seen was not checked.

use seaworthy_project::model::beside::DockerfileText;

use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "unseen-dockerfile",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Build,
    summary: "Dockerfile of a service could not be read",
    why: "Nothing in it was checked, and the service cannot be built on this machine.",
    fix: "Correct `build.context` or `build.dockerfile`, or create the file.",
    bad: "services:\n  web:\n    build: ./web\n",
    good: "--- compose.yaml\nservices:\n  web:\n    build: .\n--- Dockerfile\nFROM debian:13-slim\n",
    more: &[],
    references: &[],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (service, files) in &context.project.beside.builds {
        let DockerfileText::Unread(reason) = &files.dockerfile else { continue };
        let Some(subject) = context.find(service) else { continue };
        let message = format!("The Dockerfile of `{service}` was not checked: {reason}");
        findings.report(subject.place(&["build"]), subject.span_of(&["build"]), message);
    }
}
