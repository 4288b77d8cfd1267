//! What the gateway is told of a service's balancing.

use std::collections::BTreeMap;
use std::time::Duration;

use seaworthy_engine::InstanceId;
use seaworthy_gateway::route::{Balance, Balancing, Ejection, HashBy, ProxyProtocol, ProxyVersion, WAIT_MS};
use seaworthy_project::model::balancing as settings;
use seaworthy_project::model::settings::ProbeTarget;
use seaworthy_project::{Project, Service};

use crate::{RouteWish, StopFirst, Timers, Wanted, Way};

/// As the service's own route says.
pub(super) fn balancing(service: &Service) -> Balancing {
    let plain = Balancing { probe_tcp: asks_tcp(service), ..Balancing::default() };
    let Some(route) = &service.settings.route else { return plain };
    let own = &route.value.balancing;
    Balancing {
        wait_ms: own.wait.map_or(plain.wait_ms, millis),
        queue: own.queue.unwrap_or(plain.queue),
        hash_by: match own.hash_by.clone() {
            None | Some(settings::HashBy::Client) => HashBy::Client,
            Some(settings::HashBy::Header(name)) => HashBy::Header(name),
            Some(settings::HashBy::Cookie(name)) => HashBy::Cookie(name),
        },
        slow_start_ms: own.slow_start.map_or(plain.slow_start_ms, millis),
        max_in_flight: own.max_in_flight.unwrap_or(plain.max_in_flight),
        ejection: Ejection {
            after: own.eject_after.unwrap_or(plain.ejection.after),
            for_ms: own.eject_for.map_or(plain.ejection.for_ms, millis),
        },
        proxy_protocol: ProxyProtocol {
            trust: own.proxy_trust.iter().filter_map(|range| range.parse().ok()).collect(),
            send: match own.proxy_send.as_deref() {
                Some("v1") => Some(ProxyVersion::V1),
                Some("v2") => Some(ProxyVersion::V2),
                _ => None,
            },
        },
        retry_percent: own.retry_percent.unwrap_or(plain.retry_percent),
        ..plain
    }
}

/// How a backend is chosen, by the service's own word.
pub(super) fn balance(said: Option<&str>) -> Balance {
    match said {
        Some("least-connections") => Balance::LeastConnections,
        Some("power-of-two") => Balance::PowerOfTwo,
        Some("hash") => Balance::Hash,
        _ => Balance::RoundRobin,
    }
}

/// Whether the service wishes that its ports are tried all the time.
fn asks_tcp(service: &Service) -> bool {
    service.settings.probe.ready.as_ref().is_some_and(|probe| probe.value == ProbeTarget::Tcp)
}

/// What instances get by their slots, under their ids.
pub(super) fn weigh(wish: &RouteWish, instances: &[InstanceId]) -> BTreeMap<String, u32> {
    let weight = |id: &InstanceId| {
        let slot = usize::try_from(id.slot.0.get()).ok()?.checked_sub(1)?;
        Some((id.to_string(), *wish.weights.get(slot)?))
    };
    instances.iter().filter_map(weight).collect()
}

/// Has requests wait longer for a service that is replaced stop-first, unless it says itself how long: a new instance
/// gets none before it has stayed ready for its minimum time. The way forward counts, so that a rollback changes no route.
/// Nobody waits for a service that is stopped.
pub(crate) fn patient(
    wishes: Vec<RouteWish>,
    project: &Project,
    service: &Service,
    replicas: u32,
) -> Vec<RouteWish> {
    if replicas == 0 {
        return with_wait(wishes, 0);
    }
    let said = service.settings.route.as_ref().and_then(|route| route.value.balancing.wait);
    if said.is_some() || StopFirst::of(project, service, Way::Forward).is_none() {
        return wishes;
    }
    let wait_ms = WAIT_MS + millis(Timers::of(project, service, Way::Forward).min_healthy);
    with_wait(wishes, wait_ms.min(Balancing::LONGEST_WAIT_MS))
}

fn with_wait(wishes: Vec<RouteWish>, wait_ms: u64) -> Vec<RouteWish> {
    let with = |mut wish: RouteWish| {
        wish.route.balancing.wait_ms = wait_ms;
        wish
    };
    wishes.into_iter().map(with).collect()
}

impl Wanted {
    /// How a gap reads to whoever asks through the gateway, to follow its reason.
    pub(crate) fn patience(&self) -> String {
        match self.routes.iter().map(|wish| wish.route.balancing.wait_ms).min() {
            None | Some(0) => String::new(),
            Some(wait_ms) => {
                let seconds = Duration::from_millis(wait_ms).as_secs_f64();
                format!("; what comes through the gateway waits up to {seconds} s for it")
            }
        }
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
