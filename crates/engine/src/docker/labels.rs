//! The labels by which our containers, networks and volumes are known again. None ever holds a secret.

use std::collections::HashMap;

use seaworthy_project::ProjectName;

use crate::{InstanceId, InstanceKind, Revision};

pub(super) const PROJECT: &str = "dev.seaworthy.project";
pub(super) const SERVICE: &str = "dev.seaworthy.service";
pub(super) const REVISION: &str = "dev.seaworthy.revision";
pub(super) const SLOT: &str = "dev.seaworthy.slot";
pub(super) const RELEASE: &str = "dev.seaworthy.release";
pub(super) const KIND: &str = "dev.seaworthy.kind";
/// The address on the ingress network; fixed for the life of the container.
pub(super) const ADDRESS: &str = "dev.seaworthy.address";
/// The ports that are reached at that address, with commas between.
pub(super) const PORTS: &str = "dev.seaworthy.ports";
/// How long a job may take, in milliseconds.
pub(super) const DEADLINE: &str = "dev.seaworthy.deadline-ms";
/// How long it has to stop, in seconds.
pub(super) const GRACE: &str = "dev.seaworthy.grace-s";
/// Marks the ingress network.
pub(super) const INGRESS: &str = "dev.seaworthy.ingress";
/// Marks an image that was made to stand in for the one whose name it has.
pub(super) const STAND_IN: &str = "dev.seaworthy.stand-in";
/// Compose's own, by which its tools and dashboards find containers, networks and volumes.
pub(super) const COMPOSE_PROJECT: &str = "com.docker.compose.project";

/// The labels of an instance, the user's own among them; ours win.
pub(super) fn of(revision: &Revision, id: &InstanceId) -> HashMap<String, String> {
    let service = &revision.service;
    let mut labels: HashMap<String, String> =
        service.labels.iter().map(|(key, value)| (key.clone(), value.value.clone())).collect();
    let kind = match revision.kind {
        InstanceKind::Replica => "replica",
        InstanceKind::Job => "job",
    };
    let job = if revision.kind == InstanceKind::Job { "True" } else { "False" };
    let own = [
        (PROJECT, revision.project.to_string()),
        (SERVICE, id.service.to_string()),
        (REVISION, id.revision.to_string()),
        (SLOT, id.slot.to_string()),
        (RELEASE, revision.release.to_string()),
        (KIND, kind.to_owned()),
        (GRACE, service.stop_grace().as_secs().to_string()),
        (COMPOSE_PROJECT, revision.project.to_string()),
        ("com.docker.compose.service", id.service.to_string()),
        ("com.docker.compose.container-number", id.slot.to_string()),
        ("com.docker.compose.oneoff", job.to_owned()),
        ("com.docker.compose.config-hash", id.revision.to_string()),
        ("com.docker.compose.image", revision.artifact.digest.clone()),
        ("com.docker.compose.project.working_dir", revision.directory.display().to_string()),
        // Compose warns where this is missing; the files of a release are in its own store.
        ("com.docker.compose.project.config_files", String::new()),
        ("com.docker.compose.version", concat!("seaworthy-", env!("CARGO_PKG_VERSION")).to_owned()),
    ];
    labels.extend(own.map(|(key, value)| (key.to_owned(), value)));
    labels
}

/// The labels of a network or volume of a project; `kind` is Compose's word for it, `key` its key in the file.
pub(super) fn of_resource(
    project: &ProjectName,
    kind: &str,
    key: &str,
    own: HashMap<String, String>,
) -> HashMap<String, String> {
    let mut labels = own;
    labels.insert(PROJECT.to_owned(), project.to_string());
    labels.insert(COMPOSE_PROJECT.to_owned(), project.to_string());
    labels.insert(format!("com.docker.compose.{kind}"), key.to_owned());
    labels
}

/// Whether a network or volume was made for that project, by us or by Compose.
pub(super) fn is_of(labels: &HashMap<String, String>, project: &ProjectName) -> bool {
    let of = |key: &str| labels.get(key).map(String::as_str);
    of(PROJECT).or(of(COMPOSE_PROJECT)) == Some(project.as_str())
}

/// A filter for the list calls.
pub(super) fn filter(labels: &[(&str, &str)]) -> HashMap<String, Vec<String>> {
    HashMap::from([(
        "label".to_owned(),
        labels.iter().map(|(key, value)| format!("{key}={value}")).collect(),
    )])
}
