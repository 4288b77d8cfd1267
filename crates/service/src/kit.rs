//! What a service says about itself, and how it is wrapped.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use prometheus_client::registry::Registry;
use serde_json::json;
use tokio::net::TcpListener;

use crate::check::Checks;
use crate::metrics::{MEDIA_TYPE, Metrics};
use crate::program::Failure;
use crate::request::{Gate, pass};
use crate::serve::{Limits, Served, serve};
use crate::{Config, Stop};

/// A client that waits longer has usually gone away.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);
const NO_STORE: (HeaderName, &str) = (CACHE_CONTROL, "no-store");

/// What a web service needs around its own routes.
pub struct Kit {
    name: String,
    version: String,
    checks: Checks,
    registry: Registry,
    limits: Limits,
    request_limit: Duration,
}

/// What the kit's own routes need to know.
struct Station {
    name: String,
    version: String,
    checks: Checks,
    metrics: Arc<Metrics>,
    stop: Stop,
}

impl Kit {
    /// A kit for the service `name` in its `version`.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            checks: Checks::default(),
            registry: Registry::default(),
            limits: Limits::default(),
            request_limit: REQUEST_LIMIT,
        }
    }

    /// Makes readiness depend on `check`, which may take 5 s. Its error is told by `/ready` and in the log, so it must
    /// not hold a secret.
    pub fn check<F, V, E>(mut self, name: impl Into<String>, check: F) -> Self
    where
        F: Fn() -> V + Send + Sync + 'static,
        V: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure>,
    {
        self.checks.add(name.into(), check);
        self
    }

    /// Adds metrics of the service's own to `/metrics`.
    pub fn register(mut self, register: impl FnOnce(&mut Registry)) -> Self {
        register(&mut self.registry);
        self
    }

    /// How long a handler may take until its answer begins, the reading of the request's body included; 60 s when not
    /// set. Then the answer is 503.
    pub fn request_limit(mut self, limit: Duration) -> Self {
        self.request_limit = limit;
        self
    }

    /// How long requests are still taken after a stop was asked for, while `/ready` says no already; 500 ms when not
    /// set. It should be longer than the interval at which a load balancer asks.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.limits.linger = linger;
        self
    }

    /// How long requests under way may take to finish after that; 25 s when not set.
    pub fn drain_limit(mut self, limit: Duration) -> Self {
        self.limits.drain = limit;
        self
    }

    /// Takes the limits of a stop from the configuration: `STOP_LINGER_MILLISECONDS` and `STOP_DRAIN_SECONDS`.
    pub fn configured(mut self, config: &Config) -> Self {
        self.limits.linger = config.linger().unwrap_or(self.limits.linger);
        self.limits.drain = config.drain_limit().unwrap_or(self.limits.drain);
        self
    }

    /// Wraps `app` and adds `/health`, `/ready` and `/metrics`, which `app` must not have itself. `stop` makes it not
    /// ready.
    pub fn router(self, app: Router, stop: Stop) -> Router {
        self.wrap(app, stop).0
    }

    /// Serves `app` until `stop` is asked for and the requests under way are finished, or their time is up.
    pub async fn serve(self, listener: TcpListener, app: Router, stop: Stop) -> Served {
        let limits = self.limits;
        let (router, metrics) = self.wrap(app, stop.clone());
        serve(listener, router, metrics, stop, limits).await
    }

    fn wrap(self, app: Router, stop: Stop) -> (Router, Arc<Metrics>) {
        let Self { name, version, checks, registry, request_limit, .. } = self;
        let metrics = Arc::new(Metrics::new(&name, &version, registry));
        let gate = Gate { metrics: Arc::clone(&metrics), stop: stop.clone(), request_limit };
        let station = Arc::new(Station { name, version, checks, metrics: Arc::clone(&metrics), stop });
        let own = Router::new()
            .route("/health", get(health))
            .route("/ready", get(ready))
            .route("/metrics", get(measures))
            .with_state(station);
        (app.merge(own).layer(middleware::from_fn_with_state(gate, pass)), metrics)
    }
}

/// Alive: the program answers. Nothing is asked of anything else, or an outage of a database would restart every
/// service that uses it.
async fn health(State(station): State<Arc<Station>>) -> impl IntoResponse {
    let body = json!({ "status": "alive", "service": station.name, "version": station.version });
    ([NO_STORE], Json(body))
}

async fn ready(State(station): State<Arc<Station>>, headers: HeaderMap) -> Response {
    if station.stop.is_requested() {
        let body = json!({ "status": "draining", "checks": {} });
        return (StatusCode::SERVICE_UNAVAILABLE, [NO_STORE], Json(body)).into_response();
    }
    let outcome = station.checks.outcome().await;
    for (check, error) in outcome.failed() {
        tracing::warn!(check, error, "not ready");
    }
    let status = if outcome.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [NO_STORE], Json(outcome.to_json(!is_from_outside(&headers)))).into_response()
}

/// Measures are for the scraper beside the service, not for the world behind the load balancer.
async fn measures(State(station): State<Arc<Station>>, headers: HeaderMap) -> Response {
    if is_from_outside(&headers) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match station.metrics.text() {
        Ok(text) => ([(CONTENT_TYPE, MEDIA_TYPE), NO_STORE], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Whether a load balancer passed the request on for somebody else.
fn is_from_outside(headers: &HeaderMap) -> bool {
    ["forwarded", "x-forwarded-for", "via"].iter().any(|name| headers.contains_key(*name))
}
