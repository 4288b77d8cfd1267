//! `COPY` does what it says; `ADD` does more.

use crate::dockerfile::Keyword;
use crate::{Context, Findings, Group, Level, Mend, Rule, Severity, TextEdit};

pub(crate) const RULE: Rule = Rule {
    id: "add-for-copy",
    severity: Severity::Low,
    grades: &[],
    group: Group::Build,
    summary: "`ADD` is used where `COPY` would do",
    why: "`ADD` also unpacks archives and fetches addresses: a file that changes its kind changes what happens.",
    fix: "Write `COPY`.",
    bad: "FROM debian:13-slim\nADD app /app\n",
    good: "FROM debian:13-slim\nCOPY app /app\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.9"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (_, step) in file.of(Keyword::Add) {
            let special = |text: &str| {
                let lower = text.to_ascii_lowercase();
                let archive = [".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".tbz2", ".txz"]
                    .iter()
                    .any(|end| lower.contains(end));
                archive || lower.contains("://") || lower.starts_with("git@") || lower.contains('$')
            };
            let plain = step.heredocs.is_empty() && step.sources().iter().all(|word| !special(&word.text));
            if plain && !step.sources().is_empty() {
                let sources: Vec<&str> = step.sources().iter().map(|word| word.text.as_str()).collect();
                let message = "`ADD` is used where `COPY` would do.";
                let copy = if step.name.text.starts_with('a') { "copy" } else { "COPY" };
                let plain_flags = step
                    .flags
                    .iter()
                    .all(|flag| matches!(flag.name.as_str(), "chown" | "chmod" | "link" | "exclude"));
                let mend = Mend::new(Level::Safe, TextEdit::replace(step.name.span, copy));
                file.report(findings, step.name.span, &sources.join(" "), message)
                    .mend(plain_flags.then_some(mend));
            }
        }
    }
}
