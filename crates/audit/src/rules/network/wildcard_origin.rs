//! "Everyone" is seldom who should be allowed.

use crate::dockerfile::Keyword;
use crate::{Confidence, Context, Example, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "wildcard-origin",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Network,
    summary: "service trusts every host or origin",
    why: "With `*` as allowed host, links in mails can be made to point elsewhere; with `*` as allowed origin, any web page can \
          call the service in the name of its visitor.",
    fix: "Name the hosts or origins that production has.",
    bad: "services:\n  web:\n    image: shop:1.4\n    environment:\n      ALLOWED_HOSTS: \"*\"\n",
    good: "services:\n  web:\n    image: shop:1.4\n    environment:\n      ALLOWED_HOSTS: shop.example\n",
    more: &[Example {
        of: "a variable of the image",
        bad: "FROM debian:13-slim\nENV CORS_ORIGIN=*\n",
        good: "FROM debian:13-slim\nENV CORS_ORIGIN=https://shop.example\n",
    }],
    references: &["OWASP Top Ten 2021, A05"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for (name, value) in &service.service().environment {
            let text = value.value.as_ref().map(|value| value.reveal()).unwrap_or_default();
            if trusts_all(name, text) {
                let message = format!("`{name}` makes `{}` trust everyone.", service.name.value);
                let finding = findings.report(service.place(&["environment", name]), value.span, message);
                finding.confidence(Confidence::Likely);
            }
        }
    }
    for file in &context.build_files {
        for pair in file.of(Keyword::Env).flat_map(|(_, step)| &step.pairs) {
            let name = &pair.name.text;
            if trusts_all(name, pair.value.as_ref().map_or("", |value| value.text.as_str())) {
                let message = format!("`{name}` makes the program of the image trust everyone.");
                file.report(findings, pair.name.span, name, message).confidence(Confidence::Likely);
            }
        }
    }
}

/// Pieces of the names of variables that say who is let in.
const WHO: [&str; 7] = [
    "ALLOWED_HOSTS",
    "ALLOWED_ORIGIN",
    "ALLOW_ORIGIN",
    "CORS_ORIGIN",
    "CORS_ALLOWED",
    "CORS_DOMAIN",
    "TRUSTED_HOSTS",
];

fn trusts_all(name: &str, value: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    WHO.iter().any(|piece| upper.contains(piece)) && matches!(value.trim(), "*" | "['*']" | "[\"*\"]")
}
