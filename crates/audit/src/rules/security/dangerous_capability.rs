//! Some capabilities are as good as root on the host.

use crate::{Context, Example, Findings, Grade, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "dangerous-capability",
    severity: Severity::High,
    grades: &[AS_ROOT, WEAKER],
    group: Group::Security,
    summary: "service is given a capability that reaches the host",
    why: "Capabilities such as `SYS_ADMIN` or `SYS_MODULE` let a process leave its container; others let it read other \
          processes, change the clock or rewrite the network. A third kind, such as `IPC_LOCK` and `MKNOD`, takes memory that \
          no limit gets back, or makes device files.",
    fix: "Remove the capability; where it is needed, keep the service that has it small and off the public network.",
    bad: "services:\n  web:\n    image: shop:1.4\n    cap_add: [SYS_ADMIN]\n",
    good: "services:\n  web:\n    image: shop:1.4\n    cap_add: [NET_BIND_SERVICE]\n",
    more: &[
        Example {
            of: "the network",
            bad: "services:\n  web:\n    image: shop:1.4\n    cap_add: [NET_ADMIN]\n",
            good: "services:\n  web:\n    image: shop:1.4\n",
        },
        Example {
            of: "limits and device files",
            bad: "services:\n  web:\n    image: shop:1.4\n    cap_add: [MKNOD]\n",
            good: "services:\n  web:\n    image: shop:1.4\n",
        },
    ],
    references: &["CIS Docker 1.6, 5.4", "OWASP Docker Security Cheat Sheet, rule 3"],
    check,
};

const AS_ROOT: Grade = Grade::new(
    Severity::Critical,
    "for `ALL`, `SYS_ADMIN`, `SYS_MODULE` and `SYS_RAWIO`: who takes the service over has the machine",
);
const WEAKER: Grade = Grade::new(
    Severity::Medium,
    "for one that lifts limits or makes device files, but does not reach the host by itself",
);

/// As good as root on the host.
const HOST: [&str; 4] = ["ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO"];
/// Reaches beyond the container.
const STRONG: [&str; 12] = [
    "NET_ADMIN",
    "BPF",
    "SYS_PTRACE",
    "DAC_READ_SEARCH",
    "SYS_TIME",
    "PERFMON",
    "SYSLOG",
    "SYS_BOOT",
    "SYS_NICE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "LEASE",
];
/// Weakens what else holds: takes memory past its limit, makes device files, lifts limits.
const WEAKENING: [&str; 5] = ["IPC_LOCK", "MKNOD", "SYS_RESOURCE", "SYS_TTY_CONFIG", "AUDIT_CONTROL"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for added in &service.cap_add {
            let upper = added.value.to_ascii_uppercase();
            let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
            let needed = service.known.and_then(|image| image.hardening.as_ref()?.capabilities.as_ref());
            let (grade, what) = match name {
                name if HOST.contains(&name) => (Some(AS_ROOT), "reaches the host"),
                name if STRONG.contains(&name) => (None, "reaches the host"),
                name if needed.is_some_and(|needed| needed.iter().any(|one| one == name)) => continue,
                name if WEAKENING.contains(&name) => (Some(WEAKER), "weakens its limits"),
                _ => continue,
            };
            let message = format!("`{}` is given the capability `{name}`, which {what}.", service.name.value);
            let place = service.place(&["cap_add"]);
            findings.report(place, added.span, message).evidence(name).grade(grade);
        }
    }
}
