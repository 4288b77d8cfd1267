//! Signs that one does not see become part of a value.

use crate::{Context, Findings, Group, Place, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "environment-file-format",
    severity: Severity::Low,
    grades: &[],
    group: Group::Delivery,
    summary: "environment file has signs that are not seen",
    why: "A byte-order mark becomes part of the first name, and the line ends of Windows become part of each \
          value, to loaders other than Compose.",
    fix: "Save the file as UTF-8 without a byte-order mark, with a plain line end after each line, the last one \
          too.",
    bad: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env\nA=1\r\n",
    good: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env\nA=1\n",
    more: &[],
    references: &[],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.environment_files {
        let why = if file.text.starts_with('\u{feff}') {
            "begins with a byte-order mark"
        } else if file.text.contains("\r\n") {
            "has the line ends of Windows"
        } else if !file.text.is_empty() && !file.text.ends_with('\n') {
            "has no line end after its last line"
        } else {
            continue;
        };
        let message = format!("`{}` {why}.", file.name);
        findings.report(Place::project(&[&file.name]), file.start(), message);
    }
}
