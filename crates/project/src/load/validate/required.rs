//! What must be there, and names that must be well-formed.

use std::collections::HashSet;

use crate::load::report::Report;
use crate::load::session::is_true;
use crate::load::validate::{section, text};
use crate::{Entry, Node, Problem, ProblemKind, ServiceName, Value};

pub(super) fn check(root: &Node, disabled: &HashSet<&str>, report: &mut Report) {
    if section(root, "services").is_empty() && report.problems.is_empty() {
        let problem = Problem::at(ProblemKind::InvalidValue, root.span, "The project has no service.");
        report.doubt(problem.hint("add one under `services:`"));
    }
    for entry in section(root, "services") {
        service(entry, !disabled.contains(entry.key.value.as_str()), report);
    }
    for key in ["secrets", "configs"] {
        for entry in section(root, key) {
            file_resource(key, entry, report);
        }
    }
}

fn service(entry: &Entry, enabled: bool, report: &mut Report) {
    let (name, node) = (&entry.key.value, &entry.node);
    if let Err(error) = ServiceName::new(name.clone()) {
        report.problem(
            Problem::at(ProblemKind::InvalidValue, entry.key.span, format!("{error}."))
                .hint("rename the service, and every place that refers to it"),
        );
    }
    let runs = ["image", "build", "provider"]
        .iter()
        .any(|key| node.get(key).is_some_and(|node| !node.is_null() && node.text() != Some("")))
        || node.at(&["x-seaworthy", "process"]).is_some();
    if enabled && !runs && (node.is_null() || matches!(node.value, Value::Mapping(_))) {
        let message = format!("`{name}` has neither `image` nor `build`.");
        let problem = Problem::at(ProblemKind::InvalidValue, entry.key.span, message);
        report.problem(problem.hint("add `image:` or `build:`, or `x-seaworthy: {process: {command: […]}}`"));
    }
    if let Some(process) = node.at(&["x-seaworthy", "process"]) {
        let command = process.get("command");
        let empty = command
            .is_none_or(|at| at.text().is_none_or(|text| text.trim().is_empty()) && at.items().is_empty());
        if empty {
            let problem = Problem::at(ProblemKind::InvalidValue, process.span, "`process` has no `command`.");
            report.problem(problem.hint("add `command: [\"./program\"]`"));
        }
    }
    if enabled {
        health_test(node, report);
        watch_targets(node, report);
    }
    for item in node.get("ports").map(Node::items).unwrap_or_default() {
        if item.get("target").is_none() && item.text().is_none() {
            let problem = Problem::at(ProblemKind::InvalidValue, item.span, "This port has no `target`.");
            report.problem(problem.hint("add `target:`, the port inside"));
        }
    }
    for item in node.get("volumes").map(Node::items).unwrap_or_default() {
        // A short form that could not be read was told before.
        if item.text().is_none() {
            mount(item, report);
        }
    }
}

fn health_test(service: &Node, report: &mut Report) {
    let Some(test) = service.at(&["healthcheck", "test"]) else { return };
    let first = test.items().first();
    let known = first.and_then(Node::text).is_some_and(|word| matches!(word, "NONE" | "CMD" | "CMD-SHELL"));
    if !known && first.is_some() {
        let place = first.map_or(test.span, |first| first.span);
        let message = "A health check's `test` list begins with `CMD`, `CMD-SHELL` or `NONE`.";
        let problem = Problem::at(ProblemKind::InvalidValue, place, message);
        report.problem(
            problem.hint("write `[\"CMD\", \"program\", \"argument\"]`, or one string for the shell"),
        );
    }
}

fn watches(service: &Node) -> &[Node] {
    service.at(&["develop", "watch"]).map(Node::items).unwrap_or_default()
}

fn watch_targets(service: &Node, report: &mut Report) {
    for watch in watches(service) {
        let needed = text(watch, "action").is_some_and(|action| !matches!(action, "rebuild" | "restart"));
        if needed && text(watch, "target").is_none_or(str::is_empty) {
            let message = "This `watch` rule copies files and does not say where to.";
            let problem = Problem::at(ProblemKind::InvalidValue, watch.span, message);
            report.problem(problem.hint("add `target:`, a folder in the container"));
        }
    }
}

fn mount(item: &Node, report: &mut Report) {
    let kind = text(item, "type");
    let missing = if item.get("target").is_none() {
        "target"
    } else if kind == Some("bind") && item.get("source").is_none() {
        "source"
    } else {
        return;
    };
    let problem =
        Problem::at(ProblemKind::InvalidValue, item.span, format!("This mount has no `{missing}`."));
    report.problem(problem.hint(format!("add `{missing}:`")));
}

fn file_resource(section_name: &str, entry: &Entry, report: &mut Report) {
    let node = &entry.node;
    let sources: Vec<&str> =
        ["file", "environment", "content"].into_iter().filter(|key| node.get(key).is_some()).collect();
    let external = is_true(node.get("external"));
    let name = &entry.key.value;
    let (message, hint) = match sources.as_slice() {
        [] if !external => (
            format!("`{section_name}.{name}` does not say where its contents come from."),
            "add `file:`, `environment:`, or `external: true`",
        ),
        [one, another, ..] => {
            (format!("`{section_name}.{name}` has `{one}` and `{another}`."), "keep one of the two")
        }
        _ => return,
    };
    report.problem(Problem::at(ProblemKind::InvalidValue, entry.key.span, message).hint(hint));
}
