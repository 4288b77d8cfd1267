//! A file of secrets belongs to a machine, not to an image.

use crate::dockerfile::Keyword;
use crate::glob::matches;
use crate::{Confidence, Context, Example, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "secret-file-in-image",
    severity: Severity::High,
    grades: &[],
    group: Group::Build,
    summary: "file that holds secrets is copied into the image",
    why: "Whoever can pull the image can read the file, even if a later layer deletes it.",
    fix: "Leave it out with `.dockerignore`; mount it for the one command that needs it, or give it as a Compose \
          secret when the container starts.",
    bad: "FROM debian:13-slim\nCOPY id_rsa /app/.ssh/id_rsa\n",
    good: "FROM debian:13-slim\nRUN --mount=type=ssh git clone git@git.example.com:app.git\n",
    more: &[Example {
        of: "a folder of credentials",
        bad: "FROM debian:13-slim\nCOPY .aws /app/.aws\n",
        good: "FROM debian:13-slim\nRUN --mount=type=secret,id=aws ./fetch\n",
    }],
    references: &["CIS Docker 1.6, 4.10", "OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

/// Names of files that hold secrets; `*` stands for anything.
const NAMES: [&str; 22] = [
    ".env",
    ".env.local",
    ".env.production",
    ".env.prod",
    ".env.staging",
    ".env.development",
    "*.env",
    "id_rsa",
    "id_ed25519",
    "id_ecdsa",
    "id_dsa",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.keystore",
    ".netrc",
    ".git-credentials",
    ".pypirc",
    ".htpasswd",
    "credentials.json",
    "kubeconfig",
];
/// Folders that hold secrets.
const FOLDERS: [&str; 5] = [".ssh", ".aws", ".gnupg", ".kube", ".docker"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (stage, step) in file.of(Keyword::Copy).chain(file.of(Keyword::Add)) {
            if step.flag("from").is_some() || !file.is_shipped(stage) {
                continue;
            }
            for source in step.sources() {
                let path = source.text.trim_start_matches("./").trim_end_matches('/');
                let name = path.rsplit('/').next().unwrap_or_default();
                let folder = path.split('/').any(|part| FOLDERS.contains(&part));
                let is_public = name.contains(".pub") || name.contains("example") || name.contains("public");
                let listed = NAMES.iter().any(|pattern| matches(pattern, name));
                let out = file.ignore.as_ref().is_some_and(|ignore| ignore.excludes(path));
                if (listed || folder) && !is_public && !out {
                    let message = format!("`{}` is copied into the image.", source.text);
                    file.report(findings, source.span, &source.text, message).confidence(Confidence::Likely);
                }
            }
        }
    }
}
