//! The short forms of files given to a service: `env_file`, `secrets`, `configs`, `devices`.

use crate::load::canonicalize::forms::entry;
use crate::load::canonicalize::text;
use crate::load::report::Report;
use crate::load::scalar;
use crate::{Node, Problem, ProblemKind, ScalarStyle, Value};

/// `a.env` and `[a.env]` to `[{path: a.env, required: true}]`.
pub(super) fn env_files(node: &mut Node) {
    if !matches!(node.value, Value::Sequence(_)) && !node.is_null() {
        let item = Node { tag: None, ..node.clone() };
        node.value = Value::Sequence(vec![item]);
    }
    for item in node.children_mut() {
        if let Value::Scalar(_) = item.value {
            let path = item.clone();
            item.value = Value::Mapping(vec![entry("path", path)]);
        }
        if item.get("required").is_none() {
            item.set("required", Node::plain("true", item.span));
        }
    }
}

/// `x` to `{source: x}`.
pub(super) fn grants(node: &mut Node) {
    for item in node.children_mut() {
        if let Value::Scalar(_) = item.value {
            let source = item.clone();
            item.value = Value::Mapping(vec![entry("source", source)]);
        }
        item.get_mut("mode").into_iter().for_each(octal);
        for key in ["uid", "gid"] {
            item.get_mut(key).into_iter().for_each(text::normalize);
        }
    }
}

/// A `mode` written as a number is that number; in quotes it is octal. Both become octal text.
fn octal(mode: &mut Node) {
    let Value::Scalar(written) = &mut mode.value else { return };
    if written.style == ScalarStyle::Plain {
        if let Some(bits) = scalar::integer(&written.text) {
            written.text = format!("0{bits:o}");
        }
        written.style = ScalarStyle::Quoted;
    } else if let Ok(bits) = u32::from_str_radix(&written.text, 8) {
        written.text = format!("0{bits:o}");
    }
}

/// `/dev/a:/dev/b:rw` to `{source, target, permissions}`; a CDI name (`vendor/class=device`) is its own target.
pub(super) fn devices(node: &mut Node, report: &mut Report) {
    for item in node.children_mut() {
        let Value::Scalar(scalar) = &item.value else { continue };
        let text = |text: &str| Node { history: item.history.clone(), ..Node::string(text, item.span) };
        let parts: Vec<&str> = scalar.text.split(':').collect();
        let (source, target, permissions) = match parts.as_slice() {
            [source] => (*source, *source, "rwm"),
            [source, target] => (*source, *target, "rwm"),
            [source, target, permissions] => (*source, *target, *permissions),
            _ => {
                if !(report.templates_stay && scalar.text.contains('$')) {
                    let message = format!("`{}` has too many `:` for a device.", scalar.text);
                    let problem = Problem::at(ProblemKind::InvalidValue, item.span, message);
                    report
                        .problem(problem.hint("write `/dev/a:/dev/b:rwm`, or the long form with `source:`"));
                }
                continue;
            }
        };
        let target = if target.is_empty() { source } else { target };
        item.value = Value::Mapping(vec![
            entry("source", text(source)),
            entry("target", text(target)),
            entry("permissions", text(permissions)),
        ]);
    }
}

/// Keys of `ssh` as `ID` or `ID=PATH`; only `default` needs no path.
pub(super) fn keys(node: &mut Node, report: &mut Report) {
    if let Value::Mapping(entries) = &node.value {
        let keys = entries.iter().map(|entry| {
            let text = match entry.node.text() {
                Some(path) => format!("{}={path}", entry.key.value),
                None => entry.key.value.clone(),
            };
            Node { history: entry.node.history.clone(), ..Node::string(text, entry.node.span) }
        });
        node.value = Value::Sequence(keys.collect());
        return;
    }
    for item in node.items() {
        if item.text().is_some_and(|text| text != "default" && !text.contains('=')) {
            let message = "Only the key `default` needs no path.";
            let problem = Problem::at(ProblemKind::InvalidValue, item.span, message);
            report.problem(problem.hint("write `NAME=PATH`"));
        }
    }
}
