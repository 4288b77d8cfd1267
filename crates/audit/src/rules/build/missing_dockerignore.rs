//! What nobody leaves out goes in.

use super::environment_file_in_image::is_whole;
use crate::dockerfile::Keyword;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "missing-dockerignore",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Build,
    summary: "the whole folder is copied and nothing is left out",
    why: "The history of the repository, local settings, test data and whatever else lies in the folder become \
          part of the image; each change in any of them makes the build start over.",
    fix: "Write a `.dockerignore` that leaves out `.git`, `.env*`, and what the build makes itself.",
    bad: "--- compose.yaml\nservices:\n  web:\n    build: .\n--- Dockerfile\nFROM debian:13-slim\nCOPY . /app\n",
    good: "--- compose.yaml\nservices:\n  web:\n    build: .\n--- Dockerfile\nFROM debian:13-slim\nCOPY . /app\n--- \
          .dockerignore\n.git\n.env*\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.10"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        if file.ignore.is_some() || file.names.is_empty() {
            continue;
        }
        let mut copies = file.of(Keyword::Copy).chain(file.of(Keyword::Add));
        let whole = copies.find_map(|(_, step)| {
            let word = step.sources().iter().find(|source| is_whole(&source.text))?;
            step.flag("from").is_none().then_some(word)
        });
        if let Some(word) = whole {
            let message = "The whole folder is copied, and there is no `.dockerignore`.";
            file.report(findings, word.span, "context", message).absent("a `.dockerignore`");
        }
    }
}
