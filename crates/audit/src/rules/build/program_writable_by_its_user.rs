//! A program that can change itself can be made to.

use crate::build_file::{BuildFile, ImageUser};
use crate::dockerfile::{Instruction, Keyword, Word};
use crate::{Build, Confidence, Context, Example, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "program-writable-by-its-user",
    severity: Severity::Low,
    grades: &[],
    group: Group::Build,
    summary: "program belongs to the user that runs it",
    why: "A hole that lets a stranger write a file then lets him replace the program, and what he put there runs until the \
          container is replaced.",
    fix: "Leave the program to root, who can write it, and give the running user only the folders with data. Or set `read_only: \
          true` for the service.",
    bad: "FROM node:22-slim\nWORKDIR /app\nCOPY --chown=node:node . .\nUSER node\n",
    good: "FROM node:22-slim\nWORKDIR /app\nCOPY . .\nRUN install -d -o node /app/uploads\nUSER node\n",
    more: &[Example {
        of: "the owner is changed afterwards",
        bad: "FROM debian:13-slim\nCOPY . /app\nRUN chown -R 10001 /app\nUSER 10001\n",
        good: "FROM debian:13-slim\nCOPY . /app\nRUN install -d -o 10001 /app/uploads\nUSER 10001\n",
    }],
    references: &["CIS Docker 1.6, 5.13"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for build in
            file.images(|build| build.subject.read_only.as_ref().is_none_or(|read_only| !read_only.value))
        {
            let ImageUser::Said(user) = build.user(file) else { continue };
            if !build.is_safe_user(file) {
                continue;
            }
            if let Some(span) = given_away(file, build, owner(&user.text)) {
                let service = &build.subject.name.value;
                let message =
                    format!("The program of `{service}` belongs to `{}`, who runs it.", owner(&user.text));
                let finding = file.report(findings, span, service.as_str(), message);
                finding.confidence(Confidence::Likely);
            }
        }
    }
}

/// The place where the program is given to `user`, if it is.
fn given_away(file: &BuildFile<'_>, build: &Build<'_>, user: &str) -> Option<seaworthy_project::Span> {
    let copies = |step: &&Instruction| matches!(step.keyword, Keyword::Copy | Keyword::Add);
    let steps: Vec<&Instruction> = build.steps(file).collect();
    let copied: Vec<&str> = steps
        .iter()
        .copied()
        .filter(copies)
        .filter_map(|step| Some(step.words.last()?.text.as_str()))
        .collect();
    steps.iter().copied().find_map(|step| match step.keyword {
        Keyword::Copy | Keyword::Add => {
            let locked = step.flag("chmod").is_some_and(is_locked);
            let flag = step.flags.iter().find(|flag| flag.name == "chown")?;
            let given = flag.value.as_deref().is_some_and(|value| owner(value) == user);
            (given && !locked && step.sources().iter().any(is_program)).then_some(flag.span)
        }
        Keyword::Run => step.commands.iter().find_map(|command| {
            let mut operands = command.operands();
            let given =
                command.program() == "chown" && operands.next().is_some_and(|word| owner(&word.text) == user);
            let whole = operands.any(|word| copied.contains(&word.text.as_str()));
            (given && whole && (command.has("-R") || command.has("--recursive"))).then_some(command.span)
        }),
        _ => None,
    })
}

/// Whether a source of `COPY` is the program itself: the whole context, or a folder with code.
fn is_program(source: &Word) -> bool {
    let path = source.text.trim_start_matches("./").trim_end_matches('/');
    let last = path.rsplit('/').next().unwrap_or_default();
    matches!(last, "" | "." | "src" | "app" | "lib" | "dist" | "build" | "server" | "node_modules")
}

/// Whether a mode lets nobody but root write.
fn is_locked(mode: &str) -> bool {
    let owners = mode.trim_start_matches('0').chars().next();
    mode.chars().all(|c| c.is_ascii_digit()) && owners.is_some_and(|digit| matches!(digit, '1' | '4' | '5'))
}

fn owner(text: &str) -> &str {
    text.split(':').next().unwrap_or(text)
}
