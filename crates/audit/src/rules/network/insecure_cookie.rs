//! A cookie that anybody on the way can read logs anybody in.

use crate::rules::data::authentication_disabled::is_on;
use crate::{Confidence, Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "insecure-cookie",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Network,
    summary: "cookie of a session is sent without protection",
    why: "Without `Secure` the cookie goes over plain HTTP too, where it can be read on the way; without `HttpOnly` a script that \
          was smuggled into a page reads it. Whoever has it is logged in.",
    fix: "Turn the protection on: production is reached by HTTPS.",
    bad: "services:\n  web:\n    image: shop:1.4\n    environment:\n      SESSION_COOKIE_SECURE: \"false\"\n",
    good: "services:\n  web:\n    image: shop:1.4\n    environment:\n      SESSION_COOKIE_SECURE: \"true\"\n",
    more: &[],
    references: &["OWASP Top Ten 2021, A05"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for (name, value) in &service.service().environment {
            let upper = name.to_ascii_uppercase();
            let protects =
                upper.contains("COOKIE") && (upper.contains("SECURE") || upper.contains("HTTPONLY"));
            let Some(text) = value.value.as_ref().map(|value| value.reveal().trim()) else { continue };
            if protects && !text.is_empty() && !is_on(text) {
                let message = format!("`{name}` leaves a cookie of `{}` unprotected.", service.name.value);
                let finding = findings.report(service.place(&["environment", name]), value.span, message);
                finding.confidence(Confidence::Likely);
            }
        }
    }
}
