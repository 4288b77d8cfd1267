//! A `$` begins a variable.

use seaworthy_project::is_credential_name;

use crate::credential::{references, written_value};
use crate::dockerfile::Dockerfile;
use crate::{Context, Findings, Group, Place, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "swallowed-dollar",
    severity: Severity::High,
    grades: &[],
    group: Group::Secrets,
    summary: "part of a credential is taken for a variable",
    why: "What follows the `$` is taken for the name of a variable that is not set, so the program gets a shorter \
          credential than the one in the file. Hashes of passwords are hit most often.",
    fix: "Put the value in single quotes.",
    bad: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env\nDB_PASSWORD=vT4$mm2Lw-Q9\n",
    good: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env\nDB_PASSWORD='vT4$mm2Lw-Q9'\n",
    more: &[],
    references: &["OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    in_environment_files(context, findings);
    in_compose_files(context, findings);
}

fn in_environment_files(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.environment_files {
        for variable in file.variables.iter().filter(|variable| variable.quote != Some('\'')) {
            let named = is_credential_name(variable.name) || variable.name.contains("HASH");
            let lost = Dockerfile::variables(variable.value).into_iter().any(|(name, has_default)| {
                let known = file.variables.iter().any(|other| other.name == name)
                    || context.project.variables.contains_key(name);
                let in_braces = variable.value.contains(&format!("${{{name}"));
                !known && !has_default && !in_braces
            });
            if named && lost {
                let message =
                    format!("A part of `{}` is taken for a variable that is not set.", variable.name);
                findings.report(Place::project(&[&file.name, variable.name]), variable.name_span, message);
            }
        }
    }
}

/// A literal under a credential's name of which a part is a variable without braces that nobody sets.
fn in_compose_files(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for (name, value) in &service.service().environment {
            if !is_credential_name(name) || context.is_environment_file(&value.span) {
                continue;
            }
            let raw = context.raw(&value.span).map(|raw| written_value(raw, name)).unwrap_or_default();
            let lost = references(raw).any(|part| {
                !part.is_empty() && is_swallowed(raw, part) && !context.project.variables.contains_key(part)
            });
            if lost {
                let message = format!(
                    "A part of `{name}` of `{}` is taken for a variable that is not set.",
                    service.name.value
                );
                let place = service.place(&["environment", name]);
                findings.report(place, value.span, message).help("Write `$$` for each `$`.");
            }
        }
    }
}

/// Whether a variable stands in the middle of a word, without braces.
pub(in crate::rules) fn is_swallowed(raw: &str, name: &str) -> bool {
    let before = raw.split_once(&format!("${name}")).and_then(|(before, _)| before.chars().next_back());
    before.is_some_and(char::is_alphanumeric)
}
