//! A privileged container is the host.

use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "privileged",
    severity: Severity::Critical,
    grades: &[],
    group: Group::Security,
    summary: "service runs privileged",
    why: "A privileged container has every capability, every device and no confinement: whoever takes it over owns the \
          machine and every other service on it.",
    fix: "Remove `privileged: true` and give the one thing it was for: a device under `devices`, or a capability under \
          `cap_add`.",
    bad: "services:\n  web:\n    image: shop:1.4\n    privileged: true\n",
    good: "services:\n  web:\n    image: shop:1.4\n    devices: [/dev/ttyUSB0]\n",
    more: &[],
    references: &["CIS Docker 1.6, 5.5", "OWASP Docker Security Cheat Sheet, rule 3"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        if let Some(privileged) = service.privileged.as_ref().filter(|privileged| privileged.value) {
            let message = format!("`{}` runs privileged: it owns the machine.", service.name.value);
            findings.report(service.place(&["privileged"]), privileged.span, message);
        }
    }
}
