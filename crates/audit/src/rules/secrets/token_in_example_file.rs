//! An example is meant to be shown.

use crate::credential::token_name;
use crate::environment_file::Role;
use crate::{Context, Findings, Group, Place, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "token-in-example-file",
    severity: Severity::Critical,
    grades: &[],
    group: Group::Secrets,
    summary: "example of an environment file holds a real token",
    why: "The example is committed and copied; machines search public repositories for exactly this. The token \
          works from anywhere until it is revoked.",
    fix: "Revoke it and make a new one; leave the value in the example empty.",
    bad: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env.example\nPAYMENT=sk_live_0000000000000000000000\n",
    good: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env.example\nPAYMENT=\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.10", "OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in context.environment_files.iter().filter(|file| file.role == Role::Example) {
        for variable in &file.variables {
            if let Some(whose) = token_name(variable.value) {
                let message = format!("`{}` in `{}` holds a {whose}.", variable.name, file.name);
                findings.report(Place::project(&[&file.name, variable.name]), variable.name_span, message);
            }
        }
    }
}
