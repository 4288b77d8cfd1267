//! An image is built for production.

use super::super::delivery::debug_mode::{development_server, production_value};
use crate::dockerfile::{Keyword, Pair};
use crate::{Build, BuildFile, Confidence, Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "development-mode-in-image",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Build,
    summary: "image starts in development or debug mode",
    why: "Debug pages show source, settings and secrets to visitors, some run code they are given; development \
          servers handle one request at a time.",
    fix: "Set the variable to its production value, and start the production server.",
    bad: "FROM python:3.13-slim\nENV FLASK_ENV=development\n",
    good: "FROM python:3.13-slim\nENV FLASK_ENV=production\n",
    more: &[],
    references: &["OWASP Top Ten 2021, A05"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for build in file.images(|_| true) {
            variables(file, build, findings);
            let service = build.subject.service();
            let entrypoint = build.last(file, Keyword::Entrypoint).filter(|_| service.entrypoint.is_none());
            let command = build.last(file, Keyword::Cmd).filter(|_| !build.is_command_replaced());
            let steps: Vec<_> = entrypoint.into_iter().chain(command).collect();
            let words: Vec<&str> = steps
                .iter()
                .flat_map(|step| &step.commands)
                .flat_map(|command| &command.words)
                .map(|word| word.text.as_str())
                .collect();
            if let (Some(what), Some(step)) = (development_server(&words), steps.last()) {
                let message = format!("The image starts a development server (`{what}`).");
                file.report(findings, step.span, &what, message).confidence(Confidence::Likely);
            }
        }
    }
}

/// Variables that the image sets last, and the Compose file leaves alone.
fn variables(file: &BuildFile<'_>, build: &Build<'_>, findings: &mut Findings) {
    let mut last: Vec<&Pair> = Vec::new();
    let pairs = build.steps(file).filter(|step| step.keyword == Keyword::Env).flat_map(|step| &step.pairs);
    for pair in pairs {
        last.retain(|other| other.name.text != pair.name.text);
        last.push(pair);
    }
    for pair in last {
        let name = pair.name.text.as_str();
        let value = pair.value.as_ref().map_or("", |value| value.text.as_str());
        if build.subject.variable(name).is_none() && production_value(name, value).is_some() {
            let message = format!("`{name}={value}` puts the image into development or debug mode.");
            file.report(findings, pair.name.span, name, message);
        }
    }
}
