//! Encryption to an unknown peer protects nothing.

use super::super::build::unverified_transfer::is_off;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "tls-verification-off",
    severity: Severity::High,
    grades: &[],
    group: Group::Network,
    summary: "service accepts any certificate",
    why: "Without verification, whoever stands between can read and change everything that is sent, passwords included.",
    fix: "Remove the variable; for a certificate of your own, add its authority: `NODE_EXTRA_CA_CERTS`, `SSL_CERT_FILE`.",
    bad: "services:\n  web:\n    image: shop:1.4\n    environment:\n      NODE_TLS_REJECT_UNAUTHORIZED: \"0\"\n",
    good: "services:\n  web:\n    image: shop:1.4\n    environment:\n      NODE_EXTRA_CA_CERTS: /etc/ssl/shop-ca.pem\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.11", "OWASP Top Ten 2021, A02"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for (name, value) in &service.service().environment {
            let Some(text) = value.value.as_ref().map(|value| value.reveal()) else { continue };
            if is_off(name, text.trim()) {
                let message = format!("`{name}` makes `{}` accept any certificate.", service.name.value);
                findings.report(service.place(&["environment", name]), value.span, message);
            }
        }
    }
}
