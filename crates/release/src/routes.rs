//! Which gateway routes lead to a service, and whether the gateway serves them already.

mod balancing;
mod policy;
mod site;
mod tls;
mod traces;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use seaworthy_engine::{InstanceId, Observed, RevisionId, Slot};
use seaworthy_gateway::route::{Backend, Probe, Protocol, Route, RouteSet};
use seaworthy_project::model::port::{self, Port};
use seaworthy_project::model::settings::ProbeTarget;
use seaworthy_project::{Service, ServiceName};

use crate::{Target, World};

pub(crate) use balancing::patient;
pub(crate) use site::{filled, list_key, page_key};

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
    /// How much more than 1 the instances get, by their slots.
    pub weights: Vec<u32>,
    /// The route, without backends.
    pub route: Route,
}

/// The routes of a service. Its published TCP ports belong to the gateway: HTTP for the port that a `route` or a
/// request as probe is about and for those whose `app_protocol` is one of it, connections passed through for the others.
pub fn wishes(service: &Service) -> Vec<RouteWish> {
    let settings = service.settings.route.as_ref().map(|route| &route.value);
    let secure = tls::said(service);
    let mut listens: Vec<(Protocol, u16, SocketAddr)> = Vec::new();
    for port in published(service) {
        let Some(number) = port.published else { continue };
        // With TLS of the gateway's own, the port of HTTPS is that of its route, whatever listened behind it before.
        let taken = secure.filter(|_| number == tls::SECURE).and(main_port(service));
        let http = taken.is_some() || speaks_http(service, port);
        let protocol = if http { Protocol::Http } else { Protocol::Tcp };
        let address = listen_address(port.host_ip.as_deref(), number);
        let listen = (protocol, taken.unwrap_or(port.target), address);
        if !listens.contains(&listen) {
            listens.push(listen);
        }
    }
    if let Some(route) = settings
        && !listens.iter().any(|(protocol, ..)| *protocol == Protocol::Http)
        && !is_about_connections(service)
        && let Some(port) = route.port.or(service.ports.first().map(|port| port.value.target))
    {
        listens.push((Protocol::Http, port, DEFAULT_LISTEN));
    }
    if secure.is_some() {
        tls::beside(&mut listens);
    }
    // The main one first: it has the service's own name.
    listens.sort_by_key(|(protocol, ..)| *protocol != Protocol::Http);
    let mut names: Vec<String> = Vec::new();
    let mut wishes = Vec::new();
    for (protocol, port, listen) in listens.iter().copied() {
        let plain = match names.is_empty() {
            true => service.name.value.to_string(),
            false => format!("{}@{}", service.name.value, listen.port()),
        };
        let name = if names.contains(&plain) { format!("{}@{listen}", service.name.value) } else { plain };
        names.push(name.clone());
        let weights = settings.map(|route| route.balancing.weights.clone()).unwrap_or_default();
        let mut route = route(service, protocol, name, listen);
        if protocol == Protocol::Http {
            route.http2 = speaks_http2(service, port);
            route.traces = traces::traces(service);
            route.tls = secure.and_then(|said| tls::route(said, tls::port(listen, &listens)));
        }
        wishes.push(RouteWish { port, weights, route });
    }
    wishes.extend(site::beside(service, &wishes));
    wishes
}

fn route(service: &Service, protocol: Protocol, name: String, listen: SocketAddr) -> Route {
    let settings = service.settings.route.as_ref().map(|route| &route.value);
    let own = settings.filter(|_| protocol == Protocol::Http);
    Route {
        name,
        listen,
        protocol,
        host: own.and_then(|route| route.host.clone()).map(|host| host.to_ascii_lowercase()),
        path: own.and_then(|route| route.path.clone()).unwrap_or_else(|| "/".to_owned()),
        balance: balancing::balance(settings.and_then(|route| route.balance.as_deref())),
        balancing: balancing::balancing(service),
        policy: own.map(|_| policy::policy(service)).unwrap_or_default(),
        site: own.map(|_| site::site(service)).unwrap_or_default(),
        sticky: own.is_some_and(|route| route.sticky),
        http2: false,
        tls: None,
        traces: None,
        probe: request_probe(service).filter(|_| protocol == Protocol::Http).map(probe),
        backends: Vec::new(),
    }
}

/// The ports that the gateway publishes: none of a job, and none of a service that has the machine's own ports.
fn published(service: &Service) -> impl Iterator<Item = &Port> {
    let own = service.settings.run.is_some() || has_machine_ports(service);
    let ports = service.ports.iter().map(|port| &port.value).filter(move |_| !own);
    ports.filter(|port| port.protocol == port::Protocol::Tcp && port.published.is_some())
}

/// Whether an instance listens on the machine itself, where nothing is left to publish.
pub(crate) fn has_machine_ports(service: &Service) -> bool {
    service.network_mode.as_ref().is_some_and(|mode| mode.value == "host")
}

/// Whether a service's route says only how connections to its published ports are balanced, as for a database: nothing
/// in it is about requests, and each port says that it speaks something else.
fn is_about_connections(service: &Service) -> bool {
    let Some(route) = service.settings.route.as_ref().map(|route| &route.value) else { return false };
    let asked = route.port.is_some() || route.host.is_some() || route.path.is_some() || route.tls.is_some();
    !asked && published(service).next().is_some()
}

/// Whether anything says that a port speaks HTTP: the route names it, its `app_protocol`, or it is the first one of a
/// service with a route or an HTTP probe.
fn speaks_http(service: &Service, port: &Port) -> bool {
    let settings = service.settings.route.as_ref().map(|route| &route.value);
    let named = settings.and_then(|route| route.port);
    let unsaid = |port: &Port| port.app_protocol.as_deref().is_none_or(is_http);
    match &port.app_protocol {
        _ if named == Some(port.target) => true,
        Some(said) => is_http(said),
        None if named.is_some() => false,
        None if settings.is_some() || request_probe(service).is_some() => {
            published(service).find(|port| unsaid(port)).is_some_and(|first| first.target == port.target)
        }
        None => false,
    }
}

/// Names of HTTP without TLS, as version 1.1 and as version 2 agreed before.
const HTTP: [&str; 5] = ["http", "http2", "h2c", "grpc", "kubernetes.io/h2c"];

fn is_http(said: &str) -> bool {
    HTTP.iter().any(|name| said.eq_ignore_ascii_case(name))
}

/// Whether a port inside speaks HTTP/2.
fn speaks_http2(service: &Service, target: u16) -> bool {
    // Who is asked in HTTP/2 speaks it at that port, unless something else is said of it.
    let of_port = || service.ports.iter().filter(|port| port.value.target == target);
    let unsaid = of_port().all(|port| port.value.app_protocol.is_none());
    if unsaid && asks_grpc(service) && main_port(service) == Some(target) {
        return true;
    }
    of_port()
        .filter_map(|port| port.value.app_protocol.as_deref())
        .any(|said| is_http(said) && !said.eq_ignore_ascii_case("http"))
}

/// The port that requests go to: the one that the route names, else the first published one that may speak HTTP.
fn main_port(service: &Service) -> Option<u16> {
    let named = service.settings.route.as_ref().and_then(|route| route.value.port);
    named.or_else(|| published(service).find(|port| speaks_http(service, port)).map(|port| port.target))
}

/// The service's own probe, where it is a request.
fn request_probe(service: &Service) -> Option<&ProbeTarget> {
    let target = &service.settings.probe.ready.as_ref()?.value;
    (*target != ProbeTarget::Tcp).then_some(target)
}

/// Whether the service is asked by gRPC's health protocol, which is spoken over HTTP/2 alone.
fn asks_grpc(service: &Service) -> bool {
    request_probe(service).is_some_and(|target| matches!(target, ProbeTarget::Grpc { .. }))
}

/// What the gateway asks its backends.
fn probe(target: &ProbeTarget) -> Probe {
    let (path, grpc) = match target {
        ProbeTarget::Http { path } => (path.clone(), None),
        ProbeTarget::Grpc { service } => ("/".to_owned(), Some(service.clone())),
        ProbeTarget::Tcp => ("/".to_owned(), None),
    };
    Probe {
        path,
        grpc,
        interval_ms: PROBE_INTERVAL_MS,
        timeout_ms: PROBE_TIMEOUT_MS,
        fall: PROBE_FALL,
        rise: PROBE_RISE,
    }
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
                    let backends = site::reached(&wish.route, backends);
                    let mut route = Route { backends, ..wish.route.clone() };
                    route.balancing.weights = balancing::weigh(wish, instances);
                    routes.push(route);
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
