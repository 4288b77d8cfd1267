//! Addresses are logged, and a password in an address is logged with it.

use seaworthy_project::is_credential_name;

use crate::credential::{password_in_url, written_value};
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "credential-in-url",
    severity: Severity::High,
    grades: &[],
    group: Group::Secrets,
    summary: "connection string holds a password",
    why: "Besides standing in the file, connection strings end up in logs and error messages as they are.",
    fix: "Take the password from a variable: `postgres://shop:${DB_PASSWORD:?set it}@db/shop`, or the whole string.",
    bad: "services:\n  web:\n    image: shop:1.4\n    environment:\n      DATABASE_URL: postgres://shop:hunter2@db/shop\n",
    good: "services:\n  web:\n    image: shop:1.4\n    environment:\n      DATABASE_URL: postgres://shop:${DB_PASSWORD:?set it}@db/shop\n",
    more: &[],
    references: &["OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for (name, value) in &service.service().environment {
            if context.is_environment_file(&value.span) || is_credential_name(name) {
                continue;
            }
            let raw = context.raw(&value.span).map(|raw| written_value(raw, name)).unwrap_or_default();
            let resolved = value.value.as_ref().map(|value| value.reveal()).unwrap_or_default();
            if password_in_url(raw).is_some() && password_in_url(resolved).is_some() {
                let message =
                    format!("The connection string `{name}` of `{}` holds a password.", service.name.value);
                findings.report(service.place(&["environment", name]), value.span, message);
            }
        }
    }
}
