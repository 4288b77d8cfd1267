//! Debug mode shows the inside of a program to its visitors.

use super::super::data::authentication_disabled::is_on;
use crate::{Confidence, Context, EditValue, Example, Findings, Fix, Group, Level, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "debug-mode",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Delivery,
    summary: "service runs in development or debug mode",
    why: "Debug pages show source, settings and secrets to visitors, some run code they are given; development servers handle \
          one request at a time and restart when a file changes.",
    fix: "Set the variable to its production value in the production overlay, and start the production server.",
    bad: "services:\n  web:\n    image: shop:1.4\n    environment:\n      DEBUG: \"1\"\n",
    good: "services:\n  web:\n    image: shop:1.4\n    environment:\n      DEBUG: \"0\"\n",
    more: &[Example {
        of: "a development server",
        bad: "services:\n  web:\n    image: shop:1.4\n    command: npm run dev\n",
        good: "services:\n  web:\n    image: shop:1.4\n    command: node server.js\n",
    }],
    references: &["OWASP Top Ten 2021, A05"],
    check,
};

/// Variables that name a mode.
const MODES: [&str; 12] = [
    "NODE_ENV",
    "RAILS_ENV",
    "RACK_ENV",
    "FLASK_ENV",
    "APP_ENV",
    "ASPNETCORE_ENVIRONMENT",
    "DOTNET_ENVIRONMENT",
    "GO_ENV",
    "MIX_ENV",
    "ENVIRONMENT",
    "DJANGO_ENV",
    "SYMFONY_ENV",
];
/// Words of a command that start a development server.
const SERVERS: [&str; 9] = [
    "--reload",
    "--debug",
    "runserver",
    "nodemon",
    "start-dev",
    "webpack-dev-server",
    "cargo-watch",
    "air",
    "--watch",
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for (name, value) in &service.service().environment {
            let Some(text) = value.value.as_ref().map(|value| value.reveal()) else { continue };
            let Some(instead) = production_value(name, text.trim()) else { continue };
            let edit = service.edit(&["environment", name], EditValue::text(instead));
            let message = format!("`{name}` puts `{}` into development or debug mode.", service.name.value);
            let fix = Fix::new(Level::BehaviourChanging, vec![edit]);
            findings.report(service.place(&["environment", name]), value.span, message).fix(fix);
        }
        command(&service, findings);
    }
}

/// The value that production wants, when the variable has the one that development wants.
pub(in crate::rules) fn production_value(name: &str, value: &str) -> Option<&'static str> {
    let lower = value.to_ascii_lowercase();
    if MODES.contains(&name) && matches!(lower.as_str(), "development" | "dev" | "local" | "debug") {
        return Some(match name {
            "ASPNETCORE_ENVIRONMENT" | "DOTNET_ENVIRONMENT" => "Production",
            "APP_ENV" | "SYMFONY_ENV" if lower == "dev" => "prod",
            "MIX_ENV" => "prod",
            _ => "production",
        });
    }
    let switch =
        name == "DEBUG" || name.ends_with("_DEBUG") || name.ends_with("_DEBUG_MODE") || name == "DEBUG_MODE";
    if !switch || !is_on(value) || !matches!(lower.as_str(), "1" | "true" | "yes" | "on") {
        return None;
    }
    Some(match value {
        "1" => "0",
        "True" => "False",
        "yes" => "no",
        "on" => "off",
        _ => "false",
    })
}

fn command(service: &Subject<'_>, findings: &mut Findings) {
    let words: Vec<&str> = service.words().flat_map(str::split_whitespace).collect();
    if let Some(what) = development_server(&words) {
        let message = format!("`{}` starts a development server (`{what}`).", service.name.value);
        let finding = findings.report(service.place(&["command"]), service.command_span(), message);
        finding
            .confidence(Confidence::Likely)
            .help("Set `command` to the production server in the production overlay.");
    }
}

/// The words that start a development server.
pub(in crate::rules) fn development_server(words: &[&str]) -> Option<String> {
    let develops = |script: &str| {
        script.split([':', '-', '_']).any(|part| matches!(part, "dev" | "watch" | "develop" | "development"))
    };
    let three = words
        .windows(3)
        .find(|three| matches!(three, ["npm" | "pnpm" | "yarn", "run", script] if develops(script)));
    let two =
        words.windows(2).find(|two| matches!(two, ["yarn" | "pnpm", "dev"] | ["cargo", "watch" | "run"]));
    let one = words.windows(1).find(|one| SERVERS.contains(&one[0].rsplit('/').next().unwrap_or(one[0])));
    three.or(two).or(one).map(|found| found.join(" "))
}
