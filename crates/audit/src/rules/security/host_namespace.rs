//! A namespace shared with the host is no wall.

use crate::{Context, Example, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "host-namespace",
    severity: Severity::High,
    grades: &[],
    group: Group::Security,
    summary: "service shares a namespace with the host",
    why: "On the host's network a service listens on every address and reaches services that trust `localhost`; in the \
          host's process or memory namespace it sees and signals everything that runs there. It also cannot run twice, so \
          each deploy stops the old instance first.",
    fix: "Remove the key: publish ports instead of `network_mode: host`, and give up `pid: host` and `ipc: host`.",
    bad: "services:\n  web:\n    image: shop:1.4\n    network_mode: host\n",
    good: "services:\n  web:\n    image: shop:1.4\n    ports: [\"8080:8080\"]\n",
    more: &[
        Example {
            of: "the host's processes",
            bad: "services:\n  web:\n    image: shop:1.4\n    pid: host\n",
            good: "services:\n  web:\n    image: shop:1.4\n",
        },
        Example {
            of: "the host's shared memory",
            bad: "services:\n  web:\n    image: shop:1.4\n    ipc: host\n",
            good: "services:\n  web:\n    image: shop:1.4\n    shm_size: 64m\n",
        },
    ],
    references: &["CIS Docker 1.6, 5.10, 5.16, 5.17", "OWASP Docker Security Cheat Sheet, rule 5"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for (key, what) in [("network_mode", "network"), ("pid", "processes"), ("ipc", "shared memory")] {
            if let Some(node) = service.node.get(key).filter(|node| node.text() == Some("host")) {
                let message = format!("`{}` shares the {what} of the host.", service.name.value);
                findings.report(service.place(&[key]), node.span, message);
            }
        }
    }
}
