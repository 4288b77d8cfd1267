//! What a revision is made of, part by part: equal parts mean that its instances need not be replaced.
//!
//! Parts are keyed fingerprints, so that neither they nor a revision's id tell anything of a secret.

use std::path::Path;

use indexmap::IndexMap;
use seaworthy_engine::RevisionId;
use seaworthy_engine::seal::SealKey;
use seaworthy_project::model::mount::MountKind;
use seaworthy_project::{Service, ServiceName, write_json};
use serde_json::{Map, Value};

use crate::Release;

/// Keys that do not make an instance what it is: how many, in which order, when, and how it gets requests.
const NOT_PARTS: [&str; 9] = [
    "build",
    "depends_on",
    "develop",
    "env_file",
    "environment",
    "image",
    "profiles",
    "pull_policy",
    "scale",
];
const NOT_PARTS_OF_DEPLOY: [&str; 3] = ["replicas", "update_config", "rollback_config"];
const PARTS_OF_OURS: [&str; 1] = ["process"];
/// Characters of a revision's id.
const ID_LENGTH: usize = 12;

/// The parts of a service's revision, by a name that a plan can print.
pub(crate) fn of(
    release: &Release,
    service: &Service,
    generation: u32,
    followed: &[(&ServiceName, &RevisionId)],
    key: &SealKey,
) -> IndexMap<String, String> {
    let name = service.name.value.as_str();
    let whole = write_json(&release.project);
    let empty = Map::new();
    let keys = whole.get("services").and_then(|services| services.get(name)?.as_object()).unwrap_or(&empty);
    let mut parts = IndexMap::new();
    let mut add = |part: String, value: &Value| {
        parts.insert(part, key.fingerprint(canonical(value).to_string().as_bytes()));
    };
    if let Some(artifact) = release.artifacts.get(&service.name.value) {
        let kind = if artifact.name == release.project.image_name(service) { "image" } else { "program" };
        add(format!("{kind} {}", artifact.name), &Value::from(artifact.digest.as_str()));
    }
    add("project folder".to_owned(), &Value::from(release.project.directory.display().to_string()));
    for (variable, value) in &service.environment {
        let value = value.value.as_ref().map_or(Value::Null, |value| Value::from(value.reveal()));
        add(format!("env {variable}"), &value);
    }
    for (part, value) in keys.iter().filter(|(part, _)| !NOT_PARTS.contains(&part.as_str())) {
        match part.as_str() {
            "deploy" => add(part.clone(), &without(value, |key| !NOT_PARTS_OF_DEPLOY.contains(&key))),
            "x-seaworthy" => add(part.clone(), &without(value, |key| PARTS_OF_OURS.contains(&key))),
            "ports" => add(part.clone(), &targets(value)),
            _ => add(part.clone(), value),
        }
    }
    for (what, grants) in [("secret", &service.secrets), ("config", &service.configs)] {
        for grant in grants {
            let part = format!("{what} {}", grant.value.source);
            let contents = release.files.get(&part).map_or(Value::Null, |text| Value::from(text.reveal()));
            add(part, &contents);
        }
    }
    for path in bound_files(service) {
        if let Some(contents) = release.files.get(&file_key(path)) {
            let shown = Path::new(path).strip_prefix(&release.project.directory).unwrap_or(Path::new(path));
            add(format!("file {}", shown.display()), &Value::from(contents.reveal()));
        }
    }
    for (name, revision) in followed {
        add(format!("service {name}"), &Value::from(revision.0.as_str()));
    }
    if generation > 0 {
        add("restart".to_owned(), &Value::from(generation));
    }
    parts
}

/// The paths on this machine that a service mounts in place.
pub(crate) fn bound_files(service: &Service) -> impl Iterator<Item = &String> {
    let bound = service.mounts.iter().filter(|mount| mount.value.kind == MountKind::Bind);
    bound.filter_map(|mount| mount.value.source.as_ref())
}

/// Under which name a release keeps the content of a file that is mounted in place.
pub(crate) fn file_key(path: &str) -> String {
    format!("file {path}")
}

/// The identity of a revision with these parts.
pub(crate) fn revision_id(parts: &IndexMap<String, String>, key: &SealKey) -> RevisionId {
    let mut lines: Vec<String> =
        parts.iter().map(|(part, fingerprint)| format!("{part}={fingerprint}\n")).collect();
    lines.sort();
    let mut id = key.fingerprint(lines.concat().as_bytes());
    id.truncate(ID_LENGTH);
    RevisionId(id)
}

fn without(value: &Value, keep: impl Fn(&str) -> bool) -> Value {
    match value {
        Value::Object(keys) => keys
            .iter()
            .filter(|(key, _)| keep(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        other => other.clone(),
    }
}

/// Of the ports only the inside ones: the published ones are the gateway's.
fn targets(ports: &Value) -> Value {
    let target = |port: &Value| {
        Value::from(
            vec![port.get("target").cloned(), port.get("protocol").cloned()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>(),
        )
    };
    ports.as_array().map_or(Value::Null, |ports| ports.iter().map(target).collect())
}

/// The same value with the keys of every map sorted, so that the order written does not matter.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(keys) => {
            let mut sorted: Vec<(&String, &Value)> = keys.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            sorted.into_iter().map(|(key, value)| (key.clone(), canonical(value))).collect()
        }
        Value::Array(items) => items.iter().map(canonical).collect(),
        other => other.clone(),
    }
}
