//! Settings of the kernel belong to the machine, or weaken the service that sets them.

use crate::{Context, Example, Findings, Grade, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "unsafe-sysctl",
    severity: Severity::Medium,
    grades: &[WEAKENING],
    group: Group::Security,
    summary: "kernel setting that belongs to the whole machine, or takes a protection away",
    why: "A container has a copy of a few settings of the kernel. All others are those of the machine: the engine refuses to start \
          the service. Of the copied ones some switch off what the network stack holds against forged packets.",
    fix: "Set what concerns the machine on the machine, in `/etc/sysctl.d`; remove the rest, or leave it to the one service that \
          forwards packets.",
    bad: "services:\n  search:\n    image: shop-search:1.4\n    sysctls:\n      vm.max_map_count: 262144\n",
    good: "services:\n  search:\n    image: shop-search:1.4\n    sysctls:\n      net.core.somaxconn: 1024\n",
    more: &[Example {
        of: "protection against forged packets",
        bad: "services:\n  web:\n    image: shop:1.4\n    sysctls:\n      - net.ipv4.conf.all.accept_source_route=1\n",
        good: "services:\n  web:\n    image: shop:1.4\n    sysctls:\n      - net.ipv4.conf.all.accept_source_route=0\n",
    }],
    references: &["Pod Security Standards, baseline: sysctls"],
    check,
};

const WEAKENING: Grade = Grade::new(
    Severity::Low,
    "for one of the service's own network that lets others choose its routes or wear it out: only the service itself is weaker",
);

/// How the names of settings begin of which each container has a copy.
const OWN: [&str; 5] = ["net.", "fs.mqueue.", "kernel.msg", "kernel.shm", "kernel.sem"];
/// Settings of the network that weaken, and the value that does.
const WEAK: [(&str, &str); 5] = [
    ("accept_source_route", "1"),
    ("accept_redirects", "1"),
    ("secure_redirects", "0"),
    ("route_localnet", "1"),
    ("tcp_syncookies", "0"),
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let Some(node) = service.node.get("sysctls") else { continue };
        let pairs = node
            .entries()
            .iter()
            .map(|entry| (entry.key.value.as_str(), entry.node.text().unwrap_or_default(), entry.key.span));
        let listed = node.items().iter().filter_map(|item| {
            let (name, value) = item.text()?.split_once('=')?;
            Some((name, value, item.span))
        });
        for (name, value, span) in pairs.chain(listed) {
            let last = name.rsplit('.').next().unwrap_or_default();
            let weak = WEAK.iter().any(|(known, off)| last == *known && value.trim() == *off);
            let own = OWN.iter().any(|prefix| name.starts_with(prefix)) || name == "kernel.hostname";
            let message = match (own, weak) {
                (false, _) => format!(
                    "`{name}` is a setting of the machine: the engine does not start `{}` with it.",
                    service.name.value
                ),
                (true, true) => {
                    format!("`{name}={value}` takes a protection away from `{}`.", service.name.value)
                }
                (true, false) => continue,
            };
            let finding = findings.report(service.place(&["sysctls"]), span, message).evidence(name);
            finding.grade(own.then_some(WEAKENING));
        }
    }
}
