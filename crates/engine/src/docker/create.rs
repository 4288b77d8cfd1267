//! From a revision to what the Engine API makes a container of. Pure, apart from seccomp profiles, which are read.

mod mounts;
pub(super) mod networking;
mod resources;
mod security;

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig,
    PortBinding, RestartPolicy, RestartPolicyNameEnum,
};
use seaworthy_project::model::healthcheck::{HealthTest, Healthcheck};
use seaworthy_project::model::port::Protocol;
use seaworthy_project::model::service::Command;
use seaworthy_project::{Service, Spanned};

use crate::docker::client::Version;
use crate::docker::{keys, labels};
use crate::{EngineError, InstanceId, InstanceKind, Revision, ports_of};

/// Health checks can be told how often to ask while starting from this API on.
const START_INTERVAL: Version = Version(1, 44);
/// Annotations are known from this API on.
const ANNOTATIONS: Version = Version(1, 43);

/// What a container is given that its service does not say.
#[derive(Debug, Clone)]
pub(super) struct Given {
    /// The image, by a name that cannot come to mean another one.
    pub(super) image: String,
    /// Its address on the ingress network, or that of the machine.
    pub(super) address: Option<IpAddr>,
    /// The ingress network, when it is connected to it.
    pub(super) ingress: Option<String>,
    /// Granted files: where they are, and where they are expected.
    pub(super) files: Vec<(PathBuf, String)>,
    /// Containers of other services, by the name of the service.
    pub(super) others: HashMap<String, String>,
    /// How long a job may take.
    pub(super) deadline: Option<Duration>,
    /// What the daemon speaks.
    pub(super) version: Version,
}

/// The name of an instance's container.
pub(super) fn name(revision: &Revision, id: &InstanceId) -> String {
    match &revision.service.container_name {
        Some(name) => name.value.clone(),
        None => format!("{}-{}-{}-{}", revision.project, id.service, id.slot, id.revision),
    }
}

/// The container of an instance.
pub(super) fn body(
    revision: &Revision,
    id: &InstanceId,
    given: &Given,
) -> Result<ContainerCreateBody, EngineError> {
    let service = &revision.service;
    let node = &service.node;
    let mut labels = labels::of(revision, id);
    if let Some(address) = given.address {
        let ports: Vec<String> = ports_of(service).iter().map(u16::to_string).collect();
        labels.insert(labels::ADDRESS.to_owned(), address.to_string());
        labels.insert(labels::PORTS.to_owned(), ports.join(","));
    }
    if let Some(deadline) = given.deadline {
        labels.insert(labels::DEADLINE.to_owned(), deadline.as_millis().to_string());
    }
    let named = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.value.clone());
    let shares_network = networking::mode(revision, given)?.is_some_and(|mode| mode != "none");
    Ok(ContainerCreateBody {
        hostname: keys::text(node, "hostname").filter(|_| !shares_network),
        domainname: keys::text(node, "domainname").filter(|_| !shares_network),
        user: named(&service.user),
        attach_stdin: Some(false),
        attach_stdout: Some(false),
        attach_stderr: Some(false),
        exposed_ports: exposed(service),
        tty: keys::flag(node, "tty"),
        open_stdin: keys::flag(node, "stdin_open"),
        env: Some(environment(service)),
        cmd: service.command.as_ref().map(|command| words(&command.value, false)),
        entrypoint: service.entrypoint.as_ref().map(|entrypoint| words(&entrypoint.value, true)),
        healthcheck: service.healthcheck.as_ref().map(|check| health(&check.value, given.version)),
        image: Some(given.image.clone()),
        working_dir: named(&service.working_dir),
        labels: Some(labels),
        stop_signal: named(&service.stop_signal),
        stop_timeout: Some(i64::try_from(service.stop_grace().as_secs()).unwrap_or(i64::MAX)),
        host_config: Some(host(revision, given)?),
        networking_config: networking::first(revision, id, given)?,
        ..ContainerCreateBody::default()
    })
}

fn host(revision: &Revision, given: &Given) -> Result<HostConfig, EngineError> {
    let service = &revision.service;
    let node = &service.node;
    let mounted = mounts::of(revision, given)?;
    let shared = |key: &str| -> Result<Option<String>, EngineError> {
        keys::text(node, key).map(|mode| networking::other(&mode, revision, given)).transpose()
    };
    let base = HostConfig {
        binds: mounted.binds,
        mounts: mounted.mounts,
        tmpfs: mounted.tmpfs,
        volumes_from: mounted.from,
        network_mode: networking::mode(revision, given)?.or_else(|| networking::first_name(revision)),
        pid_mode: shared("pid")?,
        ipc_mode: shared("ipc")?,
        uts_mode: keys::text(node, "uts"),
        userns_mode: keys::text(node, "userns_mode"),
        cgroupns_mode: keys::text(node, "cgroup").map(|mode| match mode.as_str() {
            "host" => HostConfigCgroupnsModeEnum::HOST,
            _ => HostConfigCgroupnsModeEnum::PRIVATE,
        }),
        cgroup_parent: keys::text(node, "cgroup_parent"),
        restart_policy: Some(restart(revision)),
        port_bindings: bindings(service),
        log_config: logging(service),
        dns: keys::texts(node, "dns"),
        dns_search: keys::texts(node, "dns_search"),
        dns_options: keys::texts(node, "dns_opt"),
        extra_hosts: keys::texts(node, "extra_hosts")
            .map(|lines| lines.iter().map(|line| host_line(line)).collect()),
        init: service.init.as_ref().map(|init| init.value),
        runtime: keys::text(node, "runtime"),
        storage_opt: keys::pairs(node, "storage_opt"),
        annotations: keys::pairs(node, "annotations").filter(|_| given.version >= ANNOTATIONS),
        ..HostConfig::default()
    };
    security::secured(resources::limited(base, service), revision)
}

/// `name=address` as the Engine API takes it; an address of IP version 6 may stand in brackets.
fn host_line(line: &str) -> String {
    match line.split_once('=') {
        Some((name, address)) => format!("{name}:{}", address.trim_matches(['[', ']'])),
        None => line.to_owned(),
    }
}

fn environment(service: &Service) -> Vec<String> {
    let set = |(name, value): (&String, &Spanned<Option<seaworthy_project::Sensitive>>)| {
        value.value.as_ref().map(|value| format!("{name}={}", value.reveal()))
    };
    service.environment.iter().filter_map(set).collect()
}

/// An empty entrypoint is written as one empty word: an empty list would mean the image's own.
fn words(command: &Command, entrypoint: bool) -> Vec<String> {
    match command {
        Command::Words(words) => words.clone(),
        Command::Empty if entrypoint => vec![String::new()],
        Command::Empty => Vec::new(),
    }
}

fn health(check: &Healthcheck, version: Version) -> HealthConfig {
    let test = check.test.as_ref().map(|test| match test {
        HealthTest::Disabled => vec!["NONE".to_owned()],
        HealthTest::Command(words) => [vec!["CMD".to_owned()], words.clone()].concat(),
        HealthTest::Shell(text) => vec!["CMD-SHELL".to_owned(), text.clone()],
    });
    HealthConfig {
        test,
        interval: check.interval.map(keys::nanoseconds),
        timeout: check.timeout.map(keys::nanoseconds),
        retries: check.retries.map(i64::from),
        start_period: check.start_period.map(keys::nanoseconds),
        start_interval: check.start_interval.filter(|_| version >= START_INTERVAL).map(keys::nanoseconds),
    }
}

/// `deploy.restart_policy` goes before `restart`; without both it is `no`. A job is never started again by itself.
fn restart(revision: &Revision) -> RestartPolicy {
    use RestartPolicyNameEnum as Name;
    let service = &revision.service;
    let policy = |name, count: Option<u32>| RestartPolicy {
        name: Some(name),
        maximum_retry_count: count.map(i64::from),
    };
    if revision.kind == InstanceKind::Job {
        return policy(Name::NO, None);
    }
    if let Some(said) = &service.deploy.restart {
        return match said.condition.as_deref() {
            Some("none") => policy(Name::NO, None),
            Some("on-failure") => policy(Name::ON_FAILURE, said.max_attempts),
            _ => policy(Name::ALWAYS, None),
        };
    }
    let said = service.restart.as_ref().map_or("no", |restart| restart.value.as_str());
    let (word, count) = said.split_once(':').unwrap_or((said, ""));
    match word {
        "always" => policy(Name::ALWAYS, None),
        "unless-stopped" => policy(Name::UNLESS_STOPPED, None),
        "on-failure" => policy(Name::ON_FAILURE, count.parse().ok()),
        _ => policy(Name::NO, None),
    }
}

fn exposed(service: &Service) -> Option<Vec<String>> {
    let mut ports: Vec<String> =
        service.ports.iter().map(|port| format!("{}/{}", port.value.target, port.value.protocol)).collect();
    for item in keys::texts(&service.node, "expose").unwrap_or_default() {
        let port = if item.contains('/') { item } else { format!("{item}/tcp") };
        if !port.contains('-') && !ports.contains(&port) {
            ports.push(port);
        }
    }
    (!ports.is_empty()).then_some(ports)
}

/// Published ports that are not the gateway's: those of every protocol but TCP.
fn bindings(service: &Service) -> Option<HashMap<String, Option<Vec<PortBinding>>>> {
    let mut bindings: HashMap<String, Option<Vec<PortBinding>>> = HashMap::new();
    for port in service.ports.iter().map(|port| &port.value).filter(|port| port.protocol != Protocol::Tcp) {
        let Some(published) = port.published else { continue };
        let binding = PortBinding { host_ip: port.host_ip.clone(), host_port: Some(published.to_string()) };
        let key = format!("{}/{}", port.target, port.protocol);
        bindings.entry(key).or_default().get_or_insert_with(Vec::new).push(binding);
    }
    (!bindings.is_empty()).then_some(bindings)
}

fn logging(service: &Service) -> Option<HostConfigLogConfig> {
    let node = service.node.get("logging")?;
    Some(HostConfigLogConfig {
        typ: Some(keys::text(node, "driver").unwrap_or_else(|| "json-file".to_owned())),
        config: keys::pairs(node, "options"),
    })
}
