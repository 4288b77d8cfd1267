//! What lies in the folder goes into the image.

use crate::dockerfile::Keyword;
use crate::environment_file::is_example;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "environment-file-in-image",
    severity: Severity::High,
    grades: &[],
    group: Group::Build,
    summary: "the whole folder is copied, and an environment file with it",
    why: "The file with the passwords of this machine becomes part of the image: whoever can pull it can read \
          them.",
    fix: "Add `.env*` to `.dockerignore`.",
    bad: "--- compose.yaml\nservices:\n  web:\n    build: .\n--- Dockerfile\nFROM debian:13-slim\nCOPY . /app\n--- \
          .env\nA=b\n",
    good: "--- compose.yaml\nservices:\n  web:\n    build: .\n--- Dockerfile\nFROM debian:13-slim\nCOPY . /app\n--- \
          .env\nA=b\n--- .dockerignore\n.env*\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.10", "OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        let names = file.names.iter().filter_map(|name| name.to_str());
        let is_one = |name: &&str| *name == ".env" || (name.starts_with(".env.") && !is_example(name));
        let Some(sent) = names.filter(is_one).find(|name| file.sends(name)) else { continue };
        for (stage, step) in file.of(Keyword::Copy).chain(file.of(Keyword::Add)) {
            let whole = step.sources().iter().find(|source| is_whole(&source.text));
            if let Some(word) = whole.filter(|_| step.flag("from").is_none() && file.is_shipped(stage)) {
                let message = format!("`{sent}` is copied into the image with everything else.");
                file.report(findings, word.span, sent, message);
                break;
            }
        }
    }
}

/// Whether a source of `COPY` is the whole context.
pub(in crate::rules) fn is_whole(source: &str) -> bool {
    matches!(source, "." | "./" | "/" | "*" | "./*" | "./.")
}
