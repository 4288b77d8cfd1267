//! A folder should not depend on what stood before.

use crate::dockerfile::Keyword;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "odd-workdir",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Build,
    summary: "working folder is relative, or belongs to the system",
    why: "A relative `WORKDIR` depends on the base image, which may change it; a program in a folder of the system \
          mixes its files with those of the system, and may replace them.",
    fix: "Name a folder of its own with its whole path: `WORKDIR /app`.",
    bad: "FROM debian:13-slim\nWORKDIR app\n",
    good: "FROM debian:13-slim\nWORKDIR /app\n",
    more: &[],
    references: &["Dockerfile reference"],
    check,
};

const SYSTEM: [&str; 13] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/sbin",
    "/sys",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/sbin",
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for stage in (0..file.dockerfile.stages.len()).filter(|stage| file.is_needed(*stage)) {
            let chain = file.dockerfile.chain(stage);
            let all = chain.iter().flat_map(|stage| file.dockerfile.of_stage(*stage));
            let mut is_absolute = false;
            for step in all.filter(|step| step.keyword == Keyword::Workdir) {
                let Some(word) = step.words.first() else { continue };
                let path = word.text.as_str();
                let whole = path.starts_with(['/', '$', '\\']) || path.get(1..2) == Some(":");
                let message = if !whole && !is_absolute {
                    format!("`WORKDIR {path}` depends on the base image.")
                } else if SYSTEM.contains(&path.trim_end_matches('/')) {
                    format!("`{path}` belongs to the system.")
                } else {
                    is_absolute |= whole;
                    continue;
                };
                is_absolute |= whole;
                file.report(findings, word.span, path, message);
            }
        }
    }
}
