//! Whether two values are the same: numbers by value, texts and numbers apart.

use std::collections::HashMap;

use crate::load::scalar::{self, Type, type_of};
use crate::{Node, Span, Value};

/// The items of a list that repeat an earlier one, each with the place of that one.
pub(super) fn repeated(items: &[Node]) -> Vec<(&Node, Span)> {
    let mut seen: HashMap<String, Span> = HashMap::new();
    let mut repeated = Vec::new();
    for item in items {
        let key = identity(item);
        match seen.get(&key) {
            Some(first) => repeated.push((item, *first)),
            None => {
                seen.insert(key, item.span);
            }
        }
    }
    repeated
}

fn identity(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Scalar(scalar) if type_of(scalar) == Type::Text => format!("{:?}", scalar.text),
        Value::Scalar(scalar) => scalar::normal(scalar),
        Value::Sequence(items) => format!("[{}]", items.iter().map(identity).collect::<Vec<_>>().join(",")),
        Value::Mapping(entries) => {
            let mut parts: Vec<String> = entries
                .iter()
                .map(|entry| format!("{:?}:{}", entry.key.value, identity(&entry.node)))
                .collect();
            parts.sort();
            format!("{{{}}}", parts.join(","))
        }
    }
}
