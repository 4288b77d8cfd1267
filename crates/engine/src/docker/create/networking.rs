//! How a container is connected: its networks with names and addresses, or the network of something else.

use std::collections::HashMap;

use bollard::models::{EndpointIpamConfig, EndpointSettings, NetworkingConfig};
use seaworthy_project::Node;

use crate::docker::client::Version;
use crate::docker::create::Given;
use crate::docker::keys;
use crate::{EngineError, InstanceId, InstanceKind, Revision};

/// A hardware address belongs to an endpoint from this API on.
const ENDPOINT_MAC: Version = Version(1, 44);

/// The network mode that the service asks for, when it does not have networks of its own.
pub(in crate::docker) fn mode(revision: &Revision, given: &Given) -> Result<Option<String>, EngineError> {
    let Some(said) = &revision.service.network_mode else { return Ok(None) };
    match said.value.as_str() {
        mode @ ("host" | "none") => Ok(Some(mode.to_owned())),
        other_mode => other(other_mode, revision, given).map(Some),
    }
}

/// A mode that may name another service: `service:db` becomes `container:<id>`.
pub(super) fn other(mode: &str, revision: &Revision, given: &Given) -> Result<String, EngineError> {
    match mode.strip_prefix("service:") {
        Some(service) => Ok(format!("container:{}", container_of(service, mode, revision, given)?)),
        None => Ok(mode.to_owned()),
    }
}

/// The running container of another service of the project.
pub(super) fn container_of(
    service: &str,
    said: &str,
    revision: &Revision,
    given: &Given,
) -> Result<String, EngineError> {
    given.others.get(service).cloned().ok_or_else(|| EngineError::NotRunnable {
        service: revision.service.name.value.to_string(),
        reason: format!("says `{said}`, and no instance of `{service}` runs"),
        hint: format!("add `{service}` to its `depends_on`, so that it is started first"),
        span: Some(revision.service.name.span),
    })
}

/// The networks of a service by the names the engine knows, the one that gives the default route first.
fn networks(revision: &Revision) -> Vec<(String, Option<&Node>)> {
    if revision.service.network_mode.is_some() {
        return Vec::new();
    }
    let settings = revision.service.node.get("networks");
    let mut networks: Vec<(i64, &str, String, Option<&Node>)> = Vec::new();
    for network in &revision.service.networks {
        let key = network.value.as_str();
        let node = settings.and_then(|settings| settings.get(key));
        let priority = node
            .and_then(|node| keys::integer(node, "gw_priority").or_else(|| keys::integer(node, "priority")));
        let known = revision.networks.iter().find(|known| known.key.value == key);
        let name = known.map_or_else(|| format!("{}_{key}", revision.project), |known| known.name.clone());
        networks.push((-priority.unwrap_or(0), key, name, node));
    }
    networks.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    networks.into_iter().map(|(_, _, name, node)| (name, node)).collect()
}

/// The network that the container is made in.
pub(super) fn first_name(revision: &Revision) -> Option<String> {
    networks(revision).into_iter().next().map(|(name, _)| name)
}

/// The connection to the network that the container is made in.
pub(super) fn first(
    revision: &Revision,
    id: &InstanceId,
    given: &Given,
) -> Result<Option<NetworkingConfig>, EngineError> {
    let Some((name, node)) = networks(revision).into_iter().next() else { return Ok(None) };
    let mut endpoint = endpoint(revision, id, node);
    let whole = keys::text(&revision.service.node, "mac_address");
    if let Some(address) = whole {
        endpoint.mac_address.get_or_insert(address);
    }
    if endpoint.mac_address.is_some() && given.version < ENDPOINT_MAC {
        return Err(EngineError::NotRunnable {
            service: revision.service.name.value.to_string(),
            reason: format!(
                "wishes for a hardware address, which needs API {ENDPOINT_MAC}, and this engine speaks {}",
                given.version
            ),
            hint: "update Docker to 25 or newer, or take `mac_address` away".to_owned(),
            span: Some(revision.service.name.span),
        });
    }
    Ok(Some(NetworkingConfig { endpoints_config: Some(HashMap::from([(name, endpoint)])) }))
}

/// The connections that are made after the container: older engines take only one with it.
pub(in crate::docker) fn more(
    revision: &Revision,
    id: &InstanceId,
    given: &Given,
) -> Vec<(String, EndpointSettings)> {
    let mut more: Vec<(String, EndpointSettings)> = networks(revision)
        .into_iter()
        .skip(1)
        .map(|(name, node)| (name, endpoint(revision, id, node)))
        .collect();
    if let (Some(address), Some(ingress)) = (given.address, &given.ingress) {
        let ipam =
            EndpointIpamConfig { ipv4_address: Some(address.to_string()), ..EndpointIpamConfig::default() };
        more.push((
            ingress.clone(),
            EndpointSettings { ipam_config: Some(ipam), ..EndpointSettings::default() },
        ));
    }
    more
}

fn endpoint(revision: &Revision, id: &InstanceId, node: Option<&Node>) -> EndpointSettings {
    let text = |key: &str| node.and_then(|node| keys::text(node, key));
    let texts = |key: &str| node.and_then(|node| keys::texts(node, key));
    // A job is not a place to send requests to, so it does not answer to the service's name.
    let mut aliases = match revision.kind {
        InstanceKind::Replica => vec![id.service.to_string()],
        InstanceKind::Job => Vec::new(),
    };
    aliases.extend(texts("aliases").unwrap_or_default());
    let ipam = EndpointIpamConfig {
        ipv4_address: text("ipv4_address"),
        ipv6_address: text("ipv6_address"),
        link_local_ips: texts("link_local_ips"),
    };
    EndpointSettings {
        ipam_config: (ipam != EndpointIpamConfig::default()).then_some(ipam),
        aliases: Some(aliases),
        links: keys::texts(&revision.service.node, "external_links"),
        mac_address: text("mac_address"),
        driver_opts: node.and_then(|node| keys::pairs(node, "driver_opts")),
        ..EndpointSettings::default()
    }
}
