//! A signal that cannot be caught leaves no time to finish.

use crate::dockerfile::Keyword;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "kill-stop-signal",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Build,
    summary: "image asks to be killed instead of stopped",
    why: "`SIGKILL` and `SIGSTOP` cannot be caught: requests are cut off and what is not yet written is lost, at \
          every deploy.",
    fix: "Name the signal on which the program finishes its work, or leave the line away for `SIGTERM`.",
    bad: "FROM debian:13-slim\nSTOPSIGNAL SIGKILL\n",
    good: "FROM debian:13-slim\nSTOPSIGNAL SIGQUIT\n",
    more: &[],
    references: &["Dockerfile reference"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for build in file.images(|build| build.subject.stop_signal.is_none()) {
            let Some(word) = build.last(file, Keyword::Stopsignal).and_then(|step| step.words.first()) else {
                continue;
            };
            let upper = word.text.to_ascii_uppercase();
            if matches!(upper.trim_start_matches("SIG"), "KILL" | "STOP" | "9" | "19") {
                let message = format!("The signal `{}` leaves the program no time to finish.", word.text);
                file.report(findings, word.span, &upper, message);
            }
        }
    }
}
