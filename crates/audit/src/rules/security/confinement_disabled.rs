//! The kernel's own filters are there for the day something else fails.

use crate::{Context, Example, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "confinement-disabled",
    severity: Severity::High,
    grades: &[],
    group: Group::Security,
    summary: "service turns off seccomp, AppArmor or SELinux",
    why: "The default profiles block the system calls that most escapes from containers use. Without them, any such hole in \
          the kernel is open.",
    fix: "Remove the line; when one system call is missing, give a profile that allows just that one.",
    bad: "services:\n  web:\n    image: shop:1.4\n    security_opt: [\"seccomp:unconfined\"]\n",
    good: "services:\n  web:\n    image: shop:1.4\n    security_opt: [\"no-new-privileges:true\"]\n",
    more: &[
        Example {
            of: "AppArmor",
            bad: "services:\n  web:\n    image: shop:1.4\n    security_opt: [\"apparmor=unconfined\"]\n",
            good: "services:\n  web:\n    image: shop:1.4\n    security_opt: [\"apparmor=docker-default\"]\n",
        },
        Example {
            of: "SELinux",
            bad: "services:\n  web:\n    image: shop:1.4\n    security_opt: [\"label:disable\"]\n",
            good: "services:\n  web:\n    image: shop:1.4\n    security_opt: [\"label:type:shop_t\"]\n",
        },
        Example {
            of: "the masks over `/proc`",
            bad: "services:\n  web:\n    image: shop:1.4\n    security_opt: [\"systempaths=unconfined\"]\n",
            good: "services:\n  web:\n    image: shop:1.4\n",
        },
    ],
    references: &["CIS Docker 1.6, 5.2, 5.3, 5.22", "OWASP Docker Security Cheat Sheet, rule 6"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for option in &service.security_opt {
            let plain = option.value.replace('=', ":").to_ascii_lowercase();
            let which = match plain.as_str() {
                "seccomp:unconfined" => "seccomp",
                "apparmor:unconfined" => "AppArmor",
                "label:disable" => "SELinux",
                "systempaths:unconfined" => "the masks over `/proc` and `/sys`",
                _ => continue,
            };
            let message = format!("`{}` turns {which} off.", service.name.value);
            findings.report(service.place(&["security_opt"]), option.span, message).evidence(which);
        }
    }
}
