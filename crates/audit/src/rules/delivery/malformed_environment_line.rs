//! A line that cannot be read sets nothing.

use crate::{Context, Findings, Group, Place, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "malformed-environment-line",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Delivery,
    summary: "line of an environment file cannot be read",
    why: "Some loaders stop at such a line, others skip it and start with a variable missing.",
    fix: "Write one `NAME=value` a line, and close every quote.",
    bad: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env.staging\nA B\n",
    good: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env.staging\nA=B\n",
    more: &[],
    references: &["The Twelve-Factor App, III"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.environment_files {
        for (number, (span, message)) in file.faults.iter().enumerate() {
            let place = Place::project(&[&file.name]);
            findings.report(place, *span, message.clone()).evidence(number.to_string());
        }
    }
}
