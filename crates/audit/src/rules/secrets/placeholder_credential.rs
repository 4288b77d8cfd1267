//! "Change me" has to be changed.

use crate::credential::{Verdict, verdicts};
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "placeholder-credential",
    severity: Severity::High,
    grades: &[],
    group: Group::Secrets,
    summary: "credential is still a placeholder",
    why: "The example's value is public, and it is the first that is tried.",
    fix: "Generate one, such as with `openssl rand -hex 24`, and give it from outside.",
    bad: "services:\n  web:\n    image: shop:1.4\n    environment:\n      SESSION_SECRET: changeme\n",
    good: "services:\n  web:\n    image: shop:1.4\n    environment:\n      SESSION_SECRET: ${SESSION_SECRET:?set it}\n",
    more: &[],
    references: &["OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for (credential, verdict) in verdicts(context, &service) {
            if verdict == Verdict::Placeholder {
                let name = credential.name;
                let message =
                    format!("The credential `{name}` of `{}` is still a placeholder.", service.name.value);
                let finding =
                    findings.report(service.place(&["environment", name]), credential.span, message);
                finding.snippet(&[super::literal_credential::from_outside(&service, name)]);
            }
        }
    }
}
