//! A file of its own does not make a password better.

use seaworthy_project::is_credential_name;

use crate::credential::{Weakness, looks_like_credential, password_in_url, weakness};
use crate::environment_file::{EnvironmentFile, Role};
use crate::{Context, Findings, Group, Place, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "weak-credential-in-file",
    severity: Severity::High,
    grades: &[],
    group: Group::Secrets,
    summary: "environment file holds a credential that keeps nobody out",
    why: "A password that everybody tries first, one that still waits to be replaced, or an empty one protects \
          nothing, wherever it is kept.",
    fix: "Generate one, such as with `openssl rand -hex 24`.",
    bad: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env\nDB_PASSWORD=changeme\n",
    good: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env\nDB_PASSWORD=vT4-mm2Lw-Q9\n",
    more: &[],
    references: &["OWASP Docker Security Cheat Sheet, rule 12", "OWASP Top Ten 2021, A07"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in context.environment_files.iter().filter(|file| file.role == Role::Used) {
        for variable in &file.variables {
            let value = password_in_url(variable.value).unwrap_or(variable.value);
            let in_address = value.len() != variable.value.len();
            let is_one = in_address || is_credential_name(variable.name);
            if !is_one || value.contains('$') || reported_elsewhere(context, variable.name, variable.value) {
                continue;
            }
            let why = if value.is_empty() {
                "it is empty"
            } else if !in_address && !looks_like_credential(value) {
                continue;
            } else {
                match weakness(value, others(file, variable.name).into_iter()) {
                    Some(Weakness::Placeholder) => "it waits to be replaced",
                    Some(Weakness::Trivial(why)) => why,
                    None => continue,
                }
            };
            let message = format!("The credential `{}` keeps nobody out: {why}.", variable.name);
            findings.report(Place::project(&[&file.name, variable.name]), variable.name_span, message);
        }
    }
}

/// Whether a service gets the same value under the same name: then it is told there.
fn reported_elsewhere(context: &Context<'_>, name: &str, value: &str) -> bool {
    context.subjects().any(|service| {
        let own = service.service().environment.get(name).and_then(|own| own.value.as_ref());
        own.is_some_and(|own| own.reveal() == value) && !value.is_empty()
    })
}

/// Names that must not be passwords.
fn others<'project>(file: &EnvironmentFile<'project>, except: &str) -> Vec<&'project str> {
    let named = file.variables.iter().filter(|variable| {
        let upper = variable.name.to_ascii_uppercase();
        variable.name != except
            && ["USER", "USERNAME", "_DB", "DATABASE"].iter().any(|end| upper.ends_with(end))
    });
    named.map(|variable| variable.value).collect()
}
