//! A password that everybody tries first is no password.

use crate::credential::{Verdict, verdicts};
use crate::{Context, Findings, Group, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "default-credential",
    severity: Severity::High,
    grades: &[],
    group: Group::Secrets,
    summary: "credential is one that everybody tries first",
    why: "Attacks begin with a short list: the name of the product, `password`, `admin`, counting digits, the user's own name. \
          What is on that list keeps nobody out.",
    fix: "Generate one, such as with `openssl rand -hex 24`, and give it from outside.",
    bad: "services:\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_PASSWORD: postgres\n",
    good: "services:\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it}\n",
    more: &[],
    references: &["OWASP Docker Security Cheat Sheet, rule 12", "OWASP Top Ten 2021, A07"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for (credential, verdict) in verdicts(context, &service) {
            let Verdict::Trivial(why) = verdict else { continue };
            let name = credential.name;
            let message =
                format!("The credential `{name}` of `{}` keeps nobody out: {why}.", service.name.value);
            let finding = findings.report(service.place(&["environment", name]), credential.span, message);
            finding.snippet(&[super::literal_credential::from_outside(&service, name)]);
        }
        left_at_default(&service, findings);
    }
}

/// An image with a well-known password that nobody changed, where requests from outside reach it.
fn left_at_default(service: &Subject<'_>, findings: &mut Findings) {
    let Some(known) = service.known.filter(|_| service.is_reachable()) else { return };
    for credential in known.credentials.iter().filter(|credential| credential.default.is_some()) {
        let name = &credential.variable;
        let file = format!("{name}{}", known.file_suffix());
        if service.environment.contains_key(name) || service.environment.contains_key(&file) {
            continue;
        }
        let message = format!("`{}` keeps the default password of {}.", service.name.value, known.title);
        let finding = findings.report(service.place(&["environment", name]), service.name.span, message);
        finding.snippet(&[super::literal_credential::from_outside(service, name)]);
    }
}
