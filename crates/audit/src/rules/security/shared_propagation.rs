//! Mounts made inside should stay inside.

use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "shared-propagation",
    severity: Severity::Low,
    grades: &[],
    group: Group::Security,
    summary: "mounts made inside a service show up on the host",
    why: "With shared propagation, a mount that a service makes appears on the host and in every other service that shares \
          the folder.",
    fix: "Remove `propagation`, or set it to `rprivate`.",
    bad: "services:\n  web:\n    image: shop:1.4\n    volumes:\n      - type: bind\n        source: /mnt/media\n        \
          target: /media\n        bind:\n          propagation: rshared\n",
    good: "services:\n  web:\n    image: shop:1.4\n    volumes:\n      - type: bind\n        source: /mnt/media\n        \
           target: /media\n",
    more: &[],
    references: &["CIS Docker 1.6, 5.20"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let Some(volumes) = service.node.get("volumes") else { continue };
        for volume in volumes.items() {
            let propagation = volume.at(&["bind", "propagation"]);
            let Some(node) = propagation.filter(|node| matches!(node.text(), Some("shared" | "rshared")))
            else {
                continue;
            };
            let target = volume.get("target").and_then(|target| target.text()).unwrap_or_default();
            let message =
                format!("Mounts that `{}` makes below `{target}` show up on the host.", service.name.value);
            findings.report(service.place(&["volumes"]), node.span, message).evidence(target);
        }
    }
}
