//! What may become root by asking is root.

use crate::dockerfile::Keyword;
use crate::package_manager::installs;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "sudo-in-image",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Build,
    summary: "image holds `sudo`",
    why: "A build runs as root until `USER` says otherwise, so nothing needs `sudo`; in the finished image it is a \
          way to become root.",
    fix: "Remove it; do what needs root before `USER`.",
    bad: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y sudo\n",
    good: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y tini\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.3"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (stage, step) in file.of(Keyword::Run).filter(|(stage, _)| file.is_shipped(*stage)) {
            let installed = step.commands.iter().filter_map(installs).flat_map(|(_, packages)| packages);
            let package = installed.into_iter().find(|word| matches!(word.text.as_str(), "sudo" | "doas"));
            let run = || step.commands.iter().find(|command| command.is_wrapped_in("sudo"));
            if let Some(word) = package {
                let message = format!("`{}` is installed in the image.", word.text);
                file.report(findings, word.span, &format!("{stage} install"), message);
            } else if let Some(command) = run() {
                let message =
                    format!("`{}` is run with `sudo`, which a build does not need.", command.program());
                file.report(findings, command.span, &format!("{stage} run"), message);
            }
        }
    }
}
