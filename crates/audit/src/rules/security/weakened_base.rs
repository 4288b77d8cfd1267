//! A file that is laid over others takes away what they hold a service to.

use seaworthy_project::{Node, Span};

use super::missing_hardening::bars_new_privileges;
use crate::layers::Said;
use crate::{Context, Example, Findings, Group, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "weakened-base",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Security,
    summary: "file laid over others takes a protection away that they give",
    why: "Who reads the first file sees a protection and trusts it. What runs goes by the last file, and there it is taken away, \
          often to look for a fault, and then for good.",
    fix: "Remove the line that takes it away. If the service cannot work with it, say so in the first file, or waive it with the reason.",
    bad: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    read_only: true\n--- compose.production.yaml\n\
          x-seaworthy: { overlay: true }\nservices:\n  web:\n    read_only: false\n",
    good: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    read_only: true\n--- compose.production.yaml\n\
           x-seaworthy: { overlay: true }\nservices:\n  web:\n    tmpfs: [/tmp]\n",
    more: &[
        Example {
            of: "a list that is replaced",
            bad: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    cap_drop: [ALL]\n--- compose.production.yaml\n\
                  x-seaworthy: { overlay: true }\nservices:\n  web:\n    cap_drop: !override [NET_RAW]\n",
            good: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    cap_drop: [ALL]\n--- compose.production.yaml\n\
                   x-seaworthy: { overlay: true }\nservices:\n  web:\n    cap_drop: [NET_RAW]\n",
        },
        Example {
            of: "a limit that is dropped",
            bad: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    mem_limit: 256m\n--- compose.production.yaml\n\
                  x-seaworthy: { overlay: true }\nservices:\n  web:\n    mem_limit: !reset null\n",
            good: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    mem_limit: 256m\n--- compose.production.yaml\n\
                   x-seaworthy: { overlay: true }\nservices:\n  web:\n    mem_limit: 512m\n",
        },
    ],
    references: &["OWASP Docker Security Cheat Sheet, rules 2, 3, 4, 7, 8"],
    check,
};

/// Something that holds a service to less than it could do.
struct Protection {
    /// Its name among the points of other rules.
    point: &'static str,
    /// The keys that can give it.
    keys: &'static [&'static [&'static str]],
    holds: fn(&Node) -> bool,
}

const PROTECTIONS: [Protection; 7] = [
    Protection { point: "user", keys: &[&["user"]], holds: is_not_root },
    Protection { point: "read_only", keys: &[&["read_only"]], holds: is_true },
    Protection { point: "cap_drop", keys: &[&["cap_drop"]], holds: drops_all },
    Protection { point: "no-new-privileges", keys: &[&["security_opt"]], holds: bars_new },
    Protection {
        point: "pids",
        keys: &[&["pids_limit"], &["deploy", "resources", "limits", "pids"]],
        holds: is_limit,
    },
    Protection {
        point: "memory",
        keys: &[&["mem_limit"], &["deploy", "resources", "limits", "memory"]],
        holds: is_limit,
    },
    Protection {
        point: "cpus",
        keys: &[&["cpus"], &["deploy", "resources", "limits", "cpus"]],
        holds: is_limit,
    },
];

fn is_true(node: &Node) -> bool {
    node.text() == Some("true")
}

fn is_not_root(node: &Node) -> bool {
    let name = node.text().unwrap_or_default().split(':').next().unwrap_or_default();
    !matches!(name, "" | "root" | "0")
}

fn drops_all(node: &Node) -> bool {
    node.items().iter().filter_map(Node::text).any(|name| name.eq_ignore_ascii_case("all"))
}

fn bars_new(node: &Node) -> bool {
    node.items().iter().filter_map(Node::text).any(bars_new_privileges)
}

/// Nothing, nought and below nought mean none.
fn is_limit(node: &Node) -> bool {
    node.text().is_some_and(|text| !text.starts_with('-') && !text.trim_matches(['0', '.']).is_empty())
}

/// A protection that a file gives and a later one takes away.
struct Lost {
    point: &'static str,
    key: &'static [&'static str],
    given: Span,
    taken: Span,
}

fn lost(context: &Context<'_>, service: &Subject<'_>) -> Vec<Lost> {
    PROTECTIONS.iter().filter_map(|protection| lost_one(context, service, protection)).collect()
}

fn lost_one(context: &Context<'_>, service: &Subject<'_>, protection: &Protection) -> Option<Lost> {
    let holds_now = |keys: &&[&str]| service.node.at(keys).is_some_and(protection.holds);
    if protection.keys.iter().any(holds_now) {
        return None;
    }
    protection.keys.iter().find_map(|keys| {
        let mut given = None;
        let mut found = None;
        for said in context.layers.said(service.name.value.as_str(), keys) {
            match said {
                Said::Value(node) if (protection.holds)(node) => (given, found) = (Some(node.span), None),
                // That it is root is told where it stands.
                Said::Value(_) if protection.point == "user" => found = None,
                said => {
                    let taken = match said {
                        Said::Value(node) => node.span,
                        Said::Gone(span) => span,
                    };
                    found = given.map(|given| Lost { point: protection.point, key: keys, given, taken });
                }
            }
        }
        found
    })
}

/// What is told of a service here, as points of the rules that would tell it as absent.
pub(crate) fn told_as_lost(context: &Context<'_>, service: &Subject<'_>) -> Vec<&'static str> {
    lost(context, service).iter().map(|lost| lost.point).collect()
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for lost in lost(context, &service) {
            let key = lost.key.join(".");
            let given = context.project.sources.place(&lost.given);
            let message = format!("`{}` loses here what {given} gives it by `{key}`.", service.name.value);
            findings.report(service.place(lost.key), lost.taken, message).help(RULE.fix);
        }
    }
}
