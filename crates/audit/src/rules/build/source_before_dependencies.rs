//! What changes often comes last.

use super::environment_file_in_image::is_whole;
use crate::dockerfile::{Instruction, Keyword};
use crate::shell::Command;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "source-before-dependencies",
    severity: Severity::Low,
    grades: &[],
    group: Group::Build,
    summary: "source is copied before its dependencies are installed",
    why: "Each change of any file makes the build install all dependencies again, which takes minutes and gives \
          other versions.",
    fix: "Copy the list of dependencies and the lock file first, install, then copy the rest.",
    bad: "FROM node:22-slim\nCOPY . .\nRUN npm ci\n",
    good: "FROM node:22-slim\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\n",
    more: &[],
    references: &[],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for stage in (0..file.dockerfile.stages.len()).filter(|stage| file.is_needed(*stage)) {
            let steps = file.dockerfile.of_stage(stage);
            let local = |step: &&Instruction| {
                matches!(step.keyword, Keyword::Copy | Keyword::Add) && step.flag("from").is_none()
            };
            let Some(first) = steps.iter().find(local) else { continue };
            let Some(word) = first.sources().iter().find(|word| is_whole(&word.text)) else { continue };
            let later = steps
                .iter()
                .filter(|step| step.keyword == Keyword::Run && step.span.start > first.span.start);
            let installs = later.flat_map(|step| &step.commands).find(|command| is_install(command));
            if let Some(command) = installs {
                let message = format!(
                    "`{} {}` starts over whenever any file changes.",
                    command.program(),
                    command.verb()
                );
                file.report(findings, word.span, &stage.to_string(), message);
            }
        }
    }
}

fn is_install(command: &Command) -> bool {
    matches!(
        (command.program(), command.verb()),
        ("npm", "install" | "i" | "ci")
            | ("yarn", "" | "install")
            | ("pnpm", "install" | "i")
            | ("pip" | "pip3", "install")
            | ("bundle", "install")
            | ("composer", "install")
            | ("poetry", "install")
            | ("go", "mod")
            | ("uv", "sync")
    )
}
