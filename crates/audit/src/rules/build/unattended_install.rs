//! Nobody answers while an image is built.

use crate::package_manager::{Manager, installs};
use crate::shell::Joiner;
use crate::{Context, Findings, Group, Level, Mend, Rule, Severity, TextEdit};

pub(crate) const RULE: Rule = Rule {
    id: "unattended-install",
    severity: Severity::Low,
    grades: &[],
    group: Group::Build,
    summary: "installation would ask a question",
    why: "Without `-y` the package manager asks, nobody answers, and the build stops.",
    fix: "Write `-y`.",
    bad: "FROM debian:13-slim\nRUN apt-get update && apt-get install tini\n",
    good: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y tini\n",
    more: &[],
    references: &["Dockerfile reference"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (_, command) in file.commands() {
            let Some((manager, _)) = installs(command) else { continue };
            let asks = matches!(manager, Manager::Apt | Manager::Dnf | Manager::Zypper)
                && command.program() != "microdnf";
            let answered = command.arguments().iter().any(|word| {
                matches!(
                    word.text.as_str(),
                    "--yes"
                        | "--assume-yes"
                        | "--assumeyes"
                        | "-n"
                        | "--non-interactive"
                        | "--force-yes"
                        | "-qq"
                ) || (word.text.starts_with('-') && !word.text.starts_with("--") && word.text.contains('y'))
            });
            let piped = command.joiner == Joiner::Pipe;
            if asks && !answered && !piped {
                let message =
                    format!("`{} {}` would ask, and nobody answers.", command.program(), command.verb());
                let verb =
                    command.arguments().iter().find(|word| matches!(word.text.as_str(), "install" | "in"));
                let mend = verb.map(|verb| Mend::new(Level::Safe, TextEdit::after(verb.span, " -y")));
                file.report(findings, command.span, &command.text(), message).mend(mend);
            }
        }
    }
}
