//! One service must not take the machine from the others.

use crate::rules::security::weakened_base::told_as_lost;
use crate::{Context, Edit, EditValue, Findings, Fix, Group, Level, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "missing-limits",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Resources,
    summary: "service may take all memory or all processors",
    why: "Without a memory limit, one leak makes the kernel kill whatever it likes, often the database. Without a processor \
          limit, one busy loop slows everything down.",
    fix: "Set `deploy.resources.limits.memory` and `cpus`, from what you measured plus some room.",
    bad: "services:\n  web:\n    image: shop:1.4\n",
    good: "services:\n  web:\n    image: shop:1.4\n    deploy:\n      resources:\n        limits:\n          memory: 512M\n          \
           cpus: \"1.0\"\n",
    more: &[],
    references: &["CIS Docker 1.6, 5.11, 5.12", "OWASP Docker Security Cheat Sheet, rule 7"],
    check,
};

/// Where nothing is known of the image.
const MEMORY: &str = "512M";
const CPUS: &str = "1.0";
const STARTING_POINT: &str = "A starting point: measure and adjust.";

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let lost = told_as_lost(context, &service);
        let missing: Vec<&str> =
            [(service.memory_limit().is_none(), "memory"), (service.cpu_limit().is_none(), "cpus")]
                .into_iter()
                .filter_map(|(missing, name)| (missing && !lost.contains(&name)).then_some(name))
                .collect();
        let what = match missing.as_slice() {
            [] => continue,
            ["memory"] => "memory",
            ["cpus"] => "processors",
            _ => "memory and processors",
        };
        let message = format!("`{}` may take all {what} of the machine.", service.name.value);
        let place = service.place(&["deploy", "resources", "limits"]);
        let span = service.span_of(&["deploy", "resources", "limits"]);
        let finding = findings.report(place, span, message);
        finding.fix(fix(&service, &missing)).absent(format!("limits of {what}"));
    }
}

fn fix(service: &Subject<'_>, missing: &[&str]) -> Fix {
    let limits = service.known.and_then(|image| image.limits.as_ref());
    let mut edits: Vec<Edit> = missing
        .iter()
        .map(|name| {
            let value = match (*name, limits) {
                ("memory", Some(limits)) => &limits.memory,
                ("memory", None) => MEMORY,
                (_, Some(limits)) => &limits.cpus,
                (_, None) => CPUS,
            };
            service.edit(&["deploy", "resources", "limits", name], EditValue::text(value))
        })
        .collect();
    if let Some(first) = edits.first_mut() {
        first.comment = Some(STARTING_POINT.to_owned());
    }
    // What is enough for a program that nobody knows here, nobody knows.
    let level = if limits.is_some() { Level::NeedsImageKnowledge } else { Level::BehaviourChanging };
    Fix::new(level, edits).may_break("A service that needs more than the limit is slowed down or restarted.")
}
