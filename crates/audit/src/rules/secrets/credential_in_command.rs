//! Everybody on the machine can read command lines.

use seaworthy_project::Span;
use seaworthy_project::model::healthcheck::HealthTest;

use crate::credential::{password_in_url, references, token_name};
use crate::{Context, Findings, Group, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "credential-in-command",
    severity: Severity::High,
    group: Group::Secrets,
    summary: "command line holds a credential",
    why: "Command lines show up in process lists, in `inspect` and in logs, for every user of the machine.",
    fix: "Give it through a secret file or a variable that the program reads itself.",
    bad: "services:\n  cache:\n    image: redis:8\n    command: [redis-server, --requirepass, hunter2]\n",
    good: "services:\n  cache:\n    image: redis:8\n    command: [redis-server, /run/secrets/redis.conf]\n",
    references: &["OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

/// Programs that take a password right behind `-p`.
const MYSQL_CLIENTS: [&str; 6] =
    ["mysql", "mysqladmin", "mysqldump", "mariadb", "mariadb-admin", "mariadb-dump"];
/// Programs that take a password after `-a`.
const REDIS_CLIENTS: [&str; 2] = ["redis-cli", "valkey-cli"];

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

/// Whether words hold a credential: after a flag for one, in an address, or by its form.
fn holds(words: &[&str]) -> bool {
    let value = |word: &str| {
        let word = word.trim_matches(['"', '\'']);
        word.len() > 2 && !word.starts_with(['-', '$', '/', '.'])
    };
    let flag = |word: &str| {
        let name = word.trim_start_matches('-').to_ascii_lowercase();
        let asks = ["password", "requirepass", "passwd", "token", "secret", "api-key", "apikey"]
            .contains(&name.as_str());
        word.starts_with("--") && asks
    };
    let pairs = words.windows(2).any(|pair| flag(pair[0]) && value(pair[1]));
    let joined =
        words.iter().any(|word| word.split_once('=').is_some_and(|(name, text)| flag(name) && value(text)));
    pairs
        || joined
        || of_a_client(words)
        || in_header(words)
        || words.iter().any(|word| password_in_url(word).is_some() || token_name(word).is_some())
}

/// Whether a database's client is given its password: `mysql -pPASSWORD`, `redis-cli -a PASSWORD`.
fn of_a_client(words: &[&str]) -> bool {
    let runs = |names: &[&str]| {
        words.iter().any(|word| {
            let program = word.rsplit('/').next().unwrap_or(word).trim_matches(['"', '\'']);
            names.contains(&program)
        })
    };
    let written = |value: &str| {
        let value = value.trim_matches(['"', '\'']);
        !value.is_empty() && !value.contains('$') && !value.starts_with('-')
    };
    let joined = words.iter().filter_map(|word| word.strip_prefix("-p")).any(written);
    let behind = words.windows(2).any(|pair| pair[0] == "-a" && written(pair[1]));
    (joined && runs(&MYSQL_CLIENTS)) || (behind && runs(&REDIS_CLIENTS))
}

/// Whether a request is made in somebody's name: `Authorization: Bearer …`.
fn in_header(words: &[&str]) -> bool {
    let line = words.join(" ").to_ascii_lowercase();
    ["authorization: bearer ", "authorization: basic "].iter().any(|header| {
        line.split_once(header).is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
    })
}

/// Whether the place is written out in a Compose file, and not filled by a variable.
fn is_written(context: &Context<'_>, span: &Span) -> bool {
    context.raw(span).is_some_and(|raw| references(raw).next().is_none())
}
