//! Software that gets no fixes keeps its holes.

use seaworthy_catalog::{Reference, lookup};

use crate::dockerfile::Keyword;
use crate::{Context, Example, Findings, Grade, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "end-of-life-base-image",
    severity: Severity::High,
    grades: &[LEFT_BEHIND],
    group: Group::Build,
    summary: "base image is of a series that gets no fixes any more",
    why: "Holes found after the last release of a series stay open for ever, and everybody can read about them.",
    fix: "Move to a series that is maintained.",
    bad: "FROM node:14-slim\n",
    good: "FROM node:22-slim\n",
    more: &[Example {
        of: "a stage that only builds",
        bad: "FROM node:14-slim AS build\nRUN npm ci\nFROM debian:13-slim\nCOPY --from=build /app /app\n",
        good: "FROM node:22-slim AS build\nRUN npm ci\nFROM debian:13-slim\nCOPY --from=build /app /app\n",
    }],
    references: &["CIS Docker 1.6, 4.4", "OWASP Docker Security Cheat Sheet, rule 0"],
    check,
};

const LEFT_BEHIND: Grade =
    Grade::new(Severity::Medium, "where the stage only builds and is not part of the image");

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (stage, step) in file.of(Keyword::From) {
            let (Some(word), Some(base)) = (step.words.first(), file.base(stage)) else { continue };
            let Some(known) = lookup(&base) else { continue };
            let Some(ended) = known.ended(&Reference::parse(&base)) else { continue };
            let message =
                format!("`{base}`: {} {} gets no fixes since {}.", known.title, ended.series, ended.since);
            let finding = file.report(findings, word.span, &base, message);
            if !file.is_shipped(stage) {
                finding.grade(LEFT_BEHIND);
            }
        }
    }
}
