//! Without logs nobody can say what happened.

use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "logs-discarded",
    severity: Severity::Low,
    grades: &[],
    group: Group::Resources,
    summary: "service throws its log away",
    why: "With the log driver `none`, a crash leaves no trace and a failed deploy has nothing to show.",
    fix: "Remove `driver: none`, or use `local` with a limit.",
    bad: "services:\n  web:\n    image: shop:1.4\n    logging:\n      driver: none\n",
    good: "services:\n  web:\n    image: shop:1.4\n    logging:\n      driver: local\n",
    more: &[],
    references: &["OWASP Docker Security Cheat Sheet, rule 10"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        if let Some(driver) =
            service.node.at(&["logging", "driver"]).filter(|driver| driver.text() == Some("none"))
        {
            let message = format!("`{}` throws its log away.", service.name.value);
            findings.report(service.place(&["logging", "driver"]), driver.span, message);
        }
    }
}
