//! The signal to stop goes to the first process.

use crate::dockerfile::{Form, Keyword};
use crate::mend::as_list;
use crate::shell::Command;
use crate::{Context, Example, Findings, Grade, Group, Level, Mend, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "shell-form-command",
    severity: Severity::Medium,
    grades: &[NO_LIST],
    group: Group::Build,
    summary: "image starts its program through a shell",
    why: "The shell is the first process and gets the signal to stop, but does not pass it on: the program is \
          killed in the middle of its work when the grace period ends, at every deploy. An `ENTRYPOINT` of this \
          form also ignores `CMD`.",
    fix: "Write a list: `CMD [\"program\", \"argument\"]`. Where a shell is needed, end with `exec`: `CMD [\"sh\", \
          \"-c\", \"prepare && exec program\"]`.",
    bad: "FROM debian:13-slim\nCMD ./server --port 8000\n",
    good: "FROM debian:13-slim\nCMD [\"./server\", \"--port\", \"8000\"]\n",
    more: &[Example {
        of: "a list that is none",
        bad: "FROM debian:13-slim\nCMD ['./server', '--port', '8000']\n",
        good: "FROM debian:13-slim\nCMD [\"./server\", \"--port\", \"8000\"]\n",
    }],
    references: &["Dockerfile reference"],
    check,
};

const NO_LIST: Grade = Grade::new(
    Severity::High,
    "where it looks like a list and is none: the program does not start as written",
);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for build in file.images(|build| !build.subject.is_job) {
            let service = build.subject.service();
            let entrypoint = build.last(file, Keyword::Entrypoint).filter(|_| service.entrypoint.is_none());
            let replaced = service.command.is_some() || service.entrypoint.is_some();
            let shown = entrypoint.is_some_and(|step| step.form == Form::Shell);
            let command = build.last(file, Keyword::Cmd).filter(|_| !replaced && !shown);
            for step in entrypoint.into_iter().chain(command) {
                let name = step.name.text.to_ascii_uppercase();
                if step.form == Form::BrokenList {
                    let message = format!(
                        "The list of `{name}` is not valid, so all of it is run by a shell as it stands."
                    );
                    let finding = file.report(findings, step.span, &name, message);
                    finding.grade(NO_LIST).help("Put each word in double quotes, with commas between.");
                } else if step.form == Form::Shell && !hands_over(&step.commands) {
                    let message = format!(
                        "`{name}` starts the program through a shell, which keeps the signal to stop to itself."
                    );
                    let own_shell = build.last(file, Keyword::Shell).is_some();
                    let edit =
                        as_list(step, context.raw(&step.span).unwrap_or_default()).filter(|_| !own_shell);
                    let mend = edit.map(|edit| Mend::new(Level::Safe, edit));
                    file.report(findings, step.span, &name, message).mend(mend);
                }
            }
        }
    }
}

/// Whether the shell becomes the program: its last command begins with `exec`.
fn hands_over(commands: &[Command]) -> bool {
    commands.last().and_then(|command| command.words.first()).is_some_and(|word| word.text == "exec")
}
