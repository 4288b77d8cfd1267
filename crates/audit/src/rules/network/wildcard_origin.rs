//! "Everyone" is seldom who should be allowed.

use crate::{Confidence, Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "wildcard-origin",
    severity: Severity::Medium,
    group: Group::Network,
    summary: "service trusts every host or origin",
    why: "With `*` as allowed host, links in mails can be made to point elsewhere; with `*` as allowed origin, any web page can \
          call the service in the name of its visitor.",
    fix: "Name the hosts or origins that production has.",
    bad: "services:\n  web:\n    image: shop:1.4\n    environment:\n      ALLOWED_HOSTS: \"*\"\n",
    good: "services:\n  web:\n    image: shop:1.4\n    environment:\n      ALLOWED_HOSTS: shop.example\n",
    references: &["OWASP Top Ten 2021, A05"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for (name, value) in &service.service().environment {
            let upper = name.to_ascii_uppercase();
            let asks = [
                "ALLOWED_HOSTS",
                "ALLOWED_ORIGIN",
                "CORS_ORIGIN",
                "CORS_ALLOW_ORIGIN",
                "CORS_ALLOWED",
                "TRUSTED_HOSTS",
            ]
            .iter()
            .any(|piece| upper.contains(piece));
            let text = value.value.as_ref().map(|value| value.reveal().trim()).unwrap_or_default();
            if asks && matches!(text, "*" | "['*']" | "[\"*\"]") {
                let message = format!("`{name}` makes `{}` trust everyone.", service.name.value);
                let finding = findings.report(service.place(&["environment", name]), value.span, message);
                finding.confidence(Confidence::Likely);
            }
        }
    }
}
