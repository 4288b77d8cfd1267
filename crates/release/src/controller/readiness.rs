//! What "ready" means for a service: its probe, else its health check's own test, else its port, else that it runs.

use std::time::Duration;

use seaworthy_engine::Probe;
use seaworthy_project::Service;
use seaworthy_project::model::healthcheck::HealthTest;
use seaworthy_project::model::settings::ProbeTarget;

use crate::routes;

/// How long one answer may take when nothing is said.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Between two questions to an instance that runs, when its health check names no interval.
const LIFE_INTERVAL: Duration = Duration::from_secs(5);
/// The engine's own default for a health check's test, which may be costly.
const TEST_INTERVAL: Duration = Duration::from_secs(30);
/// Failures in a row that are no accident, when nothing is said.
const LIFE_RETRIES: u32 = 3;

/// How to tell whether a running instance is still well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifeCheck {
    /// The question.
    pub probe: Probe,
    /// Between two questions.
    pub interval: Duration,
    /// So many failures in a row mean that it is not well.
    pub retries: u32,
}

impl LifeCheck {
    /// The check of a service: `x-seaworthy.probe.live`, else what tells that it is ready; the interval and the
    /// retries of its health check count for both. `None` where only the end of its process can be seen.
    pub fn of(service: &Service) -> Option<Self> {
        let live = service.settings.probe.live.as_ref().map(|probe| &probe.value);
        let port = port(service);
        let probe = match (live, port) {
            (Some(target), Some(port)) => asked(target, port),
            _ => question(service),
        };
        let usual = match probe {
            Probe::Running => return None,
            Probe::Test { .. } => TEST_INTERVAL,
            Probe::Http { .. } | Probe::Tcp { .. } | Probe::Grpc { .. } => LIFE_INTERVAL,
        };
        let health = service.healthcheck.as_ref().map(|health| &health.value);
        Some(Self {
            probe,
            interval: health.and_then(|health| health.interval).unwrap_or(usual),
            retries: health.and_then(|health| health.retries).unwrap_or(LIFE_RETRIES).max(1),
        })
    }
}

/// The port that questions go to.
fn port(service: &Service) -> Option<u16> {
    let wished = routes::wishes(service).first().map(|wish| wish.port);
    wished.or_else(|| service.ports.first().map(|port| port.value.target))
}

/// What a probe of the user's asks at a port.
fn asked(target: &ProbeTarget, port: u16) -> Probe {
    let timeout = PROBE_TIMEOUT;
    match target {
        ProbeTarget::Http { path } => Probe::Http { port, path: path.clone(), timeout },
        ProbeTarget::Tcp => Probe::Tcp { port, timeout },
        ProbeTarget::Grpc { service } => Probe::Grpc { port, service: service.clone(), timeout },
    }
}

/// The question that tells whether an instance of the service is ready.
pub(crate) fn question(service: &Service) -> Probe {
    let timeout = PROBE_TIMEOUT;
    let port = port(service);
    let health = service.healthcheck.as_ref().map(|health| &health.value);
    let ready = service.settings.probe.ready.as_ref().map(|probe| &probe.value);
    if let (Some(target), Some(port)) = (ready, port) {
        return asked(target, port);
    }
    match health.and_then(|health| Some((health.test.as_ref()?, health.timeout))) {
        Some((HealthTest::Disabled, _)) | None => {}
        Some((test, own)) => return Probe::Test { test: test.clone(), timeout: own.unwrap_or(timeout) },
    }
    match port {
        Some(port) if !routes::wishes(service).is_empty() => Probe::Tcp { port, timeout },
        _ => Probe::Running,
    }
}
