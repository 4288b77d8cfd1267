//! Networks and volumes that are there with other settings than are wished: the daemon cannot change them in place.

use std::collections::HashMap;

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest, NetworkInspect};
use bollard::query_parameters::InspectNetworkOptions;
use seaworthy_project::model::resource::{Network, Volume};
use seaworthy_project::{Project, Service, Span};

use crate::EngineError;
use crate::docker::client::{Client, is_status, refused};
use crate::docker::{labels, resources};

/// The driver of what names none.
const NETWORK_DRIVER: &str = "bridge";
const VOLUME_DRIVER: &str = "local";

/// Refuses a service whose network or volume would have to be made anew. Changes nothing.
pub(super) async fn look(client: &Client, project: &Project, service: &Service) -> Result<(), EngineError> {
    if service.network_mode.is_none() {
        let wished = service.networks.iter().filter_map(|name| project.networks.get(&name.value));
        for network in wished.filter(|network| !network.external) {
            network_of(client, project, service, network).await?;
        }
    }
    let sources = service.mounts.iter().filter_map(|mount| mount.value.source.as_ref());
    for volume in sources.filter_map(|source| project.volumes.get(source)).filter(|volume| !volume.external) {
        volume_of(client, project, service, volume).await?;
    }
    Ok(())
}

async fn network_of(
    client: &Client,
    project: &Project,
    service: &Service,
    network: &Network,
) -> Result<(), EngineError> {
    let seen = match client.api.inspect_network(&network.name, None::<InspectNetworkOptions>).await {
        Ok(seen) => seen,
        Err(error) if is_status(&error, 404) => return Ok(()),
        Err(error) => return Err(refused(format!("look at the network `{}`", network.name))(error)),
    };
    // One of somebody else is refused when the service is prepared.
    let ours = seen.labels.as_ref().is_some_and(|own| labels::is_of(own, &project.name));
    let differs = network_difference(&resources::network_request(network, &project.name), &seen);
    match differs.filter(|_| ours) {
        Some(what) => Err(changed(
            service,
            format!("is on the network `{}`, which is there with another `{what}`", network.name),
            format!(
                "a network is not changed in place: give it another key, and its services move over with no gap; or make it anew with a gap, by `seaworthy down` and `seaworthy deploy`; or write `{what}` as it was"
            ),
            network.key.span,
        )),
        None => Ok(()),
    }
}

/// The first setting that is not as wished. Options that nobody wished are the daemon's own.
fn network_difference(wished: &NetworkCreateRequest, seen: &NetworkInspect) -> Option<&'static str> {
    let driver = wished.driver.as_deref().unwrap_or(NETWORK_DRIVER);
    let other =
        |wished: Option<bool>, seen: Option<bool>| wished.is_some_and(|is| is != seen.unwrap_or(false));
    if seen.driver.as_deref().is_some_and(|seen| seen != driver) {
        return Some("driver");
    }
    if wished.internal.unwrap_or(false) != seen.internal.unwrap_or(false) {
        return Some("internal");
    }
    if other(wished.attachable, seen.attachable) {
        return Some("attachable");
    }
    if other(wished.enable_ipv6, seen.enable_ipv6) {
        return Some("enable_ipv6");
    }
    let has = seen.options.clone().unwrap_or_default();
    if wished.options.iter().flatten().any(|(key, value)| has.get(key) != Some(value)) {
        return Some("driver_opts");
    }
    let subnets =
        |ipam: &Option<Ipam>| ipam.as_ref().and_then(|ipam| ipam.config.clone()).unwrap_or_default();
    let seen = subnets(&seen.ipam);
    let there = |wish: &IpamConfig| {
        seen.iter().any(|is| {
            let same = |wish: &Option<String>, is: &Option<String>| wish.is_none() || wish == is;
            same(&wish.subnet, &is.subnet)
                && same(&wish.gateway, &is.gateway)
                && same(&wish.ip_range, &is.ip_range)
        })
    };
    (!subnets(&wished.ipam).iter().all(there)).then_some("ipam")
}

async fn volume_of(
    client: &Client,
    project: &Project,
    service: &Service,
    volume: &Volume,
) -> Result<(), EngineError> {
    let seen = match client.api.inspect_volume(&volume.name).await {
        Ok(seen) => seen,
        Err(error) if is_status(&error, 404) => return Ok(()),
        Err(error) => return Err(refused(format!("look at the volume `{}`", volume.name))(error)),
    };
    let wished = resources::volume_request(volume, &project.name);
    let options: HashMap<String, String> = wished.driver_opts.unwrap_or_default();
    let what = if seen.driver != wished.driver.as_deref().unwrap_or(VOLUME_DRIVER) {
        "driver"
    } else if seen.options != options {
        "driver_opts"
    } else {
        return Ok(());
    };
    if !labels::is_of(&seen.labels, &project.name) {
        return Ok(());
    }
    Err(changed(
        service,
        format!("mounts the volume `{}`, which is there with other `{what}`", volume.name),
        format!(
            "its data would be left behind: give the volume another key and move the data, or write `{what}` as it was; `docker volume rm {}` drops it with its data",
            volume.name
        ),
        volume.key.span,
    ))
}

fn changed(service: &Service, reason: String, hint: String, span: Span) -> EngineError {
    EngineError::NotRunnable { service: service.name.value.to_string(), reason, hint, span: Some(span) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wished_is_compared() {
        let seen = NetworkInspect {
            driver: Some("bridge".to_owned()),
            internal: Some(false),
            options: Some(HashMap::from([("mtu".to_owned(), "1400".to_owned())])),
            ipam: Some(Ipam {
                config: Some(vec![IpamConfig {
                    subnet: Some("10.9.0.0/24".to_owned()),
                    gateway: Some("10.9.0.1".to_owned()),
                    ..IpamConfig::default()
                }]),
                ..Ipam::default()
            }),
            ..NetworkInspect::default()
        };
        let plain = NetworkCreateRequest::default();
        assert_eq!(network_difference(&plain, &seen), None);
        let subnet = |text: &str| NetworkCreateRequest {
            ipam: Some(Ipam {
                config: Some(vec![IpamConfig { subnet: Some(text.to_owned()), ..IpamConfig::default() }]),
                ..Ipam::default()
            }),
            ..plain.clone()
        };
        let option = |value: &str| NetworkCreateRequest {
            options: Some(HashMap::from([("mtu".to_owned(), value.to_owned())])),
            ..plain.clone()
        };
        for (wished, difference) in [
            (subnet("10.9.0.0/24"), None),
            (subnet("10.8.0.0/24"), Some("ipam")),
            (option("1400"), None),
            (option("1500"), Some("driver_opts")),
            (NetworkCreateRequest { internal: Some(true), ..plain.clone() }, Some("internal")),
            (NetworkCreateRequest { driver: Some("macvlan".to_owned()), ..plain.clone() }, Some("driver")),
            (NetworkCreateRequest { attachable: Some(true), ..plain.clone() }, Some("attachable")),
        ] {
            assert_eq!(network_difference(&wished, &seen), difference, "{wished:?}");
        }
    }
}
