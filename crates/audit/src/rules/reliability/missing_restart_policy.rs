//! What should always run must come back.

use crate::{Context, EditValue, Findings, Fix, Group, Level, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "missing-restart-policy",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Reliability,
    summary: "service stays down after a crash or a reboot",
    why: "Without a restart policy the engine leaves a crashed service down, and none comes back after the machine restarts.",
    fix: "Add `restart: unless-stopped`.",
    bad: "services:\n  web:\n    image: shop:1.4\n",
    good: "services:\n  web:\n    image: shop:1.4\n    restart: unless-stopped\n",
    more: &[],
    references: &["CIS Docker 1.6, 5.15"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.running().filter(|service| service.profiles.is_empty()) {
        if !stays_down(&service) {
            continue;
        }
        let message = format!("`{}` stays down after a crash or a reboot.", service.name.value);
        let deploy = service.node.at(&["deploy", "restart_policy", "condition"]).is_some();
        let level = if service.restart.is_some() || deploy { Level::BehaviourChanging } else { Level::Safe };
        let fix = if deploy {
            Fix::new(
                level,
                vec![service.edit(&["deploy", "restart_policy", "condition"], EditValue::text("any"))],
            )
        } else {
            Fix::new(level, vec![service.edit(&["restart"], EditValue::text("unless-stopped"))])
        };
        let written = service.restart.is_some() || deploy;
        let finding =
            findings.report(service.place(&["restart"]), service.span_of(&["restart"]), message).fix(fix);
        if !written {
            finding.absent("a restart policy");
        }
    }
}

fn stays_down(service: &Subject<'_>) -> bool {
    match (&service.deploy.restart, &service.restart) {
        (Some(policy), _) => policy.condition.as_deref() == Some("none"),
        (None, Some(restart)) => restart.value == "no",
        (None, None) => true,
    }
}
