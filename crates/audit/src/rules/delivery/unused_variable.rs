//! What nobody reads misleads.

use super::example_out_of_step::is_used;
use crate::environment_file::Role;
use crate::{Context, Findings, Group, Place, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "unused-variable",
    severity: Severity::Low,
    grades: &[],
    group: Group::Delivery,
    summary: "variable of an environment file is used nowhere",
    why: "It is often a misspelt name: the value that one believes to be set is not.",
    fix: "Use it or remove it.",
    bad: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n--- .env\nA=1\n",
    good: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n    \
          secrets: [b]\nsecrets:\n  b:\n    environment: B\n--- .env\nA=1\nB=2\n",
    more: &[],
    references: &["The Twelve-Factor App, III"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in context.environment_files.iter().filter(|file| file.role == Role::Used) {
        for variable in &file.variables {
            let own = ["COMPOSE_", "DOCKER_", "BUILDKIT_", "SEAWORTHY_"]
                .iter()
                .any(|begin| variable.name.starts_with(begin));
            let given =
                context.subjects().any(|service| service.service().environment.contains_key(variable.name));
            let inside = file.variables.iter().any(|other| {
                other.value.contains(&format!("${{{}", variable.name))
                    || other.value.contains(&format!("${}", variable.name))
            });
            if !own && !given && !inside && !is_used(context, variable.name) {
                let message = format!("`{}` is used nowhere.", variable.name);
                findings.report(Place::project(&[&file.name, variable.name]), variable.name_span, message);
            }
        }
    }
}
