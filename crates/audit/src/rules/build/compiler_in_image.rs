//! What built the program does not belong beside it.

use crate::dockerfile::Keyword;
use crate::package_manager::{Manager, installs};
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "compiler-in-image",
    severity: Severity::Low,
    grades: &[],
    group: Group::Build,
    summary: "compilers stay in the image",
    why: "They make the image larger, and an intruder can build his tools with them.",
    fix: "Build in a stage of its own, and copy the result: `COPY --from=build /app /app`.",
    bad: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y build-essential\n",
    good: "FROM debian:13-slim AS build\nRUN apt-get update && apt-get install -y build-essential\nFROM \
          debian:13-slim\nCOPY --from=build /app /app\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.3"],
    check,
};

const COMPILERS: [&str; 12] = [
    "build-essential",
    "build-base",
    "gcc",
    "g++",
    "clang",
    "make",
    "cmake",
    "cargo",
    "rustc",
    "golang",
    "alpine-sdk",
    "default-jdk",
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (_, step) in file.of(Keyword::Run).filter(|(stage, _)| file.is_shipped(*stage)) {
            let removes = step.commands.iter().any(|command| {
                matches!(command.verb(), "purge" | "remove" | "autoremove" | "del")
                    && matches!(command.program(), "apt-get" | "apt" | "apk")
            });
            let installed = step
                .commands
                .iter()
                .filter_map(installs)
                .filter(|(manager, _)| !matches!(manager, Manager::Pip | Manager::Npm));
            let found = installed
                .flat_map(|(_, packages)| packages)
                .find(|word| COMPILERS.contains(&word.text.as_str()));
            if let Some(word) = found.filter(|_| !removes) {
                let message = format!("`{}` stays in the image.", word.text);
                file.report(findings, word.span, &word.text, message);
            }
        }
    }
}
