//! A setuid program is a way up.

use crate::dockerfile::Keyword;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "setuid-in-image",
    severity: Severity::Low,
    grades: &[],
    group: Group::Build,
    summary: "build makes a program setuid",
    why: "Whoever runs it has the rights of its owner: one mistake in it makes everyone root.",
    fix: "Remove the bit; set `no-new-privileges` in the Compose file, which makes it useless.",
    bad: "FROM debian:13-slim\nRUN chmod u+s /usr/bin/tool\n",
    good: "FROM debian:13-slim\nRUN chmod 755 /usr/bin/tool\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.8"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (_, step) in file.of(Keyword::Run).filter(|(stage, _)| file.is_shipped(*stage)) {
            for command in step.commands.iter().filter(|command| command.program() == "chmod") {
                let Some(mode) = command.operands().next() else { continue };
                let octal = mode.text.len() == 4
                    && mode.text.starts_with(['2', '4', '6'])
                    && mode.text.bytes().all(|b| b.is_ascii_digit());
                let adds =
                    mode.text.split_once('+').is_some_and(|(who, bits)| bits.contains('s') && who != "o");
                if octal || adds {
                    let message = format!("`chmod {}` makes a program setuid.", mode.text);
                    file.report(findings, mode.span, &command.text(), message);
                }
            }
        }
    }
}
