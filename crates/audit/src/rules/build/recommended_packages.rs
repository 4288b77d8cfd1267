//! What is only recommended is not needed.

use crate::dockerfile::Keyword;
use crate::package_manager::{Manager, installs};
use crate::{Context, Findings, Group, Level, Mend, Rule, Severity, TextEdit};

pub(crate) const RULE: Rule = Rule {
    id: "recommended-packages",
    severity: Severity::Low,
    grades: &[],
    group: Group::Build,
    summary: "packages are installed that are only recommended",
    why: "They make the image larger, and each is one more program with holes of its own.",
    fix: "Write `apt-get install --no-install-recommends`, and name what is missed then. May break a program that \
          used one of them.",
    bad: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y tini\n",
    good: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends tini\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.3"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (_, step) in file.of(Keyword::Run).filter(|(stage, _)| file.is_shipped(*stage)) {
            for command in &step.commands {
                let apt = installs(command).filter(|(manager, _)| *manager == Manager::Apt);
                let spares = command.arguments().iter().any(|word| {
                    let text = word.text.to_ascii_lowercase();
                    text == "--no-install-recommends" || text.contains("install-recommends=")
                });
                if apt.is_some() && !spares {
                    let message =
                        format!("`{} install` also takes what is only recommended.", command.program());
                    let verb = command.arguments().iter().find(|word| word.text == "install");
                    let mend = verb.map(|verb| {
                        let edit = TextEdit::after(verb.span, " --no-install-recommends");
                        Mend::new(Level::BehaviourChanging, edit)
                            .may_break("A program that used a recommended package misses it.")
                    });
                    file.report(findings, command.span, &command.text(), message).mend(mend);
                }
            }
        }
    }
}
