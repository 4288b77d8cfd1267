//! Which gateway routes lead to a service, and whether the gateway serves them already.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use seaworthy_engine::{InstanceId, Observed, RevisionId, Slot};
use seaworthy_gateway::route::{Backend, Balance, Probe, Route, RouteSet};
use seaworthy_project::model::port::Protocol;
use seaworthy_project::model::settings::ProbeTarget;
use seaworthy_project::{Service, ServiceName};

use crate::{Target, World};

/// The address the gateway listens on for a route without a published port.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 80);
/// How the gateway asks admitted backends.
const PROBE_INTERVAL_MS: u64 = 1000;
const PROBE_TIMEOUT_MS: u64 = 2000;
const PROBE_FALL: u32 = 3;
const PROBE_RISE: u32 = 1;

/// A route as the user wishes it, before it has backends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteWish {
    /// The port inside the instance.
    pub port: u16,
    /// The route, without backends.
    pub route: Route,
}

/// The routes of a service. A published TCP port of a service that speaks HTTP (a `route`, an HTTP probe, or
/// `app_protocol: http`) belongs to the gateway.
pub fn wishes(service: &Service) -> Vec<RouteWish> {
    let settings = service.settings.route.as_ref().map(|route| &route.value);
    let ready = service.settings.probe.ready.as_ref().map(|probe| &probe.value);
    let http = |app: Option<&String>| {
        settings.is_some()
            || matches!(ready, Some(ProbeTarget::Http { .. }))
            || app.is_some_and(|app| app == "http" || app == "http2")
    };
    let published: Vec<(u16, SocketAddr)> = service
        .ports
        .iter()
        .map(|port| &port.value)
        .filter(|port| port.protocol == Protocol::Tcp && http(port.app_protocol.as_ref()))
        .filter(|port| settings.and_then(|route| route.port).is_none_or(|wished| wished == port.target))
        .filter_map(|port| Some((port.target, listen_address(port.host_ip.as_deref(), port.published?))))
        .collect();
    let listens = match (published.is_empty(), settings) {
        (false, _) => published,
        (true, Some(route)) => match route.port.or(service.ports.first().map(|port| port.value.target)) {
            Some(port) => vec![(port, DEFAULT_LISTEN)],
            None => Vec::new(),
        },
        (true, None) => Vec::new(),
    };
    let probe = ready.and_then(|ready| match ready {
        ProbeTarget::Http { path } => Some(Probe {
            path: path.clone(),
            interval_ms: PROBE_INTERVAL_MS,
            timeout_ms: PROBE_TIMEOUT_MS,
            fall: PROBE_FALL,
            rise: PROBE_RISE,
        }),
        ProbeTarget::Tcp => None,
    });
    let name = |index: usize, listen: SocketAddr| match index {
        0 => service.name.value.to_string(),
        _ => format!("{}@{}", service.name.value, listen.port()),
    };
    listens
        .into_iter()
        .enumerate()
        .map(|(index, (port, listen))| RouteWish {
            port,
            route: Route {
                name: name(index, listen),
                listen,
                host: settings.and_then(|route| route.host.clone()).map(|host| host.to_ascii_lowercase()),
                path: settings.and_then(|route| route.path.clone()).unwrap_or_else(|| "/".to_owned()),
                balance: match settings.and_then(|route| route.balance.as_deref()) {
                    Some("least-connections") => Balance::LeastConnections,
                    _ => Balance::RoundRobin,
                },
                probe: probe.clone(),
                backends: Vec::new(),
            },
        })
        .collect()
}

fn listen_address(host_ip: Option<&str>, port: u16) -> SocketAddr {
    let address = host_ip.and_then(|ip| ip.trim_matches(['[', ']']).parse().ok());
    SocketAddr::new(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), port)
}

/// Which instances the gateway sends to now, by service.
pub(crate) fn serving_now(serving: Option<&RouteSet>) -> BTreeMap<ServiceName, Vec<InstanceId>> {
    let mut by_service: BTreeMap<ServiceName, Vec<InstanceId>> = BTreeMap::new();
    for route in serving.iter().flat_map(|set| &set.routes) {
        let name = route.name.split('@').next().unwrap_or_default();
        let Ok(service) = ServiceName::new(name) else { continue };
        let instances = by_service.entry(service).or_default();
        for instance in route.backends.iter().filter_map(|backend| parse_instance(&backend.id)) {
            if !instances.contains(&instance) {
                instances.push(instance);
            }
        }
    }
    by_service
}

/// Reads `web.3f2a9c01d4e5.1`; a service's name may hold dots itself.
fn parse_instance(text: &str) -> Option<InstanceId> {
    let mut parts = text.rsplitn(3, '.');
    let slot = Slot(parts.next()?.parse().ok()?);
    let revision = RevisionId(parts.next()?.to_owned());
    Some(InstanceId { service: ServiceName::new(parts.next()?).ok()?, revision, slot })
}

/// Whether the gateway serves exactly the target's routes with exactly these backends at their addresses.
pub(crate) fn served_as_wished(
    target: &Target,
    serving: &BTreeMap<ServiceName, Vec<InstanceId>>,
    world: &World,
) -> bool {
    let now = world.serving.as_ref().map_or(&[][..], |set| &set.routes);
    let wished = route_set(target, serving, &world.observed, &RouteSet::default());
    match wished {
        Ok(set) => set.routes == now,
        Err(_) => false,
    }
}

/// The whole route set for these backends. Services that the target does not know keep the routes of `before`.
///
/// # Errors
/// The instance whose address is not known.
pub(crate) fn route_set(
    target: &Target,
    serving: &BTreeMap<ServiceName, Vec<InstanceId>>,
    observed: &Observed,
    before: &RouteSet,
) -> Result<RouteSet, InstanceId> {
    let mut routes = Vec::new();
    for (service, instances) in serving {
        match target.get(service) {
            Some(wanted) => {
                for wish in &wanted.routes {
                    let backends = instances
                        .iter()
                        .map(|id| backend(id, wish.port, observed).ok_or_else(|| id.clone()))
                        .collect::<Result<Vec<_>, _>>()?;
                    routes.push(Route { backends, ..wish.route.clone() });
                }
            }
            None => {
                let kept =
                    |backend: &Backend| parse_instance(&backend.id).is_some_and(|id| instances.contains(&id));
                let own = |route: &&Route| route.name.split('@').next() == Some(service.as_str());
                routes.extend(before.routes.iter().filter(own).map(|route| Route {
                    backends: route.backends.iter().filter(|backend| kept(backend)).cloned().collect(),
                    ..route.clone()
                }));
            }
        }
    }
    routes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(RouteSet { routes })
}

fn backend(id: &InstanceId, port: u16, observed: &Observed) -> Option<Backend> {
    let instance = observed.instances.iter().find(|instance| &instance.id == id)?;
    let (_, address) = instance.addresses.iter().find(|(inside, _)| *inside == port)?;
    Some(Backend { id: id.to_string(), address: *address })
}
