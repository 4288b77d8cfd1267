//! Networks and volumes of a project: made, told from those of others, removed.

use std::collections::HashMap;

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest, VolumeCreateRequest};
use bollard::query_parameters::{
    InspectNetworkOptions, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder, RemoveVolumeOptions,
};
use seaworthy_project::model::resource::{Network, Volume};
use seaworthy_project::{Node, ProjectName};

use crate::docker::client::{Client, is_status, refused};
use crate::docker::{keys, labels};
use crate::{EngineError, Revision};

/// Makes the networks of a revision that are not there. The caller holds the lock.
pub(super) async fn make_networks(client: &Client, revision: &Revision) -> Result<(), EngineError> {
    if revision.service.network_mode.is_some() {
        return Ok(());
    }
    for network in &revision.networks {
        match client.api.inspect_network(&network.name, None::<InspectNetworkOptions>).await {
            Ok(_) if network.external => {}
            Ok(seen) if seen.labels.as_ref().is_some_and(|own| labels::is_of(own, &revision.project)) => {}
            Ok(_) => return Err(foreign("network", &network.name, &revision.project)),
            Err(error) if is_status(&error, 404) && network.external => {
                return Err(missing("network", &network.name, network.key.value.as_str(), revision));
            }
            Err(error) if is_status(&error, 404) => {
                let request = network_request(network, &revision.project);
                match client.api.create_network(request).await {
                    Err(error) if is_status(&error, 409) => {}
                    other => {
                        other.map_err(refused(format!("make the network `{}`", network.name)))?;
                    }
                }
            }
            Err(error) => return Err(refused(format!("look at the network `{}`", network.name))(error)),
        }
    }
    Ok(())
}

/// Makes the volumes of a revision that are not there.
pub(super) async fn make_volumes(client: &Client, revision: &Revision) -> Result<(), EngineError> {
    for volume in &revision.volumes {
        match client.api.inspect_volume(&volume.name).await {
            Ok(_) if volume.external => {}
            Ok(seen) if labels::is_of(&seen.labels, &revision.project) => {}
            Ok(_) => return Err(foreign("volume", &volume.name, &revision.project)),
            Err(error) if is_status(&error, 404) && volume.external => {
                return Err(missing("volume", &volume.name, volume.key.value.as_str(), revision));
            }
            Err(error) if is_status(&error, 404) => {
                let request = volume_request(volume, &revision.project);
                let made = client.api.create_volume(request).await;
                made.map_err(refused(format!("make the volume `{}`", volume.name)))?;
            }
            Err(error) => return Err(refused(format!("look at the volume `{}`", volume.name))(error)),
        }
    }
    Ok(())
}

pub(super) fn network_request(network: &Network, project: &ProjectName) -> NetworkCreateRequest {
    let node = &network.node;
    let own = keys::pairs(node, "labels").unwrap_or_default();
    NetworkCreateRequest {
        name: network.name.clone(),
        driver: keys::text(node, "driver"),
        internal: Some(network.internal),
        attachable: keys::flag(node, "attachable"),
        enable_ipv4: keys::flag(node, "enable_ipv4"),
        enable_ipv6: keys::flag(node, "enable_ipv6"),
        ipam: node.get("ipam").map(ipam),
        options: keys::pairs(node, "driver_opts"),
        labels: Some(labels::of_resource(project, "network", &network.key.value, own)),
        ..NetworkCreateRequest::default()
    }
}

fn ipam(node: &Node) -> Ipam {
    let config = |item: &Node| IpamConfig {
        subnet: keys::text(item, "subnet"),
        ip_range: keys::text(item, "ip_range"),
        gateway: keys::text(item, "gateway"),
        auxiliary_addresses: keys::pairs(item, "aux_addresses"),
    };
    let configs = node.get("config").map(Node::items).unwrap_or_default();
    Ipam {
        driver: keys::text(node, "driver"),
        config: (!configs.is_empty()).then(|| configs.iter().map(config).collect()),
        options: keys::pairs(node, "options"),
    }
}

pub(super) fn volume_request(volume: &Volume, project: &ProjectName) -> VolumeCreateRequest {
    let own = keys::pairs(&volume.node, "labels").unwrap_or_default();
    VolumeCreateRequest {
        name: Some(volume.name.clone()),
        driver: keys::text(&volume.node, "driver"),
        driver_opts: keys::pairs(&volume.node, "driver_opts"),
        labels: Some(labels::of_resource(project, "volume", &volume.key.value, own)),
        ..VolumeCreateRequest::default()
    }
}

fn foreign(kind: &str, name: &str, project: &ProjectName) -> EngineError {
    EngineError::Foreign {
        what: format!("{kind} `{name}`"),
        reason: format!("is there already, and was not made for project `{project}`"),
        hint: format!("say `external: true` to use it as it is, or give the {kind} another `name`"),
    }
}

fn missing(kind: &str, name: &str, key: &str, revision: &Revision) -> EngineError {
    let span = match kind {
        "network" => revision.networks.iter().find(|one| one.key.value == key).map(|one| one.key.span),
        _ => revision.volumes.iter().find(|one| one.key.value == key).map(|one| one.key.span),
    };
    EngineError::NotRunnable {
        service: revision.service.name.value.to_string(),
        reason: format!("uses the external {kind} `{name}`, which is not there"),
        hint: format!("make it with `docker {kind} create {name}`, or take `external` away"),
        span,
    }
}

/// The names of the volumes made for a project, sorted.
pub(super) async fn volumes(client: &Client, project: &ProjectName) -> Result<Vec<String>, EngineError> {
    let filters = labels::filter(&[(labels::COMPOSE_PROJECT, project.as_str())]);
    let options = ListVolumesOptionsBuilder::new().filters(&filters).build();
    let list = client.api.list_volumes(Some(options)).await;
    let list = list.map_err(refused(format!("list the volumes of `{project}`")))?;
    let mut names: Vec<String> =
        list.volumes.unwrap_or_default().into_iter().map(|volume| volume.name).collect();
    names.sort();
    Ok(names)
}

/// Removes the volumes of a project. One that a container of somebody else uses stays, which is told once the others
/// are gone.
pub(super) async fn remove_volumes(client: &Client, project: &ProjectName) -> Result<(), EngineError> {
    let mut used = Vec::new();
    for name in volumes(client, project).await? {
        match client.api.remove_volume(&name, None::<RemoveVolumeOptions>).await {
            Err(error) if is_status(&error, 404) => {}
            Err(error) if is_status(&error, 409) => used.push(name),
            other => other.map_err(refused(format!("remove the volume `{name}`")))?,
        }
    }
    let Some(first) = used.first() else { return Ok(()) };
    Err(EngineError::Foreign {
        what: if used.len() == 1 {
            format!("volume `{first}`")
        } else {
            format!("volumes `{}`", used.join("`, `"))
        },
        reason: "is used by a container of somebody else, and was kept".to_owned(),
        hint: format!(
            "`docker ps --all --filter volume={first}` shows it; remove it, then run `down --volumes` again"
        ),
    })
}

/// Removes the networks of a project; one that a container of somebody else is on stays.
pub(super) async fn remove_networks(client: &Client, project: &ProjectName) -> Result<(), EngineError> {
    let filters: HashMap<_, _> = labels::filter(&[(labels::PROJECT, project.as_str())]);
    let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
    let list = client.api.list_networks(Some(options)).await;
    let list = list.map_err(refused(format!("list the networks of `{project}`")))?;
    for id in list.into_iter().filter_map(|network| network.id) {
        match client.api.remove_network(&id).await {
            Err(error) if is_status(&error, 404) || is_status(&error, 403) || is_status(&error, 409) => {}
            other => other.map_err(refused(format!("remove a network of `{project}`")))?,
        }
    }
    Ok(())
}
