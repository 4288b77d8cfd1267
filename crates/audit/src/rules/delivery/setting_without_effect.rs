//! A variable that an image does not read changes nothing.

use seaworthy_project::is_credential_name;

use crate::{Context, Example, Findings, Grade, Group, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "setting-without-effect",
    severity: Severity::Medium,
    grades: &[CREDENTIAL],
    group: Group::Delivery,
    summary: "image does not read a variable it is given",
    why: "It looks as if it was set, and production runs with the default: little memory for a large database, or a password \
          that nobody is asked for.",
    fix: "Set it where the image reads it, usually by an argument of its command.",
    bad: "services:\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_SHARED_BUFFERS: 256MB\n",
    good: "services:\n  db:\n    image: postgres:17\n    command: [postgres, -c, shared_buffers=256MB]\n",
    more: &[Example {
        of: "a password that nobody asks for",
        bad: "services:\n  cache:\n    image: redis:8\n    environment:\n      REDIS_PASSWORD: \
                  ${API_TOKEN:?set it}\n",
        good: "services:\n  cache:\n    image: redis:8\n    command: [redis-server, \
                   /run/secrets/redis.conf]\n",
    }],
    references: &["The Twelve-Factor App, III"],
    check,
};

const CREDENTIAL: Grade = Grade::new(
    Severity::High,
    "where the variable is named like a credential: who set it believes that a password is asked for",
);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let Some(known) = service.known else { continue };
        for ineffective in &known.ineffective {
            let name = &ineffective.variable;
            let Some(value) = service.environment.get(name) else { continue };
            if value.value.is_none() || is_read_by_command(&service, name) {
                continue;
            }
            let message = format!(
                "`{name}` of `{}` does nothing: {} does not read it.",
                service.name.value, known.title
            );
            let finding = findings.report(service.place(&["environment", name]), value.span, message);
            finding.help(format!("What works is {}.", ineffective.instead));
            if is_credential_name(name) {
                finding.grade(CREDENTIAL);
            }
        }
    }
}

/// Whether the service's own command, health check, or an entry point of its own can read the variable.
fn is_read_by_command(service: &Subject<'_>, name: &str) -> bool {
    let test = service.service().node.at(&["healthcheck", "test"]);
    let commands = test.into_iter().flat_map(|test| test.items()).filter_map(|item| item.text());
    let named = service.words().chain(commands).any(|word| word.contains(name) || word.ends_with(".sh"));
    named || service.entrypoint.is_some()
}
