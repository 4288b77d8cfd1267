//! What is built tomorrow should be what was tested today.

use seaworthy_catalog::Reference;
use seaworthy_project::Span;

use super::super::images::moving_tag::is_moving;
use crate::dockerfile::{Keyword, sources_elsewhere};
use crate::{BuildFile, Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "moving-base-image",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Build,
    summary: "base image has no version",
    why: "Without a tag, or with one such as `latest`, the same Dockerfile gives another image at each build: a \
          new major version can break it, and nobody can say what is inside.",
    fix: "Name the version that you tested: `FROM node:22-slim`.",
    bad: "FROM node:latest\n",
    good: "FROM node:22-slim\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.2", "OWASP Docker Security Cheat Sheet, rule 13"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (stage, step) in file.of(Keyword::From) {
            let word = step.words.first();
            if let (Some(word), Some(base)) = (word, file.base(stage)) {
                judge(file, &base, word.span, findings);
            }
        }
        for (stage, step) in file.steps() {
            for (from, span) in sources_elsewhere(step) {
                let is_stage =
                    from.parse::<usize>().is_ok() || file.dockerfile.stage_named(from, stage).is_some();
                let is_context = file
                    .builds
                    .iter()
                    .any(|build| build.subject.node.at(&["build", "additional_contexts", from]).is_some());
                if !is_stage && !is_context && !from.contains('$') {
                    judge(file, from, span, findings);
                }
            }
        }
    }
}

fn judge(file: &BuildFile<'_>, image: &str, span: Span, findings: &mut Findings) {
    let reference = Reference::parse(image);
    if reference.digest.is_some() {
        return;
    }
    let message = match reference.tag {
        None => format!("`{image}` has no tag, so it is whatever `latest` is at the next build."),
        Some(tag) if is_moving(tag) => format!("`{image}` has a tag that moves."),
        Some(_) => return,
    };
    file.report(findings, span, image, message);
}
