//! The numbers of a rollout, and why a service must be replaced stop-first.

use std::fmt;
use std::time::Duration;

use seaworthy_catalog::lookup;
use seaworthy_project::model::deploy::Order;
use seaworthy_project::model::mount::MountKind;
use seaworthy_project::model::port::Protocol;
use seaworthy_project::{Project, Service};
use serde::{Deserialize, Serialize};

use crate::rolling::{Way, setting};

/// How long an instance may take to get ready, when nothing is said.
const READY_DEADLINE: Duration = Duration::from_secs(90);
/// How long it must stay ready: catches a crash just after the start.
const MIN_HEALTHY: Duration = Duration::from_secs(10);
/// How long a whole deploy may go without ending.
const PROGRESS_DEADLINE: Duration = Duration::from_secs(600);
/// How long requests in flight may take.
const DRAIN: Duration = Duration::from_secs(30);
/// How long a job may take.
const JOB_DEADLINE: Duration = Duration::from_secs(600);
/// The engine's own defaults for a health check.
const HEALTH_INTERVAL: Duration = Duration::from_secs(30);
const HEALTH_RETRIES: u32 = 3;

/// The timers of one service's rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timers {
    /// How long an instance may take to get ready.
    pub ready_deadline: Duration,
    /// How long it must stay ready.
    pub min_healthy: Duration,
    /// How long the whole deploy may take.
    pub progress_deadline: Duration,
    /// How long requests in flight may take.
    pub drain: Duration,
    /// How long a job may take.
    pub job_deadline: Duration,
}

impl Timers {
    /// The timers of a service: its own `x-seaworthy.rollout`, else the project's, else what Compose keys imply,
    /// else the defaults.
    pub fn of(project: &Project, service: &Service, way: Way) -> Self {
        let own = &service.settings.rollout;
        let shared = &project.settings.rollout;
        let monitor = setting(service, way, |update| update.monitor);
        let health = service.healthcheck.as_ref().map(|health| &health.value);
        let implied = health.map_or(Duration::ZERO, |health| {
            health.start_period.unwrap_or_default()
                + health.interval.unwrap_or(HEALTH_INTERVAL) * health.retries.unwrap_or(HEALTH_RETRIES)
        });
        Self {
            ready_deadline: own
                .ready_deadline
                .or(shared.ready_deadline)
                .unwrap_or_else(|| READY_DEADLINE.max(implied)),
            min_healthy: own.min_healthy.or(monitor).or(shared.min_healthy).unwrap_or(MIN_HEALTHY),
            progress_deadline: own
                .progress_deadline
                .or(shared.progress_deadline)
                .unwrap_or(PROGRESS_DEADLINE),
            drain: own.drain.or(shared.drain).unwrap_or_else(|| DRAIN.max(service.stop_grace())),
            job_deadline: service.settings.timeout.as_ref().map_or(JOB_DEADLINE, |timeout| timeout.value),
        }
    }
}

/// Why the old instances of a service go before the new ones come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopFirst {
    /// `order: stop-first` of `update_config`, or of `rollback_config` on the way back: a group at a time is enough.
    Asked,
    /// Two instances at once cannot be, for this reason: all old ones go first.
    Forced(String),
}

impl StopFirst {
    /// The reason, if there is one (DESIGN: UDP port, container name, fixed address, host network, exclusive
    /// volume, stateful image).
    pub fn of(project: &Project, service: &Service, way: Way) -> Option<Self> {
        if let Some(reason) = forced(project, service) {
            return Some(Self::Forced(reason));
        }
        let order = setting(service, way, |update| update.order);
        (order == Some(Order::StopFirst)).then_some(Self::Asked)
    }
}

impl fmt::Display for StopFirst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("`order` says `stop-first`"),
            Self::Forced(reason) => f.write_str(reason),
        }
    }
}

fn forced(project: &Project, service: &Service) -> Option<String> {
    let exclusive = service.mounts.iter().find_map(|mount| {
        let source = mount.value.source.as_ref()?;
        let volume = project.volumes.get(source)?;
        (mount.value.kind == MountKind::Volume && volume.exclusive && !mount.value.read_only)
            .then_some(source)
    });
    if let Some(volume) = exclusive {
        return Some(format!("volume `{volume}` is exclusive: one writer at a time"));
    }
    if let Some(port) = service
        .ports
        .iter()
        .find(|port| port.value.protocol != Protocol::Tcp && port.value.published.is_some())
    {
        return Some(format!(
            "{} port {} stays with the engine",
            port.value.protocol.to_string().to_ascii_uppercase(),
            port.value.published.unwrap_or(port.value.target)
        ));
    }
    if let Some(name) = &service.container_name {
        return Some(format!("`container_name: {}` can be held by one container only", name.value));
    }
    if service.network_mode.as_ref().is_some_and(|mode| mode.value == "host") {
        return Some("`network_mode: host` lets only one instance have its ports".to_owned());
    }
    let networks = service.node.get("networks").map(|node| node.entries()).unwrap_or_default();
    let fixed = |key: &str| networks.iter().any(|entry| entry.node.get(key).is_some());
    if fixed("ipv4_address") || fixed("ipv6_address") {
        return Some("it has a fixed address".to_owned());
    }
    let image = service.image.as_ref()?;
    let known = lookup(&image.value)?;
    (!known.volumes.is_empty() && service.mounts.iter().any(|mount| mount.value.kind == MountKind::Volume))
        .then(|| format!("image `{}` keeps data that two instances would corrupt", image.value))
}
