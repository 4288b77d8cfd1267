//! Metrics in standard names.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::backend::Backend;
use crate::table::Table;

/// Bounds of the latency histogram, in seconds.
const BOUNDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// The status codes there are (RFC 9110, section 15).
const CODES: std::ops::Range<u32> = 100..600;

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    project: String,
    route: String,
    backend: String,
    code: u32,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteLabels {
    project: String,
    route: String,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BackendLabels {
    project: String,
    route: String,
    backend: String,
}

/// What the gateway counts.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    retries: Family<RouteLabels, Counter>,
    up: Family<BackendLabels, Gauge>,
    in_flight: Family<BackendLabels, Gauge>,
    swaps: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BOUNDS);
        let mut metrics = Self {
            registry: Registry::with_prefix("seaworthy_gateway"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(histogram),
            retries: Family::default(),
            up: Family::default(),
            in_flight: Family::default(),
            swaps: Counter::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Requests answered", metrics.requests.clone());
        registry.register(
            "request_duration_seconds",
            "Time from request to end of answer",
            metrics.seconds.clone(),
        );
        registry.register("retries", "Requests sent a second time", metrics.retries.clone());
        registry.register("backend_up", "Whether a backend gets requests", metrics.up.clone());
        registry.register("backend_in_flight", "Requests in flight to a backend", metrics.in_flight.clone());
        registry.register("set_swaps", "Route sets taken", metrics.swaps.clone());
        metrics
    }
}

impl Metrics {
    pub(crate) fn answered(&self, project: &str, route: &str, backend: &str, code: u16, took: Duration) {
        let labels = RequestLabels {
            project: project.into(),
            route: route.into(),
            backend: backend.into(),
            code: code.into(),
        };
        self.requests.get_or_create(&labels).inc();
        let labels = RouteLabels { project: project.into(), route: route.into() };
        self.seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }

    pub(crate) fn retried(&self, project: &str, route: &str) {
        self.retries.get_or_create(&RouteLabels { project: project.into(), route: route.into() }).inc();
    }

    pub(crate) fn backend_up(&self, backend: &Backend, up: bool) {
        self.up.get_or_create(&labels(backend)).set(i64::from(up));
    }

    /// A backend was taken out and answers nothing more: its series end, so that they do not pile up over deploys.
    pub(crate) fn forget(&self, backend: &Backend) {
        self.up.remove(&labels(backend));
        self.in_flight.remove(&labels(backend));
        let mut labels = RequestLabels {
            project: backend.project.clone(),
            route: backend.route.clone(),
            backend: backend.id.clone(),
            code: 0,
        };
        for code in CODES {
            labels.code = code;
            self.requests.remove(&labels);
        }
    }

    pub(crate) fn swapped(&self) {
        self.swaps.inc();
    }

    /// All of it as text.
    pub(crate) fn text(&self, table: &Table) -> String {
        for backend in table.backends() {
            self.backend_up(backend, backend.is_well());
            let in_flight = i64::try_from(backend.in_flight()).unwrap_or(i64::MAX);
            self.in_flight.get_or_create(&labels(backend)).set(in_flight);
        }
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(_) => String::new(),
        }
    }
}

fn labels(backend: &Backend) -> BackendLabels {
    BackendLabels {
        project: backend.project.clone(),
        route: backend.route.clone(),
        backend: backend.id.clone(),
    }
}
