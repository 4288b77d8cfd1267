//! A file that several programs read should mean one thing.

use crate::environment_file::{Role, Variable};
use crate::{Context, Findings, Group, Place, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "ambiguous-value",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Delivery,
    summary: "value means something else to another loader",
    why: "Compose, shells, `docker run --env-file` and the libraries of languages read quotes, `#`, blanks and `$` \
          differently: the same file gives different values, and a password that works here fails there.",
    fix: "Use values without blanks, quotes, `#`, `$` and backslashes, such as those of `openssl rand -hex 24`; \
          else put them in single quotes.",
    bad: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env\nA=one two\n",
    good: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env\nA='one two'\n",
    more: &[],
    references: &["The Twelve-Factor App, III"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in context.environment_files.iter().filter(|file| file.role != Role::Example) {
        for variable in &file.variables {
            let Some(why) = differs(variable) else { continue };
            let message =
                format!("The value of `{}` means something else to other loaders: {why}.", variable.name);
            findings.report(Place::project(&[&file.name, variable.name]), variable.name_span, message);
        }
    }
}

/// Why loaders do not agree about a value.
fn differs(variable: &Variable<'_>) -> Option<&'static str> {
    let raw = variable.raw;
    if variable.is_exported {
        return Some("`export` is part of the name to some");
    }
    if variable.has_blanks && !variable.value.is_empty() {
        return Some("blanks stand around the `=`");
    }
    if variable.quote.is_some() {
        return raw.contains('\n').then_some("it goes over several lines");
    }
    if raw.contains(" #") {
        return Some("a comment follows it");
    }
    if raw.contains('#') {
        return Some("it holds a `#`");
    }
    if raw.contains(['"', '\'', '`']) {
        return Some("a quote stands inside");
    }
    if raw.contains(char::is_whitespace) {
        return Some("it holds a blank and has no quotes");
    }
    raw.contains('\\').then_some("it holds a backslash and has no quotes")
}
