//! An upgrade in a build gives another image each day.

use crate::package_manager::{Manager, manager};
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "full-upgrade",
    severity: Severity::Low,
    grades: &[],
    group: Group::Build,
    summary: "build upgrades the whole system",
    why: "The same Dockerfile gives another image each day, and the packages of the base image are in it twice. A \
          base image that is kept up to date has the same fixes.",
    fix: "Take a newer base image and build often; where a fix cannot wait, upgrade that one package.",
    bad: "FROM debian:13-slim\nRUN apt-get update && apt-get -y upgrade\n",
    good: "FROM debian:13.2-slim\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.7"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (_, command) in file.commands() {
            let whole = match manager(command) {
                Some(Manager::Apt) => matches!(command.verb(), "upgrade" | "dist-upgrade" | "full-upgrade"),
                Some(Manager::Apk) => command.verb() == "upgrade" && command.operands().count() == 1,
                Some(Manager::Dnf) => {
                    matches!(command.verb(), "update" | "upgrade") && command.operands().count() == 1
                }
                Some(Manager::Zypper) => matches!(command.verb(), "update" | "up" | "dup"),
                _ => false,
            };
            if whole {
                let message =
                    format!("`{} {}` upgrades the whole system.", command.program(), command.verb());
                file.report(findings, command.span, &command.text(), message);
            }
        }
    }
}
