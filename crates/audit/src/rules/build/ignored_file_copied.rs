//! What was left out cannot be copied.

use crate::dockerfile::Keyword;
use crate::{Confidence, Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "ignored-file-copied",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Build,
    summary: "file is copied that `.dockerignore` leaves out",
    why: "The file is not part of what the builder gets, so the build fails with the words \"not found\" though \
          the file is there.",
    fix: "Let it in with `!name` at the end of `.dockerignore`, or do not copy it.",
    bad: "--- compose.yaml\nservices:\n  web:\n    build: .\n--- Dockerfile\nFROM debian:13-slim\nCOPY dist \
          /app\n--- .dockerignore\ndist\n",
    good: "--- compose.yaml\nservices:\n  web:\n    build: .\n--- Dockerfile\nFROM debian:13-slim\nCOPY dist \
          /app\n--- .dockerignore\n*.log\n",
    more: &[],
    references: &["Dockerfile reference"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        let Some(ignore) = &file.ignore else { continue };
        for (_, step) in file.of(Keyword::Copy).chain(file.of(Keyword::Add)) {
            if step.flag("from").is_some() {
                continue;
            }
            for word in step.sources() {
                let path = word.text.trim_start_matches(['.', '/']);
                let plain = !path.is_empty()
                    && !word.text.contains(['*', '?', '[', '$'])
                    && !word.text.contains("://");
                let path = word.text.trim_start_matches("./").trim_start_matches('/').trim_end_matches('/');
                if plain && ignore.excludes(path) {
                    let message =
                        format!("`{}` is left out by `.dockerignore`, so it cannot be copied.", word.text);
                    file.report(findings, word.span, &word.text, message).confidence(Confidence::Likely);
                }
            }
        }
    }
}
