//! A dashboard shows the inside to whoever finds it.

use super::authentication_disabled::uses;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "open-dashboard",
    severity: Severity::High,
    grades: &[],
    group: Group::Data,
    summary: "dashboard or control interface is open to everyone",
    why: "It lists services, addresses and data, and often lets a visitor change them.",
    fix: "Turn the setting off, or put authentication before it.",
    bad: "services:\n  proxy:\n    image: traefik:v3.2\n    command: [\"--api.insecure=true\"]\n",
    good: "services:\n  proxy:\n    image: traefik:v3.2\n    command: [\"--api.dashboard=true\"]\n",
    more: &[],
    references: &["CIS Docker 1.6, 5.9"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let Some(known) = service.known else { continue };
        for setting in known.open_dashboard.iter().filter_map(|switch| uses(&service, switch)) {
            let message = format!("`{setting}` opens the dashboard of `{}` to everyone.", service.name.value);
            let span = service.environment.get(setting).map_or(service.command_span(), |value| value.span);
            findings.report(service.place(&["command"]), span, message).evidence(setting);
        }
    }
}
