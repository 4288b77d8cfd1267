//! A tag can be moved; a digest cannot.

use seaworthy_catalog::Reference;

use crate::dockerfile::Keyword;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "base-image-without-digest",
    severity: Severity::Info,
    grades: &[],
    group: Group::Build,
    summary: "base image has no digest",
    why: "The publisher, or who took his account, can put another image under the same tag.",
    fix: "Add the digest behind the tag, and let a bot keep it up to date: `FROM node:22-slim@sha256:…`.",
    bad: "FROM node:22-slim\n",
    good: "FROM node:22-slim@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\n",
    more: &[],
    references: &["OWASP Docker Security Cheat Sheet, rule 13"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (stage, step) in file.of(Keyword::From) {
            let (Some(word), Some(base)) = (step.words.first(), file.base(stage)) else { continue };
            let reference = Reference::parse(&base);
            if reference.digest.is_none() && reference.tag.is_some() {
                let message = format!("`{base}` has no digest.");
                file.report(findings, word.span, &base, message);
            }
        }
    }
}
