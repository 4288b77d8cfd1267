//! Tokens of a provider work for whoever reads them.

use crate::credential::{Verdict, token_name, verdicts};
use crate::{Context, Findings, Group, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "known-token",
    severity: Severity::Critical,
    grades: &[],
    group: Group::Secrets,
    summary: "token or private key of a provider stands in the file",
    why: "By its form anyone can tell whose it is, and machines search public repositories for exactly this. It works from \
          anywhere until it is revoked, and stays in the history of the repository.",
    fix: "Revoke it and make a new one, then give that as a variable that must be set or as a secret.",
    bad: "services:\n  web:\n    image: shop:1.4\n    environment:\n      PAYMENT: sk_live_0000000000000000000000\n",
    good: "services:\n  web:\n    image: shop:1.4\n    environment:\n      PAYMENT: ${PAYMENT:?set it}\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.10", "OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for (credential, verdict) in verdicts(context, &service) {
            let Verdict::Token(whose) = verdict else { continue };
            let message =
                format!("`{}` of `{}` holds a {whose} in the file.", credential.name, service.name.value);
            let finding =
                findings.report(service.place(&["environment", credential.name]), credential.span, message);
            finding.snippet(&[super::literal_credential::from_outside(&service, credential.name)]);
        }
        in_labels(&service, findings);
    }
}

/// Labels are read by everybody who may list containers.
fn in_labels(service: &Subject<'_>, findings: &mut Findings) {
    for (label, value) in &service.service().labels {
        if let Some(whose) = token_name(&value.value) {
            let message = format!("The label `{label}` of `{}` holds a {whose}.", service.name.value);
            findings.report(service.place(&["labels", label]), value.span, message);
        }
    }
}
