//! The short forms that are the same under several keys: lists that stand for maps, one value that stands for a list.

use indexmap::IndexMap;

use crate::load::canonicalize::text;
use crate::{Entry, Node, Say, Spanned, Value};

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
            let key = Spanned::new(key.trim().to_owned(), item.span);
            let mut node = Node { history: item.history, ..value };
            if let Some(earlier) = entries.get(&key.value) {
                node.history.push(Say::Written(earlier.node.span));
            }
            entries.insert(key.value.clone(), Entry { key, node });
        }
        node.value = Value::Mapping(entries.into_values().collect());
    }
    texts(node);
}

/// As [`list_to_map`], with an empty text where there is no value.
pub(super) fn list_to_texts(node: &mut Node) {
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
pub(super) fn one_to_list(node: &mut Node) {
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

/// `[db]` to `{db: {condition: service_started}}`. A condition that was not written stands at the place of its key:
/// that is how [`Dependency::explicit`](crate::model::dependency::Dependency) is told.
pub(super) fn depends_on(node: &mut Node) {
    list_to_nulls(node);
    let Some(entries) = node.entries_mut() else { return };
    for Entry { key, node: dependency } in entries.iter_mut().filter(|entry| entry.node.is_null()) {
        let condition = entry("condition", Node::string("service_started", key.span));
        dependency.value = Value::Mapping(vec![condition]);
    }
}

/// `{host: ip}` and `host:ip` to `host=ip`.
pub(super) fn extra_hosts(node: &mut Node) {
    let mut items = Vec::new();
    match &node.value {
        Value::Mapping(entries) => {
            for entry in entries {
                let addresses: Vec<&Node> = match &entry.node.value {
                    Value::Sequence(addresses) => addresses.iter().collect(),
                    _ => vec![&entry.node],
                };
                for address in addresses {
                    let line = format!("{}={}", entry.key.value, address.text().unwrap_or_default());
                    items.push(Node::string(line, address.span));
                }
            }
        }
        Value::Sequence(lines) => {
            for line in lines {
                let text = line.text().unwrap_or_default();
                let text = if text.contains('=') { text.to_owned() } else { text.replacen(':', "=", 1) };
                items.push(Node { history: line.history.clone(), ..Node::string(text, line.span) });
            }
        }
        _ => return,
    }
    node.value = Value::Sequence(items);
}

/// `gpus: all` to one request for all of them.
pub(super) fn gpus(node: &mut Node) {
    if node.text() == Some("all") {
        let count = entry("count", Node::plain("-1", node.span));
        node.value = Value::Sequence(vec![Node::new(Value::Mapping(vec![count]), node.span)]);
    }
}

/// `count: all` of a device request is -1.
pub(super) fn device_counts(deploy: &mut Node) {
    let reservations = deploy.get_mut("resources").and_then(|resources| resources.get_mut("reservations"));
    let devices = reservations.and_then(|reservations| reservations.get_mut("devices"));
    for count in devices.into_iter().flat_map(Node::children_mut).filter_map(|device| device.get_mut("count"))
    {
        if count.text() == Some("all") {
            count.value = Node::plain("-1", count.span).value;
        }
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
pub(super) fn external(resource: &mut Node) {
    let Some(external) = resource.get_mut("external").filter(|external| !external.entries().is_empty())
    else {
        return;
    };
    let name = external.get("name").cloned();
    external.value = Node::plain("true", external.span).value;
    if let Some(name) = name.filter(|_| resource.get("name").is_none()) {
        resource.set("name", name);
    }
}
