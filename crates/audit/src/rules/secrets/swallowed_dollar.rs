//! A `$` begins a variable.

use seaworthy_project::is_credential_name;

use crate::dockerfile::Dockerfile;
use crate::{Context, Findings, Group, Place, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "swallowed-dollar",
    severity: Severity::High,
    group: Group::Secrets,
    summary: "part of a credential is taken for a variable",
    why: "What follows the `$` is taken for the name of a variable that is not set, so the program gets a shorter \
          credential than the one in the file. Hashes of passwords are hit most often.",
    fix: "Put the value in single quotes.",
    bad: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env\nDB_PASSWORD=vT4$mm2Lw-Q9\n",
    good: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env\nDB_PASSWORD='vT4$mm2Lw-Q9'\n",
    references: &["OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
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
