//! A stage that nothing needs is not built.

use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "unused-stage",
    severity: Severity::Info,
    grades: &[],
    group: Group::Build,
    summary: "stage is not needed by any service",
    why: "It is not built, so nothing in it was tried or checked; often its name is misspelt where it was meant.",
    fix: "Use it, or remove it.",
    bad: "FROM debian:13-slim AS tools\nFROM debian:13-slim\n",
    good: "FROM debian:13-slim AS tools\nFROM debian:13-slim\nCOPY --from=tools /bin/tool /bin/tool\n",
    more: &[],
    references: &["Dockerfile reference"],
    check,
};

/// What stages are called that another environment, or somebody who builds by hand, needs.
const OF_OTHERS: [&str; 11] = [
    "development",
    "dev",
    "debug",
    "test",
    "tests",
    "testing",
    "ci",
    "lint",
    "staging",
    "production",
    "prod",
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (index, stage) in file.dockerfile.stages.iter().enumerate() {
            if file.is_needed(index) || file.builds.iter().all(|build| build.target.is_none()) {
                continue;
            }
            let name = stage.name.as_ref().unwrap_or(&stage.base);
            if OF_OTHERS.iter().any(|known| name.text.eq_ignore_ascii_case(known)) {
                continue;
            }
            let message = format!("No service needs the stage `{}`.", name.text);
            file.report(findings, name.span, &format!("{index}"), message);
        }
    }
}
