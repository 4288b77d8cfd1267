//! A resolved tree as JSON: plain scalars are numbers and booleans, quoted ones texts.

use std::collections::HashSet;

use serde_json::{Map, Number, Value as Json};

use crate::load::scalar;
use crate::load::typed::CAPTURED_VALUE;
use crate::model::resource::{FileResource, FileResourceSource};
use crate::{Entry, Node, Project, ScalarStyle, ServiceName, Value};

/// The whole project, services that profiles leave out excepted.
pub(super) fn value(project: &Project) -> Json {
    let mut root = value_of(&project.node);
    if let Some(services) = root.get_mut("services").and_then(Json::as_object_mut) {
        let disabled = disabled(project);
        services.retain(|name, _| !disabled.contains(name.as_str()));
    }
    give_captured(&mut root, project);
    root
}

/// The whole project but for its services.
pub(super) fn without_services(project: &Project) -> Json {
    let rest = project.node.entries().iter().filter(|entry| entry.key.value != "services");
    let mut root = Json::Object(rest.map(|entry| (entry.key.value.clone(), value_of(&entry.node))).collect());
    give_captured(&mut root, project);
    root
}

/// The services that profiles do not leave out.
pub(super) fn services(project: &Project) -> Vec<&Entry> {
    let disabled = disabled(project);
    let services = project.node.get("services").map(Node::entries).unwrap_or_default();
    services.iter().filter(|service| !disabled.contains(service.key.value.as_str())).collect()
}

/// A project of one service.
pub(super) fn service(service: &Entry) -> Json {
    let services = Map::from_iter([(service.key.value.clone(), value_of(&service.node))]);
    Json::Object(Map::from_iter([("services".to_owned(), Json::Object(services))]))
}

fn disabled(project: &Project) -> HashSet<&str> {
    project.disabled.iter().map(ServiceName::as_str).collect()
}

fn give_captured(root: &mut Json, project: &Project) {
    for (section, resources) in [("secrets", &project.secrets), ("configs", &project.configs)] {
        for (key, resource) in resources {
            if let (Some(value), Some(entry)) = (captured(resource), root.pointer_mut(&pointer(section, key)))
            {
                entry[CAPTURED_VALUE] = Json::String(value.to_owned());
            }
        }
    }
}

fn captured(resource: &FileResource) -> Option<&str> {
    match &resource.source {
        FileResourceSource::Environment(_, Some(value)) => Some(value.reveal()),
        _ => None,
    }
}

/// A JSON pointer (RFC 6901).
fn pointer(section: &str, key: &str) -> String {
    format!("/{section}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Takes the captured values out again: they are no part of a Compose file.
pub(super) fn drop_captured(root: &mut Json) {
    for section in ["secrets", "configs"] {
        for resource in
            root.get_mut(section).and_then(Json::as_object_mut).into_iter().flat_map(Map::values_mut)
        {
            resource.as_object_mut().and_then(|resource| resource.shift_remove(CAPTURED_VALUE));
        }
    }
}

fn value_of(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Scalar(scalar) if scalar.style == ScalarStyle::Plain => plain(&scalar.text),
        Value::Scalar(scalar) => Json::String(scalar.text.clone()),
        Value::Sequence(items) => Json::Array(items.iter().map(value_of).collect()),
        Value::Mapping(entries) => Json::Object(
            entries.iter().map(|entry| (entry.key.value.clone(), value_of(&entry.node))).collect(),
        ),
    }
}

/// What YAML makes of a plain scalar.
fn plain(text: &str) -> Json {
    match text {
        "true" | "True" | "TRUE" => return Json::Bool(true),
        "false" | "False" | "FALSE" => return Json::Bool(false),
        _ => {}
    }
    if let Some(integer) = scalar::integer(text) {
        let number =
            i64::try_from(integer).map(Number::from).or_else(|_| u64::try_from(integer).map(Number::from));
        return number.map_or_else(|_| Json::String(text.to_owned()), Json::Number);
    }
    let float = scalar::float(text).and_then(Number::from_f64);
    float.map_or_else(|| Json::String(text.to_owned()), Json::Number)
}

/// Doubles each `$`, so that Compose reads what was meant.
pub(super) fn escape_dollars(value: &mut Json) {
    match value {
        Json::String(text) if text.contains('$') => *text = text.replace('$', "$$"),
        Json::Array(items) => items.iter_mut().for_each(escape_dollars),
        Json::Object(map) => {
            map.values_mut().for_each(escape_dollars);
            if map.keys().any(|key| key.contains('$')) {
                *map = std::mem::take(map)
                    .into_iter()
                    .map(|(key, value)| (key.replace('$', "$$"), value))
                    .collect();
            }
        }
        _ => {}
    }
}
