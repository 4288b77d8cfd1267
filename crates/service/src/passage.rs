//! One request's way through the service: counted while it lasts, measured and logged when it ends.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use tokio::time::Instant;

use crate::metrics::Metrics;

/// What is written as the route of a request that no route matched. Its path is the client's to invent.
const UNMATCHED: &str = "unmatched";
/// What is written as the status when the client went away before the answer.
const CLIENT_GONE: u16 = 499;
/// Asked every second or so by machines: logged at `debug`.
const PROBED: [&str; 3] = ["/health", "/ready", "/metrics"];

/// A request under way. When it is dropped, the request is over, whether it was answered or given up.
pub(crate) struct Passage {
    metrics: Arc<Metrics>,
    method: Method,
    path: String,
    route: String,
    begun: Instant,
    status: u16,
}

impl Passage {
    pub(crate) fn begin(metrics: Arc<Metrics>, request: &Request) -> Self {
        metrics.begin();
        let route = request.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str);
        Self {
            metrics,
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            route: route.to_owned(),
            begun: Instant::now(),
            status: CLIENT_GONE,
        }
    }

    pub(crate) fn answered(mut self, status: u16) {
        self.status = status;
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        let Self { metrics, method, path, route, begun, status } = self;
        let duration = begun.elapsed();
        metrics.end(method, route, *status, duration);
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let (method, status) = (method.as_str(), *status);
        if status >= 500 && route != "/ready" {
            tracing::warn!(method, path, route, status, duration_ms, "request");
        } else if PROBED.contains(&route.as_str()) {
            tracing::debug!(method, path, route, status, duration_ms, "request");
        } else {
            tracing::info!(method, path, route, status, duration_ms, "request");
        }
    }
}
