//! Everybody on the machine can read command lines.

use seaworthy_project::model::healthcheck::HealthTest;
use seaworthy_project::{Span, credentials_in_words};

use crate::credential::{password_in_url, references, token_name};
use crate::{Context, Example, Findings, Group, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "credential-in-command",
    severity: Severity::High,
    grades: &[],
    group: Group::Secrets,
    summary: "command line holds a credential",
    why: "Command lines show up in process lists, in `inspect` and in logs, for every user of the machine.",
    fix: "Give it through a secret file or a variable that the program reads itself.",
    bad: "services:\n  cache:\n    image: redis:8\n    command: [redis-server, --requirepass, hunter2]\n",
    good: "services:\n  cache:\n    image: redis:8\n    command: [redis-server, /run/secrets/redis.conf]\n",
    more: &[
        Example {
            of: "a client's password",
            bad: "services:\n  db:\n    image: mysql:8.4\n    healthcheck:\n      test: [CMD, mysqladmin, ping, \
                  \"-pq8Zk2vNw77Lp\"]\n",
            good: "services:\n  db:\n    image: mysql:8.4\n    healthcheck:\n      test: [CMD, mysqladmin, \
                   ping]\n",
        },
        Example {
            of: "the header of a request",
            bad: "services:\n  web:\n    image: shop:1.4\n    command: [curl, -H, \"Authorization: Bearer \
                  q8Zk2vNw77Lp\", \"http://api/\"]\n",
            good: "services:\n  web:\n    image: shop:1.4\n    command: [curl, -H, \"@/run/secrets/header\", \
                   \"http://api/\"]\n",
        },
    ],
    references: &["OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let words: Vec<&str> = service.words().collect();
        if holds(&words) && is_written(context, &service.command_span()) {
            let message = format!("The command of `{}` holds a credential.", service.name.value);
            findings.report(service.place(&["command"]), service.command_span(), message);
        }
        let words = health_words(&service);
        let span = service.span_of(&["healthcheck", "test"]);
        if holds(&words) && is_written(context, &span) {
            let message = format!("The health check of `{}` holds a credential.", service.name.value);
            findings.report(service.place(&["healthcheck", "test"]), span, message);
        }
    }
}

fn health_words<'project>(service: &Subject<'project>) -> Vec<&'project str> {
    match service.service().healthcheck.as_ref().and_then(|check| check.value.test.as_ref()) {
        Some(HealthTest::Command(words)) => words.iter().map(String::as_str).collect(),
        Some(HealthTest::Shell(text)) => text.split_whitespace().collect(),
        _ => Vec::new(),
    }
}

/// Whether words hold a credential: behind a flag or in a header, in an address, or by its form.
fn holds(words: &[&str]) -> bool {
    !credentials_in_words(words.iter().copied()).is_empty()
        || words.iter().any(|word| password_in_url(word).is_some() || token_name(word).is_some())
}

/// Whether the place is written out in a Compose file, and not filled by a variable.
fn is_written(context: &Context<'_>, span: &Span) -> bool {
    context.raw(span).is_some_and(|raw| references(raw).next().is_none())
}
