//! An argument before the first stage is not known in the stages.

use std::collections::HashSet;

use crate::dockerfile::{Dockerfile, Instruction, Keyword};
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "unset-build-variable",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Build,
    summary: "argument is empty in this stage",
    why: "An `ARG` before the first `FROM` can be used in `FROM` lines only. In a stage it is empty until it is \
          declared again, so paths and versions silently lose a part.",
    fix: "Repeat `ARG NAME` after `FROM`; it keeps its default.",
    bad: "ARG VERSION=1.4\nFROM debian:13-slim\nCOPY app-$VERSION /app\n",
    good: "ARG VERSION=1.4\nFROM debian:13-slim\nARG VERSION\nCOPY app-$VERSION /app\n",
    more: &[],
    references: &["Dockerfile reference"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        let globals = file.dockerfile.instructions.iter().take_while(|step| step.keyword != Keyword::From);
        let globals: HashSet<&str> =
            globals.flat_map(|step| &step.pairs).map(|pair| pair.name.text.as_str()).collect();
        if globals.is_empty() {
            continue;
        }
        for stage in (0..file.dockerfile.stages.len()).filter(|stage| file.is_needed(*stage)) {
            let before = file.dockerfile.chain(stage);
            let inherited =
                before[..before.len() - 1].iter().flat_map(|stage| file.dockerfile.of_stage(*stage));
            let mut known: HashSet<&str> = inherited.flat_map(names_set).collect();
            for step in file.dockerfile.of_stage(stage).iter().skip(1) {
                let commands = step.commands.iter().flat_map(|command| &command.words);
                let values = step.pairs.iter().filter_map(|pair| pair.value.as_ref());
                let words = step.words.iter().chain(values).chain(commands.filter(|word| !word.literal));
                for word in words {
                    for (name, has_default) in Dockerfile::variables(&word.text) {
                        if globals.contains(name)
                            && !known.contains(name)
                            && !has_default
                            && !sets_itself(step, name)
                        {
                            let message = format!(
                                "`{name}` is empty here: it is declared before the first `FROM` only."
                            );
                            file.report(findings, word.span, &format!("{stage} {name}"), message);
                        }
                    }
                }
                known.extend(names_set(step));
            }
        }
    }
}

/// The names that an instruction makes known to those after it.
fn names_set(step: &Instruction) -> impl Iterator<Item = &str> {
    let sets = matches!(step.keyword, Keyword::Arg | Keyword::Env);
    step.pairs.iter().filter(move |_| sets).map(|pair| pair.name.text.as_str())
}

/// Whether a `RUN` sets the variable by itself.
fn sets_itself(step: &Instruction, name: &str) -> bool {
    step.commands.iter().any(|command| {
        let sets = |text: &str| text.strip_prefix(name).is_some_and(|rest| rest.starts_with('='));
        command.assignments.iter().chain(&command.words).any(|word| sets(&word.text))
            || (matches!(command.program(), "for" | "read") && command.has(name))
    })
}
