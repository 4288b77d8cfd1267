//! A resolved project as Docker Compose shows it: its order of keys, without what nothing uses and what says nothing.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

use crate::write::json;
use crate::write::layout::{CONFIG, Field, Layout, MODEL, NETWORK, Presence, SECRET, SERVICE, Under, VOLUME};
use crate::{Entry, Node, Project};

/// The format that is written: Compose's JSON has no room for `x-…` below the top level, nor for `models`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Yaml,
}

/// Sections in the order in which YAML shows them.
const SECTIONS: [(&str, &Layout); 6] = [
    ("services", &SERVICE),
    ("networks", &NETWORK),
    ("volumes", &VOLUME),
    ("secrets", &SECRET),
    ("configs", &CONFIG),
    ("models", &MODEL),
];

/// The project as Compose's JSON shows it.
pub(super) fn project(mut root: Json, project: &Project) -> Json {
    drop_unused(&mut root, project);
    let Json::Object(mut root) = root else { return root };
    let mut out: Map<String, Json> = Map::new();
    out.extend(root.shift_remove("name").map(|name| ("name".to_owned(), name)));
    out.extend(sections(&mut root, &SECTIONS, Format::Json));
    out.entry("services").or_insert_with(|| Json::Object(Map::new()));
    out.extend(sorted(root).filter(|(key, _)| key.starts_with("x-")));
    let shown = |(key, value): (String, Json)| match key.starts_with("x-") {
        true => (key, extension(value)),
        false => (key, value),
    };
    Json::Object(sorted(out).map(shown).collect())
}

/// What stands before `services:` in YAML, and after.
pub(super) fn around_services(mut root: Json, project: &Project) -> (Json, Json) {
    drop_unused(&mut root, project);
    let Json::Object(mut root) = root else { return (Json::Null, Json::Null) };
    let before = root.shift_remove("name").map(|name| ("name".to_owned(), name));
    let mut after: Map<String, Json> = sections(&mut root, &SECTIONS[1..], Format::Yaml).collect();
    after.extend(sorted(root).filter(|(key, _)| key.starts_with("x-")));
    (Json::Object(before.into_iter().collect()), Json::Object(after))
}

/// The `services` of a project of one, as YAML shows them.
pub(super) fn service(root: Json) -> Json {
    let Json::Object(mut root) = root else { return root };
    let services = sections(&mut root, &SECTIONS[..1], Format::Yaml).next();
    services.map_or(Json::Null, |(_, services)| services)
}

fn sections(
    root: &mut Map<String, Json>,
    sections: &'static [(&'static str, &'static Layout)],
    format: Format,
) -> impl Iterator<Item = (String, Json)> {
    sections.iter().filter_map(move |(section, layout)| {
        let Some(Json::Object(entries)) = root.shift_remove(*section) else { return None };
        let shown: Map<String, Json> =
            sorted(entries).map(|(name, entry)| (name, one(entry, layout, format))).collect();
        let hidden = format == Format::Json && *section == "models";
        (*section == "services" || !(shown.is_empty() || hidden))
            .then(|| ((*section).to_owned(), Json::Object(shown)))
    })
}

/// An extension; of a list with nothing in it Compose writes nothing in JSON.
fn extension(value: Json) -> Json {
    match value {
        Json::Array(items) if items.is_empty() => Json::Null,
        Json::Array(items) => Json::Array(items.into_iter().map(extension).collect()),
        Json::Object(map) => Json::Object(sorted(map).map(|(key, value)| (key, extension(value))).collect()),
        other => other,
    }
}

/// One map, its keys in the layout's order.
pub(super) fn one(value: Json, layout: &Layout, format: Format) -> Json {
    let Json::Object(mut given) = value else { return value };
    let mut out = Map::new();
    for field in layout.fields {
        // Nothing that is not given is written in YAML.
        if given.is_empty() && format == Format::Yaml {
            break;
        }
        let value = given.swap_remove(field.key);
        if let Some(value) = shown(field, value, format) {
            let capital = layout.capitals && format == Format::Json;
            out.insert(if capital { capitalized(field.key) } else { field.key.to_owned() }, value);
        }
    }
    if layout.extensions && format == Format::Yaml {
        out.extend(sorted(given).filter(|(key, _)| key.starts_with("x-")));
    }
    Json::Object(out)
}

fn shown(field: &Field, value: Option<Json>, format: Format) -> Option<Json> {
    let value = value.map(|value| match &field.under {
        Under::Leaf => leaf(value),
        Under::One(layout) => one(value, layout, format),
        Under::List(layout) => match value {
            Json::Array(items) => {
                let items = items.into_iter().map(|item| one(item, layout, format));
                match field.key {
                    "env_file" => Json::Array(items.map(env_file).collect()),
                    _ => Json::Array(items.collect()),
                }
            }
            other => other,
        },
        Under::Map(layout) => match value {
            Json::Object(entries) => {
                Json::Object(sorted(entries).map(|(key, entry)| (key, one(entry, layout, format))).collect())
            }
            other => other,
        },
    });
    match (field.presence, format) {
        (Presence::Telling, _) => value.filter(|value| !says_nothing(value)),
        (Presence::Given, _) => value.filter(|value| !value.is_null()),
        (Presence::Word, Format::Json) => Some(value.unwrap_or(Json::Null)),
        (Presence::Word, Format::Yaml) => value.filter(|value| !value.is_null()),
        (Presence::Part, Format::Json) => {
            let Under::One(layout) = &field.under else { return value };
            Some(value.unwrap_or_else(|| one(Json::Object(Map::new()), layout, format)))
        }
        (Presence::Part, Format::Yaml) => value.filter(|value| !says_nothing(value)),
    }
}

fn capitalized(key: &str) -> String {
    let (first, rest) = key.split_at(1);
    first.to_uppercase() + rest
}

/// A required environment file is shown by its path alone.
fn env_file(item: Json) -> Json {
    match (item.get("required"), item.get("path")) {
        (Some(Json::Bool(true)), Some(path)) => path.clone(),
        _ => item,
    }
}

fn leaf(value: Json) -> Json {
    match value {
        Json::Object(map) => Json::Object(sorted(map).map(|(key, value)| (key, leaf(value))).collect()),
        other => other,
    }
}

fn sorted(map: Map<String, Json>) -> impl Iterator<Item = (String, Json)> {
    let mut entries: Vec<(String, Json)> = map.into_iter().collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    entries.into_iter()
}

/// Zero, false, the empty text, an empty list or map. A duration or size of zero says nothing either.
fn says_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Bool(value) => !value,
        Json::Number(number) => number.as_f64() == Some(0.0),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.is_empty(),
    }
}

/// Leaves out resources that no service uses.
fn drop_unused(root: &mut Json, project: &Project) {
    let services = json::services(project);
    for section in ["networks", "volumes", "secrets", "configs", "models"] {
        let used = used(&services, section);
        if let Some(resources) = root.get_mut(section).and_then(Json::as_object_mut) {
            resources.retain(|name, _| used.contains(name.as_str()));
        }
    }
}

/// The resources of a section that some service uses.
fn used<'a>(services: &[&'a Entry], section: &str) -> HashSet<&'a str> {
    let mut used = HashSet::new();
    for service in services.iter().map(|service| &service.node) {
        let named = service.get(section);
        let build = service.get("build").and_then(|build| build.get(section));
        let users = service.at(&["x-seaworthy", "route", "auth", "users"]).filter(|_| section == "secrets");
        used.extend(users.and_then(Node::text));
        used.extend(
            named.map(Node::entries).unwrap_or_default().iter().map(|entry| entry.key.value.as_str()),
        );
        for list in named.into_iter().chain(build) {
            used.extend(list.items().iter().filter_map(source));
        }
    }
    used
}

/// What an item refers to; of mounts, only those of type `volume` refer to a resource.
fn source(item: &Node) -> Option<&str> {
    let mount = item.get("type").and_then(Node::text);
    item.get("source")?.text().filter(|_| mount.is_none_or(|kind| kind == "volume"))
}
