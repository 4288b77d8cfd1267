//! There is a newer way to write it.

use crate::dockerfile::Keyword;
use crate::mend::{label, old_variable};
use crate::{Context, Findings, Group, Level, Mend, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "dated-instruction",
    severity: Severity::Info,
    grades: &[],
    group: Group::Build,
    summary: "instruction is written in a way that has been replaced",
    why: "`MAINTAINER` is deprecated, `ENV NAME value` allows one variable only and is deprecated too, and a `cd` \
          is forgotten at the end of its `RUN`.",
    fix: "Write `LABEL org.opencontainers.image.authors=…`, `ENV NAME=value` and `WORKDIR`.",
    bad: "FROM debian:13-slim\nMAINTAINER someone\n",
    good: "FROM debian:13-slim\nLABEL org.opencontainers.image.authors=\"someone\"\n",
    more: &[],
    references: &["Dockerfile reference"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (_, step) in file.steps() {
            let old = step.pairs.iter().find(|pair| pair.is_old && step.keyword == Keyword::Env);
            let only_cd = step.keyword == Keyword::Run
                && step.commands.len() == 1
                && step.commands[0].program() == "cd";
            let (span, evidence, message) = if step.keyword == Keyword::Maintainer {
                (step.name.span, "MAINTAINER", "`MAINTAINER` is deprecated.".to_owned())
            } else if let Some(pair) = old {
                (
                    step.span,
                    pair.name.text.as_str(),
                    format!("`ENV {}` is written without `=`.", pair.name.text),
                )
            } else if only_cd {
                (step.span, "cd", "This `cd` is forgotten at the end of its line.".to_owned())
            } else {
                continue;
            };
            let raw = context.raw(&step.span).unwrap_or_default();
            let edit = match step.keyword {
                Keyword::Maintainer => label(step, raw),
                Keyword::Env => old_variable(step, raw),
                _ => None,
            };
            let mend = edit.map(|edit| Mend::new(Level::Safe, edit));
            file.report(findings, span, evidence, message).mend(mend);
        }
    }
}
