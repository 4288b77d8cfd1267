//! Of several, the last counts.

use crate::dockerfile::Keyword;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "overridden-instruction",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Build,
    summary: "instruction is overridden by a later one",
    why: "Only the last `CMD`, `ENTRYPOINT` and `HEALTHCHECK` of a stage counts; the others do nothing, though \
          they look as if they did.",
    fix: "Remove the one that is not meant.",
    bad: "FROM debian:13-slim\nCMD [\"one\"]\nCMD [\"two\"]\n",
    good: "FROM debian:13-slim\nCMD [\"two\"]\n",
    more: &[],
    references: &["Dockerfile reference"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for stage in (0..file.dockerfile.stages.len()).filter(|stage| file.is_needed(*stage)) {
            for keyword in [Keyword::Cmd, Keyword::Entrypoint, Keyword::Healthcheck] {
                let steps: Vec<_> =
                    file.dockerfile.of_stage(stage).iter().filter(|step| step.keyword == keyword).collect();
                let Some((last, dead)) = steps.split_last() else { continue };
                for (number, step) in dead.iter().enumerate() {
                    let name = step.name.text.to_ascii_uppercase();
                    let message =
                        format!("This `{name}` does nothing: a later one of the same stage counts.");
                    let finding =
                        file.report(findings, step.span, &format!("{stage} {name} {number}"), message);
                    finding.related(last.span, "this one counts");
                }
            }
        }
    }
}
