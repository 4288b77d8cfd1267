//! What "ready" means for a service: its probe, else its health check's own test, else its port, else that it runs.

use std::time::Duration;

use seaworthy_engine::Probe;
use seaworthy_project::Service;
use seaworthy_project::model::healthcheck::HealthTest;
use seaworthy_project::model::settings::ProbeTarget;

use crate::routes;

/// How long one answer may take when nothing is said.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// The question that tells whether an instance of the service is ready.
pub(crate) fn question(service: &Service) -> Probe {
    let timeout = PROBE_TIMEOUT;
    let port = routes::wishes(service)
        .first()
        .map(|wish| wish.port)
        .or_else(|| service.ports.first().map(|port| port.value.target));
    let health = service.healthcheck.as_ref().map(|health| &health.value);
    let ready = service.settings.probe.ready.as_ref().map(|probe| &probe.value);
    match (ready, port) {
        (Some(ProbeTarget::Http { path }), Some(port)) => {
            return Probe::Http { port, path: path.clone(), timeout };
        }
        (Some(ProbeTarget::Tcp), Some(port)) => return Probe::Tcp { port, timeout },
        _ => {}
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
