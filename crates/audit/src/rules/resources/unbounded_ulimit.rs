//! A limit that is lifted stops nothing.

use seaworthy_project::Node;

use crate::{Context, Example, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "unbounded-ulimit",
    severity: Severity::Low,
    grades: &[],
    group: Group::Resources,
    summary: "service may open files, start processes or write memory images without end",
    why: "A leak of files or processes then ends at the machine's limit, where every other service fails too. Some programs walk \
          through all numbers up to the limit when they start, which takes minutes and gigabytes. A memory image (`core`) fills \
          the disk and holds every secret of the process.",
    fix: "Name a number that the program has been seen to need: `nofile: { soft: 65536, hard: 65536 }`, `core: 0`.",
    bad: "services:\n  web:\n    image: shop:1.4\n    ulimits:\n      nofile: 1073741816\n",
    good: "services:\n  web:\n    image: shop:1.4\n    ulimits:\n      nofile: 65536\n",
    more: &[Example {
        of: "memory images without end",
        bad: "services:\n  web:\n    image: shop:1.4\n    ulimits:\n      core: { soft: 0, hard: -1 }\n",
        good: "services:\n  web:\n    image: shop:1.4\n    ulimits:\n      core: { soft: 0, hard: 0 }\n",
    }],
    references: &["CIS Docker 1.6, 5.19", "OWASP Docker Security Cheat Sheet, rule 7"],
    check,
};

/// The limits that are looked at, each with the most that still is one. Locked memory is none of them: databases and search
/// engines are told to lift it, and the limit of memory holds for it too.
const MOST: [(&str, i64); 3] = [("nofile", 1_048_576), ("nproc", 1_048_576), ("core", 1 << 32)];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let Some(limits) = service.node.get("ulimits") else { continue };
        for entry in limits.entries() {
            let name = entry.key.value.as_str();
            let Some((_, most)) = MOST.iter().find(|(known, _)| *known == name) else { continue };
            let hard = entry.node.get("hard").unwrap_or(&entry.node);
            if number(hard).is_some_and(|hard| hard < 0 || hard > *most) {
                let message = format!("`{name}` of `{}` is as good as no limit.", service.name.value);
                findings.report(service.place(&["ulimits", name]), entry.key.span, message);
            }
        }
    }
}

fn number(node: &Node) -> Option<i64> {
    node.text()?.trim().parse().ok()
}
