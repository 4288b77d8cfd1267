//! What starts the program should be the program.

use crate::dockerfile::Keyword;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "package-runner-as-main-process",
    severity: Severity::Low,
    grades: &[],
    group: Group::Build,
    summary: "image starts its program through a package manager",
    why: "`npm`, `yarn` and `pnpm` stay between the container and the program: they use memory, pass the signal to \
          stop on badly, and hide how the program ended.",
    fix: "Start the program itself: `CMD [\"node\", \"server.js\"]`.",
    bad: "FROM node:22-slim\nCMD [\"npm\", \"start\"]\n",
    good: "FROM node:22-slim\nCMD [\"node\", \"server.js\"]\n",
    more: &[],
    references: &[],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for build in file.images(|build| !build.is_command_replaced() && !build.subject.is_job) {
            let entrypoint = build.last(file, Keyword::Entrypoint);
            let Some(step) = entrypoint.or_else(|| build.last(file, Keyword::Cmd)) else { continue };
            let first = step.commands.last().map_or("", |command| command.program());
            if matches!(first, "npm" | "yarn" | "pnpm" | "npx") {
                let message = format!("`{first}` stands between the container and the program.");
                file.report(findings, step.span, first, message);
            }
        }
    }
}
