//! Reading keys that have no field of their own off a service's node.

use std::collections::HashMap;
use std::time::Duration;

use seaworthy_project::{Bytes, Node, Value, parse_duration};

/// A text that is not empty.
pub(super) fn text(node: &Node, key: &str) -> Option<String> {
    node.get(key)?.text().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A switch.
pub(super) fn flag(node: &Node, key: &str) -> Option<bool> {
    node.get(key)?.text()?.parse().ok()
}

/// A whole number; a fraction is cut.
pub(super) fn integer(node: &Node, key: &str) -> Option<i64> {
    whole(node.get(key)?)
}

/// A whole number of a scalar.
pub(super) fn whole(node: &Node) -> Option<i64> {
    let text = node.text()?;
    text.parse().ok().or_else(|| text.parse::<f64>().ok().map(|number| number as i64))
}

/// A size in bytes; -1 stands for no limit.
pub(super) fn bytes(node: &Node, key: &str) -> Option<i64> {
    size(node.get(key)?)
}

/// A size in bytes of a scalar.
pub(super) fn size(node: &Node) -> Option<i64> {
    let text = node.text()?;
    if text == "-1" {
        return Some(-1);
    }
    i64::try_from(Bytes::parse(text).ok()?.0).ok()
}

/// A number of microseconds, written as such or as a duration.
pub(super) fn microseconds(node: &Node, key: &str) -> Option<i64> {
    let text = node.get(key)?.text()?;
    let said = || i64::try_from(parse_duration(text).ok()?.as_micros()).ok();
    text.parse().ok().or_else(said)
}

/// A list of texts; `None` when there is none.
pub(super) fn texts(node: &Node, key: &str) -> Option<Vec<String>> {
    let items: Vec<String> =
        node.get(key)?.items().iter().filter_map(|item| item.text().map(str::to_owned)).collect();
    (!items.is_empty()).then_some(items)
}

/// A map of texts; `None` when there is none.
pub(super) fn pairs(node: &Node, key: &str) -> Option<HashMap<String, String>> {
    let pairs: HashMap<String, String> = node.get(key)?.entries().iter().filter_map(pair).collect();
    (!pairs.is_empty()).then_some(pairs)
}

fn pair(entry: &seaworthy_project::Entry) -> Option<(String, String)> {
    let value = match &entry.node.value {
        Value::Null => String::new(),
        _ => entry.node.text()?.to_owned(),
    };
    Some((entry.key.value.clone(), value))
}

/// Nanoseconds, as the Engine API counts time.
pub(super) fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
