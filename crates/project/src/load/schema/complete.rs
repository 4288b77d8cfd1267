//! What only merged files can show: keys under which nothing stands, keys that are missing, items that stand twice.

use super::check::{self, join};
use super::{Object, PROJECT, Shape, unique};
use crate::load::canonicalize::is_reset;
use crate::load::report::Report;
use crate::{Entry, Node, Problem, ProblemKind, Say, Spanned, Value};

/// Checks a canonical tree into which a file was just merged. A file may say a part of what others complete, but
/// Compose wants all that was read so far to be complete after each file.
pub(crate) fn check(root: &Node, report: &mut Report) {
    object(root, &PROJECT, "", report);
}

fn object(node: &Node, object: &'static Object, path: &str, report: &mut Report) {
    if !matches!(node.value, Value::Mapping(_)) {
        return;
    }
    // What lies in a list was checked when it was read: nothing merges into it.
    if !path.contains('[') {
        check::missing(node, object, path, report);
    }
    for entry in node.entries().iter().filter(|entry| entry.key.value != "x-seaworthy") {
        if let Some(shape) = object.key(&entry.key.value) {
            walk(&entry.node, shape, &join(path, &entry.key.value), report);
        }
    }
}

fn walk(node: &Node, shape: &'static Shape, path: &str, report: &mut Report) {
    if is_reset(node) {
        return;
    }
    if node.is_null() {
        // Nothing over something says nothing new.
        let over = node.history.iter().any(|say| matches!(say, Say::Written(_)));
        if !over && !check::takes_nothing(shape) {
            check::empty(node, shape, path, report);
        }
        return;
    }
    match shape {
        Shape::List(inner) | Shape::Unique(inner) => {
            // Numbers and texts look the same by now, and so do some short and long forms.
            if matches!(shape, Shape::Unique(_)) {
                let typed = matches!(inner, Shape::Of(_) | Shape::Form(_));
                for (item, first) in unique::repeated(node.items()) {
                    if !typed || item.span.file != first.file || item.span == first {
                        check::twice(item, first, path, report);
                    }
                }
            }
            for (index, item) in node.items().iter().enumerate() {
                walk(item, inner, &format!("{path}[{index}]"), report);
            }
        }
        Shape::Map(inner) | Shape::Named(inner) => {
            for entry in node.entries() {
                walk(&entry.node, inner, &join(path, &entry.key.value), report);
            }
        }
        Shape::Object(inner) => object(node, inner, path, report),
        Shape::Maybe(inner) => walk(node, inner, path, report),
        Shape::Either(choices) => {
            if let Some(choice) = choices.iter().find(|choice| check::fits(node, choice)) {
                walk(node, choice, path, report);
            }
        }
        _ => {}
    }
}

/// Takes out what Compose counts as not said: sizes and pauses of zero. Limits of zero are written out.
pub(crate) fn settle(root: &mut Node) {
    settle_object(root, &PROJECT);
    for service in root.get_mut("services").into_iter().flat_map(Node::children_mut) {
        service.get_mut("ulimits").into_iter().for_each(limits);
        service.get_mut("blkio_config").into_iter().for_each(devices);
        let reservations = service.get_mut("deploy").and_then(|at| at.get_mut("resources"));
        let reservations = reservations.and_then(|at| at.get_mut("reservations"));
        let generic = reservations.and_then(|at| at.get_mut("generic_resources"));
        for spec in generic.into_iter().flat_map(Node::children_mut) {
            spec.get_mut("discrete_resource_spec").into_iter().for_each(discrete);
        }
        service.get_mut("build").and_then(|build| build.get_mut("ulimits")).into_iter().for_each(limits);
    }
}

fn limits(limits: &mut Node) {
    for limit in limits.children_mut().filter(|limit| limit.text() == Some("0")) {
        let entry = |key: &str| Entry {
            key: Spanned::new(key.to_owned(), limit.span),
            node: Node::plain("0", limit.span),
        };
        limit.value = Value::Mapping(vec![entry("soft"), entry("hard")]);
    }
}

/// What Compose writes of a reserved resource even when nobody said it.
fn discrete(spec: &mut Node) {
    let span = spec.span;
    if spec.get("kind").is_none() {
        spec.set("kind", Node::string("", span));
    }
    if spec.get("value").is_none() {
        spec.set("value", Node::plain("0", span));
    }
}

/// What Compose writes of a device's limit even when nobody said it.
fn devices(limits: &mut Node) {
    for Entry { key, node } in limits.entries_mut().into_iter().flatten() {
        let weight = key.value == "weight_device";
        for device in node.children_mut() {
            let span = device.span;
            if device.get("path").is_none() {
                device.set("path", Node::string("", span));
            }
            if weight && device.get("weight").is_none() {
                device.set("weight", Node::plain("0", span));
            } else if !weight && device.get("rate").is_none() {
                device.set("rate", Node::string("0", span));
            }
        }
    }
}

fn settle_object(node: &mut Node, object: &'static Object) {
    let Value::Mapping(entries) = &mut node.value else { return };
    entries
        .retain(|entry| object.key(&entry.key.value).is_none_or(|shape| says_something(&entry.node, shape)));
    for entry in entries {
        if let Some(shape) = object.key(&entry.key.value) {
            settle_at(&mut entry.node, shape);
        }
    }
}

fn settle_at(node: &mut Node, shape: &'static Shape) {
    match shape {
        Shape::Object(inner) => settle_object(node, inner),
        Shape::Maybe(inner) => settle_at(node, inner),
        Shape::List(inner) | Shape::Unique(inner) | Shape::Map(inner) | Shape::Named(inner) => {
            node.children_mut().for_each(|child| settle_at(child, inner));
        }
        Shape::Either(choices) => {
            let found = choices.iter().find(|choice| check::fits(node, choice));
            found.into_iter().for_each(|choice| settle_at(node, choice));
        }
        _ => {}
    }
}

fn says_something(node: &Node, shape: &Shape) -> bool {
    match shape {
        Shape::Size(super::Size::Rate) => true,
        Shape::Size(_) => node.text() != Some("0"),
        Shape::Delay => node.text() != Some("0s"),
        _ => true,
    }
}

/// The problem of a key whose value must not be empty, for those who look at single keys.
pub(super) fn nothing(node: &Node, path: &str, wanted: &str) -> Problem {
    let message = format!("`{path}` needs {wanted}, and is empty.");
    Problem::at(ProblemKind::WrongType, node.span, message)
        .hint(format!("write {wanted} here, or remove the key"))
}
