//! Logs fill disks.

use crate::{Context, EditValue, Findings, Fix, Group, Level, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "missing-log-rotation",
    severity: Severity::Low,
    grades: &[],
    group: Group::Resources,
    summary: "log grows until the disk is full",
    why: "The engine's default log driver keeps everything for ever in one file. A full disk stops every service, the \
          database first.",
    fix: "Limit it: `logging: { driver: json-file, options: { max-size: 10m, max-file: \"3\" } }`.",
    bad: "services:\n  web:\n    image: shop:1.4\n",
    good: "services:\n  web:\n    image: shop:1.4\n    logging:\n      driver: json-file\n      options: { max-size: 10m, \
           max-file: \"3\" }\n",
    more: &[],
    references: &["OWASP Docker Security Cheat Sheet, rule 10"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.running() {
        let driver = service.node.at(&["logging", "driver"]).and_then(|driver| driver.text());
        let limited = service.node.at(&["logging", "options", "max-size"]).is_some();
        if limited || driver.is_some_and(|driver| driver != "json-file") {
            continue;
        }
        let mut edits = Vec::new();
        if driver.is_none() {
            edits.push(service.edit(&["logging", "driver"], EditValue::text("json-file")));
        }
        edits.push(service.edit(&["logging", "options", "max-size"], EditValue::text("10m")));
        if service.node.at(&["logging", "options", "max-file"]).is_none() {
            edits.push(service.edit(&["logging", "options", "max-file"], EditValue::text("3")));
        }
        let message = format!("The log of `{}` grows until the disk is full.", service.name.value);
        let span = service.span_of(&["logging"]);
        let finding = findings.report(service.place(&["logging"]), span, message);
        finding.fix(Fix::new(Level::Safe, edits)).absent("log rotation");
    }
}
