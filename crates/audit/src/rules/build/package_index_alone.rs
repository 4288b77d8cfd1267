//! A list that was kept is old.

use crate::dockerfile::Keyword;
use crate::package_manager::{Manager, installs, manager};
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "package-index-alone",
    severity: Severity::Low,
    grades: &[],
    group: Group::Build,
    summary: "package index is fetched in a step of its own",
    why: "The step is kept from one build to the next, so a later `install` works with an old list: it misses \
          fixes, or fails because a version is gone.",
    fix: "Join both: `RUN apt-get update && apt-get install …`.",
    bad: "FROM debian:13-slim\nRUN apt-get update\nRUN apt-get install -y tini\n",
    good: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y tini\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.7"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (stage, step) in file.of(Keyword::Run) {
            let update = step.commands.iter().find(|command| {
                matches!(manager(command), Some(Manager::Apt | Manager::Apk)) && command.verb() == "update"
            });
            let uses = step.commands.iter().any(|command| {
                installs(command).is_some()
                    || matches!(command.verb(), "upgrade" | "dist-upgrade" | "full-upgrade" | "build-dep")
            });
            if let Some(command) = update.filter(|_| !uses) {
                let message = format!("`{} update` is kept from one build to the next.", command.program());
                file.report(findings, command.span, &format!("{stage} {}", command.program()), message);
            }
        }
    }
}
