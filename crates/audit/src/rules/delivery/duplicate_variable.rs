//! Of two values one is wrong.

use crate::{Context, Example, Findings, Grade, Group, Place, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "duplicate-variable",
    severity: Severity::High,
    grades: &[SAME],
    group: Group::Delivery,
    summary: "variable is set twice in one file",
    why: "Compose takes the last one, other loaders take the first: a password that was changed in one place may \
          not be the one that counts.",
    fix: "Remove the one that is not meant. Compose takes the last.",
    bad: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env\nA=1\nA=2\n",
    good: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env\nA=2\n",
    more: &[Example {
        of: "the same value twice",
        bad: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: \
                  ${A}\n--- .env\nA=1\nA=1\n",
        good: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: \
                   ${A}\n--- .env\nA=1\n",
    }],
    references: &["The Twelve-Factor App, III"],
    check,
};

const SAME: Grade = Grade::new(Severity::Low, "where both values are the same");

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.environment_files {
        for (at, variable) in file.variables.iter().enumerate() {
            let before = &file.variables[..at];
            let Some(first) = before.iter().rev().find(|other| other.name == variable.name) else { continue };
            let message =
                format!("`{}` is set twice in `{}`; Compose takes this one.", variable.name, file.name);
            let place = Place::project(&[&file.name, variable.name]);
            let finding = findings.report(place, variable.name_span, message);
            finding.related(first.name_span, "set here first");
            if first.value == variable.value {
                finding.grade(SAME);
            }
        }
    }
}
