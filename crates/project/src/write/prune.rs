//! Leaves out what `docker compose config` leaves out: resources that no service uses, switches that are off, empty lists.

use serde_json::{Map, Value as Json};

/// Switches of a service that Compose does not print when they are off.
const SWITCHES: [&str; 5] = ["oom_kill_disable", "privileged", "read_only", "stdin_open", "tty"];

pub(super) fn prune(root: &mut Json) {
    for section in ["networks", "volumes", "secrets", "configs"] {
        let used = used(root, section);
        if let Some(resources) = root.get_mut(section).and_then(Json::as_object_mut) {
            resources.retain(|name, _| used.contains(name));
            resources
                .values_mut()
                .for_each(|resource| switches_off(resource, &["external", "internal", "attachable"]));
        }
        if root.get(section).and_then(Json::as_object).is_some_and(Map::is_empty) {
            root.as_object_mut().and_then(|root| root.shift_remove(section));
        }
    }
    let services = root.get_mut("services").and_then(Json::as_object_mut);
    for service in services.into_iter().flat_map(Map::values_mut) {
        switches_off(service, &SWITCHES);
        if let Some(service) = service.as_object_mut() {
            let empty = |value: &Json| {
                value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
            };
            service.retain(|key, value| matches!(key.as_str(), "command" | "entrypoint") || !empty(value));
        }
    }
}

fn switches_off(node: &mut Json, switches: &[&str]) {
    if let Some(node) = node.as_object_mut() {
        node.retain(|key, value| !switches.contains(&key.as_str()) || *value != Json::Bool(false));
    }
}

/// The resources of a section that some service uses.
fn used(root: &Json, section: &str) -> Vec<String> {
    let services = root.get("services").and_then(Json::as_object);
    let mut used = Vec::new();
    for service in services.into_iter().flat_map(Map::values) {
        match service.get(section) {
            Some(Json::Object(named)) => used.extend(named.keys().cloned()),
            Some(Json::Array(items)) => used.extend(items.iter().filter_map(source)),
            _ => {}
        }
        let build = service.get("build").and_then(|build| build.get(section)).and_then(Json::as_array);
        used.extend(build.into_iter().flatten().filter_map(source));
    }
    used
}

fn source(item: &Json) -> Option<String> {
    item.get("source")?.as_str().map(str::to_owned)
}
