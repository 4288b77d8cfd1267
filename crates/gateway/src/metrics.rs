//! Metrics in standard names.

mod certificates;
mod room;
mod spans;

use std::sync::OnceLock;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::backend::Backend;
use crate::listener::Room;
use crate::table::{LiveRoute, Table};
use crate::tcp;

use certificates::Certificates;
use room::Connections;
use spans::Spans;

pub(crate) use certificates::CertificateLine;

/// Bounds of the latency histogram, in seconds.
const BOUNDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Bounds of the histogram of TCP connections, in seconds: they are kept for hours.
const CONNECTION_BOUNDS: [f64; 9] = [0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 21600.0, 86400.0];

/// The status codes there are (RFC 9110, section 15).
const CODES: std::ops::Range<u32> = 100..600;

/// Codes that are counted often, the commonest first.
const COMMON_CODES: [u16; 12] = [200, 304, 204, 206, 301, 302, 400, 401, 403, 404, 499, 502];

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    project: String,
    route: String,
    backend: String,
    code: u32,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ConnectionLabels {
    project: String,
    route: String,
    backend: String,
    end: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BytesLabels {
    project: String,
    route: String,
    direction: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteLabels {
    project: String,
    route: String,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct WaitLabels {
    project: String,
    route: String,
    end: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BackendLabels {
    project: String,
    route: String,
    backend: String,
}

/// The counters of a backend's answers, by the codes that are common; each found once.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    counters: [OnceLock<Counter>; COMMON_CODES.len()],
}

impl Answers {
    fn of(&self, code: u16) -> Option<&OnceLock<Counter>> {
        self.counters.get(COMMON_CODES.iter().position(|common| *common == code)?)
    }
}

/// What the gateway counts.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    retries: Family<RouteLabels, Counter>,
    waited: Family<WaitLabels, Counter>,
    waiting: Family<RouteLabels, Gauge>,
    ejections: Family<BackendLabels, Counter>,
    connections: Family<ConnectionLabels, Counter>,
    connection_bytes: Family<BytesLabels, Counter>,
    connection_seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    up: Family<BackendLabels, Gauge>,
    in_flight: Family<BackendLabels, Gauge>,
    swaps: Counter,
    pub(crate) spans: Spans,
    certificates: Certificates,
    clients: Connections,
}

impl Default for Metrics {
    fn default() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BOUNDS);
        let connection_histogram: fn() -> Histogram = || Histogram::new(CONNECTION_BOUNDS);
        let mut metrics = Self {
            registry: Registry::with_prefix("seaworthy_gateway"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(histogram),
            retries: Family::default(),
            waited: Family::default(),
            waiting: Family::default(),
            ejections: Family::default(),
            connections: Family::default(),
            connection_bytes: Family::default(),
            connection_seconds: Family::new_with_constructor(connection_histogram),
            up: Family::default(),
            in_flight: Family::default(),
            swaps: Counter::default(),
            spans: Spans::default(),
            certificates: Certificates::default(),
            clients: Connections::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Requests answered", metrics.requests.clone());
        registry.register(
            "request_duration_seconds",
            "Time from request to end of answer",
            metrics.seconds.clone(),
        );
        registry.register("retries", "Requests sent a second time", metrics.retries.clone());
        registry.register(
            "waits",
            "Requests and TCP connections that waited for a backend, by how it ended",
            metrics.waited.clone(),
        );
        registry.register(
            "waiting",
            "Requests and TCP connections that wait for a backend",
            metrics.waiting.clone(),
        );
        registry.register(
            "ejections",
            "Times a backend was left out for what it answered",
            metrics.ejections.clone(),
        );
        registry.register(
            "tcp_connections",
            "TCP connections that ended, by how",
            metrics.connections.clone(),
        );
        registry.register("tcp_bytes", "Bytes passed over TCP connections", metrics.connection_bytes.clone());
        registry.register(
            "tcp_connection_duration_seconds",
            "Time from accepting a TCP connection to its end",
            metrics.connection_seconds.clone(),
        );
        registry.register("backend_up", "Whether a backend gets requests", metrics.up.clone());
        registry.register(
            "backend_in_flight",
            "Requests, or TCP connections, in flight to a backend",
            metrics.in_flight.clone(),
        );
        registry.register("set_swaps", "Route sets taken", metrics.swaps.clone());
        metrics.spans.register(registry);
        metrics.certificates.register(registry);
        metrics.clients.register(registry);
        metrics
    }
}

impl Metrics {
    /// A request was answered. Who answers many has counters at hand: to find them by their names costs more than to count.
    pub(crate) fn answered(
        &self,
        route: Option<&LiveRoute>,
        backend: Option<&Backend>,
        code: u16,
        took: Duration,
    ) {
        let (project, name) = route.map_or(("", ""), |route| (&route.project, &route.route.name));
        let id = backend.map_or("", |backend| &backend.id);
        let find = || {
            let (project, route, backend) = (project.into(), name.into(), id.into());
            let labels = RequestLabels { project, route, backend, code: code.into() };
            self.requests.get_or_create(&labels).clone()
        };
        match backend.and_then(|backend| backend.answers.of(code)) {
            Some(counter) => counter.get_or_init(find).inc(),
            None => find().inc(),
        };
        let find = || {
            let labels = RouteLabels { project: project.into(), route: name.into() };
            self.seconds.get_or_create(&labels).clone()
        };
        match route {
            Some(route) => route.seconds.get_or_init(find).observe(took.as_secs_f64()),
            None => find().observe(took.as_secs_f64()),
        }
    }

    pub(crate) fn retried(&self, project: &str, route: &str) {
        self.retries.get_or_create(&RouteLabels { project: project.into(), route: route.into() }).inc();
    }

    /// A request or TCP connection waited for a backend.
    pub(crate) fn waited(&self, (project, route): (String, String), end: &'static str) {
        self.waited.get_or_create(&WaitLabels { project, route, end }).inc();
    }

    pub(crate) fn ejected(&self, backend: &Backend) {
        self.ejections.get_or_create(&labels(backend)).inc();
    }

    /// A TCP connection ended; `bytes` came from the client and went to it.
    pub(crate) fn connection_ended(
        &self,
        (project, route, backend): (&str, &str, &str),
        end: &'static str,
        bytes: [u64; 2],
        took: Duration,
    ) {
        let (project, route) = (project.to_owned(), route.to_owned());
        for (direction, count) in ["from-client", "to-client"].into_iter().zip(bytes) {
            let labels = BytesLabels { project: project.clone(), route: route.clone(), direction };
            self.connection_bytes.get_or_create(&labels).inc_by(count);
        }
        let labels = RouteLabels { project: project.clone(), route: route.clone() };
        self.connection_seconds.get_or_create(&labels).observe(took.as_secs_f64());
        let labels = ConnectionLabels { project, route, backend: backend.to_owned(), end };
        self.connections.get_or_create(&labels).inc();
    }

    pub(crate) fn backend_up(&self, backend: &Backend, up: bool) {
        self.up.get_or_create(&labels(backend)).set(i64::from(up));
    }

    /// A backend was taken out and answers nothing more: its series end, so that they do not pile up over deploys.
    pub(crate) fn forget(&self, backend: &Backend) {
        self.up.remove(&labels(backend));
        self.in_flight.remove(&labels(backend));
        self.ejections.remove(&labels(backend));
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
        for end in tcp::ENDS {
            self.connections.remove(&ConnectionLabels {
                project: backend.project.clone(),
                route: backend.route.clone(),
                backend: backend.id.clone(),
                end,
            });
        }
    }

    /// The certificates that are served now.
    pub(crate) fn certificates(&self, lines: impl Iterator<Item = CertificateLine>) {
        self.certificates.tell(lines);
    }

    /// How full it is with connections.
    pub(crate) fn connections(&self, room: &Room) {
        self.clients.tell(room);
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
        for live in table.projects.values().flat_map(|entry| &entry.routes) {
            let labels = RouteLabels { project: live.project.clone(), route: live.route.name.clone() };
            self.waiting.get_or_create(&labels).set(live.room.waiting().into());
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
