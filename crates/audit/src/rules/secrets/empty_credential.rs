//! No password at all.

use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "empty-credential",
    severity: Severity::High,
    grades: &[],
    group: Group::Secrets,
    summary: "required credential is empty",
    why: "Some images refuse to start without it, others let everybody in. Most often a variable was forgotten: an unset \
          `${NAME}` counts as empty.",
    fix: "Set the variable, and write `${NAME:?set it}` so that forgetting it is noticed.",
    bad: "services:\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_PASSWORD: \"\"\n",
    good: "services:\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it}\n",
    more: &[],
    references: &["OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let Some(known) = service.known else { continue };
        for credential in &known.credentials {
            let name = &credential.variable;
            let file_given = service.environment.contains_key(&format!("{name}{}", known.file_suffix()));
            let Some(value) = service.environment.get(name).filter(|_| !file_given) else { continue };
            if value.value.as_ref().is_some_and(|value| value.reveal().trim().is_empty()) {
                let message = format!("The credential `{name}` of `{}` is empty.", service.name.value);
                let finding = findings.report(service.place(&["environment", name]), value.span, message);
                finding.snippet(&[super::literal_credential::from_outside(&service, name)]);
            }
        }
    }
}
