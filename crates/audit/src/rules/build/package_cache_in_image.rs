//! What nobody needs any more still has to be carried.

use crate::dockerfile::{Instruction, Keyword};
use crate::mend::append_command;
use crate::package_manager::{Manager, installs};
use crate::shell::Command;
use crate::{BuildFile, Context, Example, Findings, Group, Level, Mend, Rule, Severity, TextEdit};

pub(crate) const RULE: Rule = Rule {
    id: "package-cache-in-image",
    severity: Severity::Low,
    grades: &[],
    group: Group::Build,
    summary: "lists or caches of a package manager stay in the image",
    why: "The image gets larger by what only the build needed, and every deploy moves it.",
    fix: "Delete it in the same `RUN` (`rm -rf /var/lib/apt/lists/*`, `apk add --no-cache`, `pip install \
          --no-cache-dir`), or keep it out with `RUN --mount=type=cache,target=…`.",
    bad: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends tini\n",
    good: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf \
          /var/lib/apt/lists/*\n",
    more: &[
        Example {
            of: "Alpine",
            bad: "FROM alpine:3.22\nRUN apk add tini\n",
            good: "FROM alpine:3.22\nRUN apk add --no-cache tini\n",
        },
        Example {
            of: "Python",
            bad: "FROM python:3.13-slim\nRUN pip install flask==3.1.0\n",
            good: "FROM python:3.13-slim\nRUN pip install --no-cache-dir flask==3.1.0\n",
        },
    ],
    references: &["CIS Docker 1.6, 4.3"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (stage, step) in file.of(Keyword::Run).filter(|(stage, _)| file.is_shipped(*stage)) {
            let mounted = step.flags.iter().any(|flag| {
                flag.name == "mount"
                    && flag.value.as_deref().is_some_and(|value| value.contains("type=cache"))
            });
            if mounted {
                continue;
            }
            for command in &step.commands {
                let Some((manager, _)) = installs(command) else { continue };
                if let Some(what) = left(file, stage, step, command, manager) {
                    let message =
                        format!("`{} {}` leaves {what} in the image.", command.program(), command.verb());
                    let raw = context.raw(&step.span).unwrap_or_default();
                    let mend = cleaned(step, raw, command, manager).map(|edit| Mend::new(Level::Safe, edit));
                    let evidence = format!("{stage} {}", command.text());
                    file.report(findings, command.span, &evidence, message).mend(mend);
                }
            }
        }
    }
}

/// The edit after which nothing is left behind.
fn cleaned(step: &Instruction, raw: &str, command: &Command, manager: Manager) -> Option<TextEdit> {
    let behind = |verb: &str, flag: &str| {
        let verb = command.arguments().iter().find(|word| word.text == verb)?;
        Some(TextEdit::after(verb.span, format!(" {flag}")))
    };
    match manager {
        Manager::Apt => append_command(step, raw, "rm -rf /var/lib/apt/lists/*"),
        Manager::Apk => behind("add", "--no-cache"),
        Manager::Pip => behind("install", "--no-cache-dir"),
        Manager::Dnf => append_command(step, raw, &format!("{} clean all", command.program())),
        Manager::Zypper => append_command(step, raw, "zypper clean --all"),
        _ => None,
    }
}

/// What an installation leaves behind.
fn left(
    file: &BuildFile<'_>,
    stage: usize,
    step: &Instruction,
    command: &Command,
    manager: Manager,
) -> Option<&'static str> {
    let removes = |folder: &str| {
        step.commands.iter().any(|other| {
            other.program() == "rm" && other.arguments().iter().any(|word| word.text.contains(folder))
        })
    };
    let cleans = |program: &[&str]| {
        step.commands.iter().any(|other| program.contains(&other.program()) && other.has("clean"))
    };
    let is_set = |name: &str| {
        let chain = file.dockerfile.chain(stage);
        let steps = chain.iter().flat_map(|stage| file.dockerfile.of_stage(*stage));
        steps
            .filter(|step| matches!(step.keyword, Keyword::Env | Keyword::Arg))
            .flat_map(|step| &step.pairs)
            .any(|pair| pair.name.text == name)
    };
    match manager {
        Manager::Apt => (!removes("/var/lib/apt")).then_some("lists of packages"),
        Manager::Apk => (!command.has("--no-cache") && !removes("/var/cache/apk")).then_some("a cache"),
        Manager::Dnf => {
            (!cleans(&["yum", "dnf", "microdnf", "tdnf"]) && !removes("/var/cache")).then_some("a cache")
        }
        Manager::Zypper => (!cleans(&["zypper"])).then_some("a cache"),
        Manager::Pip => {
            (!command.has("--no-cache-dir") && !is_set("PIP_NO_CACHE_DIR") && !removes("/.cache"))
                .then_some("a cache")
        }
        _ => None,
    }
}
