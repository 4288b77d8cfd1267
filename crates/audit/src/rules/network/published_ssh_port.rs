//! Containers are replaced, not logged into.

use crate::context::is_open;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "published-ssh-port",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Network,
    summary: "service publishes an ssh port",
    why: "An ssh server inside a container has keys and passwords that nobody rotates, and what is changed through it is gone \
          with the next deploy.",
    fix: "Remove the port and the server; `docker compose exec` opens a shell without either.",
    bad: "services:\n  web:\n    image: shop:1.4\n    ports: [\"2222:22\"]\n",
    good: "services:\n  web:\n    image: shop:1.4\n    ports: [\"80:8000\"]\n",
    more: &[],
    references: &["CIS Docker 1.6, 5.7"],
    check,
};

const SSH_PORT: u16 = 22;

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for port in service.ports.iter().filter(|port| port.value.target == SSH_PORT && is_open(&port.value))
        {
            let message = format!("`{}` publishes an ssh port.", service.name.value);
            findings.report(service.place(&["ports"]), port.span, message);
        }
    }
}
