//! A variable that nobody sets is empty, and nobody is told.

use seaworthy_project::{Node, Span, Value};

use crate::credential::references;
use crate::rules::secrets::swallowed_dollar::is_swallowed;
use crate::{Confidence, Context, Findings, Group, Place, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "unset-variable",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Delivery,
    summary: "variable is used and set nowhere",
    why: "It counts as empty: the service starts with half an address or no key, and fails later, elsewhere.",
    fix: "Set it in the environment's file or the shell, or write `${NAME:?}` so that nothing is deployed without it, or \
          `${NAME:-default}` where empty is not meant.",
    bad: "services:\n  web:\n    image: shop:1.4\n    environment:\n      PAYMENT_URL: https://${PAYMENT_HOST}/pay\n",
    good: "services:\n  web:\n    image: shop:1.4\n    environment:\n      PAYMENT_URL: \
           https://${PAYMENT_HOST:-pay.example}/pay\n",
    more: &[],
    references: &["The Twelve-Factor App, III", "Compose Specification, interpolation"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut unset: Vec<(String, Span)> = Vec::new();
    for service in context.subjects() {
        collect(context, &service.node, &mut unset);
        for (name, value) in &service.service().environment {
            // `NAME:` alone takes the value of the shell, in which there is none.
            if value.value.is_none() && !context.project.variables.contains_key(name) {
                note(name, value.span, &mut unset);
            }
        }
    }
    let Some((_, span)) = unset.first() else { return };
    let names: Vec<String> = unset.iter().map(|(name, _)| format!("`{name}`")).collect();
    let message = match names.as_slice() {
        [name] => format!("{name} is not set and counts as empty."),
        [rest @ .., last] => format!("{} and {last} are not set and count as empty.", rest.join(", ")),
        [] => return,
    };
    let finding = findings.report(Place::project(&["services"]), *span, message);
    finding.confidence(Confidence::Likely);
    for (name, span) in unset.iter().skip(1) {
        finding.related(*span, format!("`{name}` is used here"));
    }
}

fn note(name: &str, span: Span, unset: &mut Vec<(String, Span)>) {
    if unset.iter().all(|(other, _)| other != name) {
        unset.push((name.to_owned(), span));
    }
}

/// The names that some value takes without saying what to do when they are not set.
fn collect(context: &Context<'_>, node: &Node, unset: &mut Vec<(String, Span)>) {
    match &node.value {
        Value::Scalar(_) if !context.is_environment_file(&node.span) => {
            let raw = context.raw(&node.span).unwrap_or_default();
            for name in references(raw) {
                let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                // Half a credential is told by its own rule.
                if plain
                    && !is_swallowed(raw, name)
                    && !name.is_empty()
                    && !context.project.variables.contains_key(name)
                {
                    note(name, node.span, unset);
                }
            }
        }
        Value::Sequence(_) => node.items().iter().for_each(|item| collect(context, item, unset)),
        Value::Mapping(_) => node.entries().iter().for_each(|entry| collect(context, &entry.node, unset)),
        _ => {}
    }
}
