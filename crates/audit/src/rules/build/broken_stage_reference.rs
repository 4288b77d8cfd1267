//! A stage that is not there, or is there twice, gives another image than one believes.

use crate::dockerfile::sources_elsewhere;
use crate::{BuildFile, Context, Example, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "broken-stage-reference",
    severity: Severity::High,
    grades: &[],
    group: Group::Build,
    summary: "stage or base image is named that cannot be found",
    why: "A stage can only take files from stages before it. A name that is no stage is taken for an image of that \
          name in a public registry, which may belong to anyone; of two stages with one name only the last counts.",
    fix: "Name a stage that stands before this one, and give each stage a name of its own.",
    bad: "FROM debian:13-slim AS build\nRUN make\nFROM debian:13-slim\nCOPY --from=2 /app /app\n",
    good: "FROM debian:13-slim AS build\nRUN make\nFROM debian:13-slim\nCOPY --from=build /app /app\n",
    more: &[
        Example {
            of: "two stages with one name",
            bad: "FROM debian:13-slim AS app\nRUN make\nFROM debian:13-slim AS app\nCOPY . /app\n",
            good: "FROM debian:13-slim AS build\nRUN make\nFROM debian:13-slim AS app\nCOPY . /app\n",
        },
        Example {
            of: "a base image with a part that nobody sets",
            bad: "ARG VERSION\nFROM debian:${VERSION}\n",
            good: "ARG VERSION=13-slim\nFROM debian:${VERSION}\n",
        },
    ],
    references: &["Dockerfile reference"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        let stages = &file.dockerfile.stages;
        for (index, stage) in stages.iter().enumerate() {
            if let Some(name) = &stage.name {
                let reserved = matches!(name.text.as_str(), "scratch" | "context");
                let twice = file.dockerfile.stage_named(&name.text, index).is_some();
                if reserved || twice {
                    let message = if reserved {
                        format!("The stage name `{}` has a meaning of its own.", name.text)
                    } else {
                        format!("There are two stages with the name `{}`.", name.text)
                    };
                    file.report(findings, name.span, &name.text, message);
                }
            }
            base(file, index, findings);
        }
        for (index, step) in file.steps() {
            for (from, span) in sources_elsewhere(step) {
                let number = from.parse::<usize>().ok().filter(|number| *number >= index);
                let later = file.dockerfile.stage_named(from, stages.len()).filter(|found| *found >= index);
                if from.contains('$') || (number.is_none() && later.is_none()) {
                    continue;
                }
                if number.is_none() && file.dockerfile.stage_named(from, index).is_some() {
                    continue;
                }
                let message = format!("The stage `{from}` does not stand before this one.");
                file.report(findings, span, from, message);
            }
        }
    }
}

/// A base image whose name comes from an argument that nobody sets.
fn base(file: &BuildFile<'_>, index: usize, findings: &mut Findings) {
    let word = &file.dockerfile.stages[index].base;
    if !file.is_needed(index) || !word.text.contains('$') {
        return;
    }
    let unset =
        |build: &crate::Build<'_>| file.dockerfile.fill_global(&word.text, &build.arguments).is_none();
    if file.builds.iter().any(unset) {
        let message = format!("The base image `{}` has a part that nobody sets.", word.text);
        let finding = file.report(findings, word.span, &word.text, message);
        finding.help("Give the argument a default before the first `FROM`, or a value in `build.args`.");
    }
}
