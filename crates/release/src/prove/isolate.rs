//! The project as it is tried: under a name of its own, on networks without a way out, with volumes that are thrown away.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use seaworthy_project::model::mount::MountKind;
use seaworthy_project::{Node, Project, ProjectName, Service, ServiceName, Span, write_json};
use serde_json::{Map, Value, json};

use super::rights::Rights;
use super::throwaway::ThrowAway;
use super::world::Health;

/// Folders of this machine that hold sockets and devices: what can reach them is not isolated.
const LIVE_FOLDERS: [&str; 7] = ["/", "/dev", "/etc", "/proc", "/run", "/sys", "/var/run"];
/// Keys of a service that do not belong to a try: who watches labels would send it real requests.
const LEFT_OUT: [&str; 16] = [
    "annotations",
    "build",
    "container_name",
    "depends_on",
    "develop",
    "env_file",
    "expose",
    "healthcheck",
    "labels",
    "logging",
    "mac_address",
    "ports",
    "profiles",
    "restart",
    "scale",
    "x-seaworthy",
];
/// Keys of `deploy` that stay: what it may use makes a service what it is.
const KEPT_OF_DEPLOY: [&str; 1] = ["resources"];

/// Why a service cannot be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untried {
    /// Why, as a sentence without its full stop.
    pub reason: String,
    /// Where in the user's files.
    pub span: Option<Span>,
}

/// A path of this machine that a service may write to: it gets a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Copied {
    pub(super) service: ServiceName,
    pub(super) from: PathBuf,
    pub(super) to: PathBuf,
}

/// The project as it is tried.
pub(super) struct Isolated {
    /// The resolved project, without any hardening of ours.
    pub(super) base: Value,
    pub(super) name: ProjectName,
    pub(super) copies: Vec<Copied>,
    pub(super) untried: IndexMap<ServiceName, Untried>,
}

impl Isolated {
    /// Copies go below `folder`.
    pub(super) fn of(
        project: &Project,
        name: &ProjectName,
        throwaway: &ThrowAway<'_>,
        folder: &Path,
    ) -> Self {
        let mut base = write_json(project);
        let mut isolated =
            Self { base: Value::Null, name: name.clone(), copies: Vec::new(), untried: IndexMap::new() };
        for service in project.services() {
            if let Some(untried) = untried(service) {
                isolated.untried.insert(service.name.value.clone(), untried);
            }
            let Some(keys) = base.pointer_mut(&pointer("services", service.name.value.as_str())) else {
                continue;
            };
            isolated.service(keys, project, service, throwaway, folder);
        }
        for section in ["networks", "volumes"] {
            let Some(resources) = base.get_mut(section).and_then(Value::as_object_mut) else { continue };
            for (key, resource) in resources.iter_mut() {
                *resource = json!({ "name": format!("{name}_{key}") });
                if section == "networks" {
                    resource["internal"] = json!(true);
                }
            }
        }
        if let Some(root) = base.as_object_mut() {
            root.shift_remove("x-seaworthy");
            root.insert("name".to_owned(), json!(name.as_str()));
        }
        isolated.base = base;
        isolated
    }

    fn service(
        &mut self,
        keys: &mut Value,
        project: &Project,
        service: &Service,
        throwaway: &ThrowAway<'_>,
        folder: &Path,
    ) {
        let Some(keys) = keys.as_object_mut() else { return };
        keys.retain(|key, _| !LEFT_OUT.contains(&key.as_str()));
        if let Some(environment) = keys.get_mut("environment").and_then(Value::as_object_mut) {
            for (name, value) in environment.iter_mut() {
                if let Value::String(text) = value {
                    *text = throwaway.in_variable(name, text);
                }
            }
        }
        for key in ["command", "entrypoint"] {
            keys.get_mut(key).into_iter().for_each(|value| throwaway.in_value(value));
        }
        if let Some(deploy) = keys.get_mut("deploy").and_then(Value::as_object_mut) {
            deploy.retain(|key, _| KEPT_OF_DEPLOY.contains(&key.as_str()));
        }
        if let Some(networks) = keys.get_mut("networks").and_then(Value::as_object_mut) {
            for network in networks.values_mut() {
                let aliases = network.get("aliases").cloned();
                *network = aliases.map_or(Value::Null, |aliases| json!({ "aliases": aliases }));
            }
        }
        keys.insert("image".to_owned(), json!(project.image_name(service)));
        keys.insert("restart".to_owned(), json!("no"));
        // Asked from outside, by the same question; beside it the engine's own would only cost time.
        keys.insert("healthcheck".to_owned(), json!({ "disable": true }));
        let ports: Vec<Value> =
            seaworthy_engine::ports_of(service).iter().map(|port| json!(port.to_string())).collect();
        if !ports.is_empty() {
            keys.insert("expose".to_owned(), Value::Array(ports));
        }
        let mounts = keys.get_mut("volumes").and_then(Value::as_array_mut);
        for mount in mounts.into_iter().flatten() {
            self.bound(mount, service, folder);
        }
    }

    /// What is written to on this machine is a copy, what is only read is mounted so.
    fn bound(&mut self, mount: &mut Value, service: &Service, folder: &Path) {
        let Some(mount) = mount.as_object_mut() else { return };
        if mount.get("type").and_then(Value::as_str) != Some("bind") {
            return;
        }
        mount.shift_remove("bind");
        if mount.get("read_only").and_then(Value::as_bool) == Some(true) {
            return;
        }
        let Some(from) = mount.get("source").and_then(Value::as_str).map(PathBuf::from) else { return };
        let known = self.copies.iter().find(|copy| copy.from == from);
        let to = known.map_or_else(|| folder.join(self.copies.len().to_string()), |copy| copy.to.clone());
        mount.insert("source".to_owned(), json!(to.display().to_string()));
        self.copies.push(Copied { service: service.name.value.clone(), from, to });
    }

    /// The project in which one service has these rights, and its own volumes are those of try `number`.
    pub(super) fn with(&self, service: &ServiceName, rights: &Rights, number: u32, health: &Health) -> Value {
        let mut whole = self.base.clone();
        if let Some(keys) =
            whole.pointer_mut(&pointer("services", service.as_str())).and_then(Value::as_object_mut)
        {
            give(keys, rights);
            if !health.stops {
                // It would be killed in the end; waiting for that tells nothing.
                keys.insert("stop_signal".to_owned(), json!("SIGKILL"));
            }
        }
        for key in &health.volumes {
            if let Some(volume) = whole.pointer_mut(&pointer("volumes", key)) {
                volume["name"] = json!(format!("{}_{key}_{number}", self.name));
            }
        }
        whole
    }
}

/// Writes rights into a service.
fn give(keys: &mut Map<String, Value>, rights: &Rights) {
    if let Some(user) = &rights.user {
        keys.insert("user".to_owned(), json!(user));
    }
    if rights.no_new_privileges {
        let options = keys.entry("security_opt").or_insert_with(|| json!([]));
        if let Some(options) = options.as_array_mut() {
            options.retain(|option| {
                !option.as_str().is_some_and(|option| option.starts_with("no-new-privileges"))
            });
            options.push(json!("no-new-privileges:true"));
        }
    }
    if let Some(capabilities) = &rights.capabilities {
        keys.insert("cap_drop".to_owned(), json!(["ALL"]));
        keys.insert("cap_add".to_owned(), json!(capabilities));
    }
    if rights.writable.is_some() {
        keys.insert("read_only".to_owned(), json!(true));
        let own = keys.entry("tmpfs").or_insert_with(|| json!([]));
        if let Some(text) = own.as_str().map(str::to_owned) {
            *own = json!([text]);
        }
        if let Some(own) = own.as_array_mut() {
            own.extend(rights.tmpfs().into_iter().map(|folder| json!(folder)));
        }
    }
}

/// What would let a try reach beyond its own networks and volumes.
fn untried(service: &Service) -> Option<Untried> {
    let node = &service.node;
    let refused = |reason: String, span: Option<Span>| Some(Untried { reason, span });
    if let Some(said) = service.privileged.as_ref().filter(|said| said.value) {
        return refused("it is `privileged`, so nothing would keep a try apart".to_owned(), Some(said.span));
    }
    for key in ["network_mode", "pid", "ipc", "uts", "userns_mode", "cgroup"] {
        let said = node.get(key);
        let shares = |text: &str| text == "host" || text.starts_with("container:");
        if said.and_then(Node::text).is_some_and(shares) {
            return refused(format!("`{key}` shares something of this machine"), said.map(|said| said.span));
        }
    }
    for key in ["devices", "device_cgroup_rules", "volumes_from", "use_api_socket"] {
        let said = node.get(key).filter(|said| !said.items().is_empty() || said.text() == Some("true"));
        if let Some(said) = said {
            return refused(format!("`{key}` gives it what a try cannot have alone"), Some(said.span));
        }
    }
    let mut bound = service.mounts.iter().filter(|mount| mount.value.kind == MountKind::Bind);
    let live = bound.find(|mount| {
        let source = mount.value.source.as_deref().unwrap_or_default();
        let bare = source.trim_end_matches('/');
        source.ends_with(".sock") || LIVE_FOLDERS.contains(&if bare.is_empty() { "/" } else { bare })
    });
    let live = live?;
    let source = live.value.source.as_deref().unwrap_or_default();
    refused(
        format!("it mounts `{source}` of this machine, which is neither read safely nor copied"),
        Some(live.span),
    )
}

/// A JSON pointer (RFC 6901).
fn pointer(section: &str, key: &str) -> String {
    format!("/{section}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests;
