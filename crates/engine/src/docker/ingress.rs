//! The ingress network: where the gateway reaches containers, each at an address that stays its own.
//!
//! It has no way out, and containers on it do not see each other; only this machine reaches them there.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr};

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};
use bollard::query_parameters::{InspectNetworkOptions, ListNetworksOptionsBuilder};

use crate::EngineError;
use crate::docker::client::{Client, is_status, refused};
use crate::docker::{labels, list};

/// Its name.
pub(super) const NAME: &str = "seaworthy-ingress";
/// A network that is made for a moment to learn which addresses are free.
const SCOUT: &str = "seaworthy-ingress-scout";

/// The addresses of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Subnet {
    first: u32,
    last: u32,
}

/// A place on the network.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The network, by its id: older engines allow two of one name.
    pub(super) network: String,
    /// The address, which nobody else has.
    pub(super) address: IpAddr,
}

/// Makes the network when it is not there, and chooses an address that nobody has. The caller holds the lock.
pub(super) async fn place(client: &Client) -> Result<Place, EngineError> {
    let (network, subnet) = match there(client).await? {
        Some(there) => there,
        None => {
            make(client).await?;
            there(client).await?.ok_or_else(|| EngineError::Refused {
                attempt: format!("make the network `{NAME}`"),
                reason: "it was removed again at once".to_owned(),
                hint: Some("try again".to_owned()),
            })?
        }
    };
    let taken = taken(client).await?;
    let address = choose(subnet, &taken).ok_or_else(|| EngineError::Refused {
        attempt: format!("choose an address on the network `{NAME}`"),
        reason: format!("all {} are taken", taken.len()),
        hint: Some("take down projects that are not needed any more".to_owned()),
    })?;
    Ok(Place { network, address: IpAddr::V4(address) })
}

/// Removes the network when no container of ours needs it. The caller holds the lock.
pub(super) async fn tidy(client: &Client) -> Result<(), EngineError> {
    let Some((network, _)) = there(client).await? else { return Ok(()) };
    if !taken(client).await?.is_empty() {
        return Ok(());
    }
    match client.api.remove_network(&network).await {
        // Somebody else's container is on it: it stays.
        Err(error) if is_status(&error, 404) || is_status(&error, 403) => Ok(()),
        other => other.map_err(refused(format!("remove the network `{NAME}`"))),
    }
}

/// The network, if it is there; the oldest, if callers who do not know of each other made several at once.
async fn there(client: &Client) -> Result<Option<(String, Subnet)>, EngineError> {
    let filters = HashMap::from([("label".to_owned(), vec![labels::INGRESS.to_owned()])]);
    let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
    let list = client.api.list_networks(Some(options)).await;
    let mut list = list.map_err(refused(format!("look for the network `{NAME}`")))?;
    list.sort_by(|a, b| (&a.created, &a.id).cmp(&(&b.created, &b.id)));
    Ok(list.into_iter().find_map(|network| {
        let subnet = range(network.ipam.as_ref())?;
        Some((network.id?, subnet))
    }))
}

async fn taken(client: &Client) -> Result<BTreeSet<Ipv4Addr>, EngineError> {
    let filters = HashMap::from([("label".to_owned(), vec![labels::ADDRESS.to_owned()])]);
    let attempt = "list the containers on the ingress network".to_owned();
    let containers = list::containers(client, &filters, attempt).await?;
    let address = |labels: HashMap<String, String>| labels.get(labels::ADDRESS)?.parse().ok();
    // A container on the machine's own network has no address of this one.
    let on_it = |address: &Ipv4Addr| !address.is_loopback();
    Ok(containers.into_iter().filter_map(|one| address(one.labels?)).filter(on_it).collect())
}

/// Makes the network where the daemon would have put one by itself: only a network whose addresses were written
/// down gives static ones.
async fn make(client: &Client) -> Result<(), EngineError> {
    let attempt = || refused(format!("make the network `{NAME}`"));
    if client.api.inspect_network(NAME, None::<InspectNetworkOptions>).await.is_ok() {
        return Err(EngineError::Foreign {
            what: format!("network `{NAME}`"),
            reason: "is there already, and was not made by seaworthy".to_owned(),
            hint: format!("rename or remove it: `docker network rm {NAME}`"),
        });
    }
    let scout = NetworkCreateRequest { name: SCOUT.to_owned(), ..NetworkCreateRequest::default() };
    let scout = client.api.create_network(scout).await.map_err(attempt())?.id;
    let seen = client.api.inspect_network(&scout, None::<InspectNetworkOptions>).await;
    let removed = client.api.remove_network(&scout).await;
    let seen = seen.map_err(attempt())?;
    removed.map_err(attempt())?;
    let nothing = || EngineError::Refused {
        attempt: format!("make the network `{NAME}`"),
        reason: "the engine gave no addresses of IP version 4".to_owned(),
        hint: None,
    };
    range(seen.ipam.as_ref()).ok_or_else(nothing)?;
    let configs = seen.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
    let plain = |config: IpamConfig| IpamConfig {
        subnet: config.subnet,
        gateway: config.gateway,
        ..IpamConfig::default()
    };
    let request = NetworkCreateRequest {
        name: NAME.to_owned(),
        driver: Some("bridge".to_owned()),
        internal: Some(true),
        ipam: Some(Ipam { config: Some(configs.into_iter().map(plain).collect()), ..Ipam::default() }),
        options: Some(HashMap::from([(
            "com.docker.network.bridge.enable_icc".to_owned(),
            "false".to_owned(),
        )])),
        labels: Some(HashMap::from([(labels::INGRESS.to_owned(), "1".to_owned())])),
        ..NetworkCreateRequest::default()
    };
    let made = client.api.create_network(request).await.map_err(attempt())?.id;
    // Somebody who does not share our lock may have made one at the same moment: the oldest stays.
    match there(client).await? {
        Some((oldest, _)) if oldest != made => {
            client.api.remove_network(&made).await.map_err(refused(format!("remove the second `{NAME}`")))
        }
        _ => Ok(()),
    }
}

/// The addresses that containers may have: neither the network's own, nor this machine's, nor the last one.
fn range(ipam: Option<&Ipam>) -> Option<Subnet> {
    let configs = ipam?.config.as_ref()?;
    configs.iter().find_map(|config| parse(config.subnet.as_deref()?))
}

fn parse(subnet: &str) -> Option<Subnet> {
    let (address, bits) = subnet.split_once('/')?;
    let address: Ipv4Addr = address.parse().ok()?;
    let bits: u32 = bits.parse().ok().filter(|bits| (8..=29).contains(bits))?;
    let size = 1u32 << (32 - bits);
    let base = u32::from(address) & !(size - 1);
    Some(Subnet { first: base + 2, last: base + size - 2 })
}

/// The address after the highest one that is taken, so that one just freed is not given away at once; around from
/// the beginning at the end.
fn choose(subnet: Subnet, taken: &BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
    let inside = |address: &&Ipv4Addr| (subnet.first..=subnet.last).contains(&u32::from(**address));
    let start = taken.iter().rev().find(inside).map_or(subnet.first, |highest| u32::from(*highest) + 1);
    let free = |number: &u32| !taken.contains(&Ipv4Addr::from(*number));
    (start..=subnet.last).chain(subnet.first..start).find(free).map(Ipv4Addr::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_go_round() {
        let subnet = parse("172.20.0.0/29").unwrap();
        let address = |last: u8| Ipv4Addr::new(172, 20, 0, last);
        let mut taken = BTreeSet::new();
        for expected in 2..=6 {
            assert_eq!(choose(subnet, &taken), Some(address(expected)));
            taken.insert(address(expected));
        }
        assert_eq!(choose(subnet, &taken), None);
        taken.remove(&address(3));
        assert_eq!(choose(subnet, &taken), Some(address(3)));
        taken.remove(&address(6));
        assert_eq!(choose(subnet, &taken), Some(address(6)));
    }

    #[test]
    fn only_networks_with_room_are_understood() {
        for text in ["fd00::/64", "10.0.0.0/31", "nonsense", "10.0.0.0/x"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
