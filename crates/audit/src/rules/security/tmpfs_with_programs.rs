//! A folder in memory is for data, not for programs.

use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "tmpfs-with-programs",
    severity: Severity::Low,
    grades: &[],
    group: Group::Security,
    summary: "folder in memory may hold programs, setuid programs or devices",
    why: "The engine mounts such a folder so that nothing in it can be started. With `exec`, `suid` or `dev` the one place that \
          stays writable under a read-only root is where an intruder can put a program.",
    fix: "Leave the option out. Where a program unpacks itself, point it to a folder of its own (`TMPDIR`) and allow `exec` there \
          only.",
    bad: "services:\n  web:\n    image: shop:1.4\n    tmpfs: [\"/tmp:exec\"]\n",
    good: "services:\n  web:\n    image: shop:1.4\n    tmpfs: [\"/tmp:size=64m\"]\n",
    more: &[],
    references: &["OWASP Docker Security Cheat Sheet, rule 8"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let Some(node) = service.node.get("tmpfs") else { continue };
        let single = std::slice::from_ref(node);
        for item in if node.items().is_empty() { single } else { node.items() } {
            let Some((path, options)) = item.text().and_then(|text| text.split_once(':')) else { continue };
            let loose = options.split(',').find(|option| matches!(*option, "exec" | "suid" | "dev"));
            if let Some(option) = loose {
                let message = format!("`{option}` takes a limit off `{path}` of `{}`.", service.name.value);
                findings.report(service.place(&["tmpfs"]), item.span, message).evidence(path);
            }
        }
    }
}
