//! A datastore must ask who is there.

use seaworthy_catalog::Switch;

use crate::{Context, Example, Findings, Grade, Group, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "authentication-disabled",
    severity: Severity::High,
    grades: &[REACHED],
    group: Group::Data,
    summary: "everybody may come in without a password",
    why: "On a flat network every service, and whoever takes one over, can read and delete all data. When the port is published, \
          the whole internet can.",
    fix: "Remove the setting and give a password from a secret.",
    bad: "services:\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_HOST_AUTH_METHOD: trust\n",
    good: "services:\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it}\n",
    more: &[
        Example {
            of: "a service that can be reached from outside",
            bad: "services:\n  db:\n    image: postgres:17\n    ports: [\"5432:5432\"]\n    environment:\n      \
                  POSTGRES_HOST_AUTH_METHOD: trust\n",
            good: "services:\n  db:\n    image: postgres:17\n    ports: [\"5432:5432\"]\n    \
                   environment:\n      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it}\n",
        },
        Example {
            of: "an image that asks for no password unless it is given one",
            bad: "services:\n  db:\n    image: mongo:8\n",
            good: "services:\n  db:\n    image: mongo:8\n    environment:\n      MONGO_INITDB_ROOT_USERNAME: \
                   shop\n      MONGO_INITDB_ROOT_PASSWORD: ${DB_PASSWORD:?set it}\n",
        },
    ],
    references: &["OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

const REACHED: Grade = Grade::new(
    Severity::Critical,
    "where the service can be reached from outside: by a route, or by a port published beyond the machine",
);

/// Settings that many images understand.
const ANYWHERE: [&str; 2] = ["ALLOW_EMPTY_PASSWORD", "ALLOW_ANONYMOUS_LOGIN"];

/// Whether a value turns something on.
pub(crate) fn is_on(value: &str) -> bool {
    !matches!(value.trim().to_ascii_lowercase().as_str(), "" | "0" | "no" | "false" | "off")
}

/// Whether a service uses a setting, and the setting's name.
pub(crate) fn uses<'switch>(service: &Subject<'_>, switch: &'switch Switch) -> Option<&'switch str> {
    if let Some(name) = &switch.variable {
        let value = service.variable(name)?;
        let set = if switch.values.is_empty() {
            is_on(value)
        } else {
            switch.values.contains(&value.to_ascii_lowercase())
        };
        return set.then_some(name.as_str());
    }
    let argument = switch.argument.as_deref()?;
    let line = service.words().collect::<Vec<_>>().join(" ");
    let (_, rest) = line.split_once(argument)?;
    let value = rest.strip_prefix('=').map(|rest| rest.split(' ').next().unwrap_or_default());
    let ends = rest.is_empty() || rest.starts_with([' ', '=']);
    (ends && value.is_none_or(is_on)).then_some(argument)
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let mut settings: Vec<String> = Vec::new();
        if let Some(known) = service.known {
            settings.extend(
                known
                    .authentication_off
                    .iter()
                    .filter_map(|switch| uses(&service, switch))
                    .map(str::to_owned),
            );
        }
        for name in ANYWHERE {
            if service.variable(name).is_some_and(is_on) && !settings.iter().any(|setting| setting == name) {
                settings.push(name.to_owned());
            }
        }
        for setting in settings {
            let message =
                format!("`{setting}` lets everybody into `{}` without a password.", service.name.value);
            let span = service.environment.get(&setting).map_or(service.command_span(), |value| value.span);
            let finding = findings.report(service.place(&["environment"]), span, message).evidence(setting);
            if service.is_reachable() {
                finding.grade(REACHED);
            }
        }
        absent(&service, findings);
    }
}

/// Images that ask for no password unless they are given one.
fn absent(service: &Subject<'_>, findings: &mut Findings) {
    let Some(known) = service.known else { return };
    for credential in known.credentials.iter().filter(|credential| credential.open_when_absent) {
        let name = &credential.variable;
        let file = format!("{name}{}", known.file_suffix());
        let given = |name: &str| service.environment.contains_key(name);
        if given(name) || given(&file) || service.words().any(|word| matches!(word, "--auth" | "--keyFile")) {
            continue;
        }
        let message =
            format!("`{}` asks for no password, because `{name}` is not given.", service.name.value);
        let finding = findings.report(service.place(&["environment"]), service.name.span, message);
        finding.evidence(name).help(format!("Give `{name}` from a secret."));
        if service.is_reachable() {
            finding.grade(REACHED);
        }
    }
}
