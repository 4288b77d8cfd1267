//! The short forms that are the same under several keys: lists that stand for maps, one value that stands for a list.

use indexmap::IndexMap;

use crate::load::canonicalize::text;
use crate::load::report::Report;
use crate::{Entry, Node, Problem, ProblemKind, Say, Spanned, Value};

/// An entry whose key stands where its value stands.
pub(super) fn entry(key: &str, node: Node) -> Entry {
    Entry { key: Spanned::new(key.to_owned(), node.span), node }
}

/// `[A=1, B]` to `{A: "1", B: null}`; values of a map become texts, a null stays.
pub(super) fn list_to_map(node: &mut Node, separators: &[char]) {
    if let Value::Sequence(items) = &mut node.value {
        let mut entries: IndexMap<String, Entry> = IndexMap::new();
        for mut item in std::mem::take(items) {
            text::normalize(&mut item);
            let Value::Scalar(scalar) = &item.value else { continue };
            let (key, value) = match scalar.text.split_once(separators) {
                Some((key, value)) => (key, Node::string(value, item.span)),
                None => (scalar.text.as_str(), Node::new(Value::Null, item.span)),
            };
            let key = Spanned::new(key.to_owned(), item.span);
            let mut node = Node { history: item.history, ..value };
            if let Some(earlier) = entries.get(&key.value) {
                node.say(Say::Written(earlier.node.span));
            }
            entries.insert(key.value.clone(), Entry { key, node });
        }
        node.value = Value::Mapping(entries.into_values().collect());
    }
    texts(node);
}

/// A blank between a variable's name and its `=` would become part of the name.
pub(super) fn refuse_blanks(node: &Node, report: &mut Report) {
    for item in node.items() {
        let name = item.text().and_then(|text| text.split('=').next()).unwrap_or_default();
        if name.ends_with(char::is_whitespace) {
            let message = format!("The name `{name}` ends with a blank.");
            let problem = Problem::at(ProblemKind::InvalidValue, item.span, message);
            report.problem(problem.hint(format!("write `{}=value`", name.trim())));
        }
    }
}

/// Each item needs a `=`.
pub(super) fn refuse_bare(node: &Node, report: &mut Report) {
    for item in node.items() {
        let text = item.text().unwrap_or_default();
        if !(text.contains('=') || report.templates_stay && text.contains('$')) {
            let message = format!("`{text}` has no `=` after its name.");
            let problem = Problem::at(ProblemKind::InvalidValue, item.span, message);
            report.problem(problem.hint("write `NAME=VALUE`"));
        }
    }
}

/// As [`list_to_map`], with an empty text where there is no value.
pub(crate) fn list_to_texts(node: &mut Node) {
    list_to_map(node, &['=']);
    for child in node.children_mut().filter(|child| child.is_null()) {
        *child = Node {
            tag: child.tag,
            history: std::mem::take(&mut child.history),
            ..Node::string("", child.span)
        };
    }
}

/// Makes every value of a map a text.
pub(super) fn texts(node: &mut Node) {
    node.children_mut().for_each(text::normalize);
}

/// `x` to `[x]`.
pub(crate) fn one_to_list(node: &mut Node) {
    if let Value::Scalar(_) = node.value {
        let item = Node { tag: None, ..node.clone() };
        node.value = Value::Sequence(vec![item]);
    }
    texts(node);
}

/// `[a, b]` to `{a: null, b: null}`.
pub(super) fn list_to_nulls(node: &mut Node) {
    let Value::Sequence(items) = &node.value else { return };
    let mut entries: Vec<Entry> = Vec::new();
    for item in items {
        let Some(name) = item.text() else { continue };
        if entries.iter().all(|entry| entry.key.value != name) {
            entries.push(entry(name, Node::new(Value::Null, item.span)));
        }
    }
    node.value = Value::Mapping(entries);
}

/// A `test` in one string is run by the shell.
pub(super) fn health_test(node: &mut Node) {
    if let Value::Scalar(_) = &node.value {
        let shell = Node::string("CMD-SHELL", node.span);
        let mut item = Node { tag: None, ..node.clone() };
        text::normalize(&mut item);
        node.value = Value::Sequence(vec![shell, item]);
    }
    texts(node);
}

/// `[db]` to `{db: {condition: service_started, required: true}}`. What was not written stands at the place of its key:
/// that is how [`Dependency::explicit`](crate::model::dependency::Dependency) is told.
pub(super) fn depends_on(node: &mut Node) {
    if !matches!(node.value, Value::Sequence(_)) {
        return;
    }
    list_to_nulls(node);
    for Entry { key, node: dependency } in node.entries_mut().into_iter().flatten() {
        let condition = entry("condition", Node::string("service_started", key.span));
        let required = entry("required", Node::plain("true", key.span));
        dependency.value = Value::Mapping(vec![condition, required]);
    }
}

/// `{host: ip}` to `host=ip`, sorted; a list stays as it is until all files are merged.
pub(super) fn extra_hosts(node: &mut Node) {
    let Value::Mapping(entries) = &node.value else { return };
    let mut items = Vec::new();
    for entry in entries {
        let addresses = match &entry.node.value {
            Value::Sequence(addresses) => addresses.as_slice(),
            _ => std::slice::from_ref(&entry.node),
        };
        for address in addresses {
            let line = format!("{}={}", entry.key.value, address.text().unwrap_or_default());
            items.push(Node { history: address.history.clone(), ..Node::string(line, address.span) });
        }
    }
    items.sort_by(|a, b| a.text().cmp(&b.text()));
    node.value = Value::Sequence(items);
}

/// `gpus: all` to one request for all of them.
pub(super) fn gpus(node: &mut Node) {
    if node.text() == Some("all") {
        let count = entry("count", Node::plain("-1", node.span));
        node.value = Value::Sequence(vec![Node::new(Value::Mapping(vec![count]), node.span)]);
    }
}

/// `extends: base` to `{service: base}`.
pub(super) fn extends(node: &mut Node) {
    if let Value::Scalar(_) = node.value {
        let service = Node { tag: None, ..node.clone() };
        node.value = Value::Mapping(vec![entry("service", service)]);
    }
}

/// The old `external: {name: x}` to `external: true` and `name: x`.
pub(super) fn external(resource: &mut Node, report: &mut Report) {
    let Some(external) =
        resource.get_mut("external").filter(|external| matches!(external.value, Value::Mapping(_)))
    else {
        return;
    };
    let old = external.get("name").cloned();
    external.value = Node::plain("true", external.span).value;
    let Some(old) = old else { return };
    match resource.get("name") {
        None => resource.set("name", old),
        Some(name) if name.text() == old.text() => {}
        Some(name) => {
            let message = "`name` and `external.name` differ.";
            let problem = Problem::at(ProblemKind::Conflict, name.span, message);
            report.problem(problem.related(old.span, "`external.name` is here").hint("keep `name` alone"));
        }
    }
}
