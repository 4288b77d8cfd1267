//! A password in an image is the same on every machine.

use crate::dockerfile::Keyword;
use crate::shell::Joiner;
use crate::{Context, Example, Findings, Grade, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "login-password-in-image",
    severity: Severity::High,
    grades: &[FROM_VARIABLE],
    group: Group::Build,
    summary: "image sets the password of a user",
    why: "Everyone who can pull the image can read it from its history or guess it, and every container has the \
          same.",
    fix: "Remove it: nobody logs in to a container. Where a process needs a user, `useradd` without a password is \
          enough.",
    bad: "FROM debian:13-slim\nRUN echo \"root:letmein\" | chpasswd\n",
    good: "FROM debian:13-slim\nRUN useradd --uid 10001 web\n",
    more: &[Example {
        of: "a password from a variable",
        bad: "FROM debian:13-slim\nARG WORD\nRUN echo \"web:$WORD\" | chpasswd\n",
        good: "FROM debian:13-slim\nRUN useradd --uid 10001 web\n",
    }],
    references: &["CIS Docker 1.6, 4.10", "CIS Docker 1.6, 4.3"],
    check,
};

const FROM_VARIABLE: Grade =
    Grade::new(Severity::Medium, "where the password comes from a variable and does not stand in the file");

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (_, step) in file.of(Keyword::Run) {
            for command in &step.commands {
                let sets = match command.program() {
                    "chpasswd" => true,
                    "passwd" => command.joiner == Joiner::Pipe || command.has("--stdin") || command.has("-d"),
                    "usermod" | "useradd" => command.has("-p") || command.has("--password"),
                    _ => false,
                };
                let names_variable = step
                    .commands
                    .iter()
                    .any(|other| other.pipeline == command.pipeline && other.text().contains('$'));
                if sets {
                    let program = command.program();
                    let message = format!("`{program}` sets the password of a user in the image.");
                    let finding = file.report(findings, command.span, program, message);
                    if names_variable {
                        finding.grade(FROM_VARIABLE);
                    }
                }
            }
        }
    }
}
