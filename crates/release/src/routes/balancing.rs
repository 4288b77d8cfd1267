//! What the gateway is told of a service's balancing.

use std::time::Duration;

use seaworthy_gateway::route::{Balancing, WAIT_MS};
use seaworthy_project::{Project, Service};

use crate::{RouteWish, StopFirst, Timers, Wanted, Way};

/// As the service's own route says.
pub(super) fn balancing(service: &Service) -> Balancing {
    let plain = Balancing::default();
    let Some(route) = &service.settings.route else { return plain };
    let own = &route.value.balancing;
    Balancing { wait_ms: own.wait.map_or(plain.wait_ms, millis), queue: own.queue.unwrap_or(plain.queue) }
}

/// Has requests wait longer for a service that is replaced stop-first, unless it says itself how long: a new instance
/// gets none before it has stayed ready for its minimum time. The way forward counts, so that a rollback changes no route.
pub(crate) fn patient(wishes: Vec<RouteWish>, project: &Project, service: &Service) -> Vec<RouteWish> {
    let said = service.settings.route.as_ref().and_then(|route| route.value.balancing.wait);
    if said.is_some() || StopFirst::of(project, service, Way::Forward).is_none() {
        return wishes;
    }
    let wait_ms = WAIT_MS + millis(Timers::of(project, service, Way::Forward).min_healthy);
    let longer = |mut wish: RouteWish| {
        wish.route.balancing.wait_ms = wait_ms.min(Balancing::LONGEST_WAIT_MS);
        wish
    };
    wishes.into_iter().map(longer).collect()
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
