//! What is told of a TCP connection, in the access log and in metrics; told when dropped at the latest.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use crate::access_log::{ConnectionLine, millis};
use crate::backend::Backend;
use crate::rim;
use crate::table::LiveRoute;
use crate::worker::Gateway;

use super::copy::Counts;

/// How a connection can end: both sides said all; one broke off; its backend's time was up; nobody could be reached;
/// this worker ended.
pub(crate) const ENDS: [&str; 5] = ["closed", "reset", "cut", "unreached", DROPPED];
const DROPPED: &str = "dropped";

/// What is known so far.
pub(crate) struct Story {
    began: Instant,
    line: Option<ConnectionLine>,
    gateway: Arc<Gateway>,
}

impl Story {
    pub(crate) fn new(client: SocketAddr, gateway: Arc<Gateway>) -> Self {
        let line = ConnectionLine {
            time: rim::now().to_string(),
            protocol: "tcp",
            request_id: None,
            project: String::new(),
            route: String::new(),
            backend: String::new(),
            client: client.ip().to_canonical().to_string(),
            bytes_from_client: 0,
            bytes_to_client: 0,
            retried: false,
            end: DROPPED,
            queue_ms: 0.0,
            connect_ms: 0.0,
            total_ms: 0.0,
        };
        Self { began: Instant::now(), line: Some(line), gateway }
    }

    /// It was a request before.
    pub(crate) fn upgraded(&mut self, protocol: &'static str, request_id: &str) {
        self.change(|line| {
            line.protocol = protocol;
            line.request_id = Some(request_id.to_owned());
        });
    }

    pub(crate) fn route(&mut self, route: &LiveRoute) {
        self.change(|line| {
            line.project.clone_from(&route.project);
            line.route.clone_from(&route.route.name);
        });
    }

    pub(crate) fn backend(&mut self, backend: &Backend) {
        self.change(|line| line.backend.clone_from(&backend.id));
    }

    pub(super) fn retried(&mut self) {
        self.change(|line| line.retried = true);
    }

    pub(super) fn queued(&mut self, took: Duration) {
        self.change(|line| line.queue_ms = millis(took));
    }

    pub(super) fn connected(&mut self) {
        let took = millis(self.began.elapsed());
        self.change(|line| line.connect_ms = took);
    }

    pub(super) fn passed(&mut self, counts: &Counts) {
        self.change(|line| {
            line.bytes_from_client = counts.from_client.load(Ordering::Relaxed);
            line.bytes_to_client = counts.to_client.load(Ordering::Relaxed);
        });
    }

    /// Tells how it ended, once.
    pub(super) fn tell(&mut self, end: &'static str) {
        let Some(mut line) = self.line.take() else { return };
        let took = self.began.elapsed();
        line.end = end;
        line.total_ms = millis(took);
        let bytes = [line.bytes_from_client, line.bytes_to_client];
        let names = (line.project.as_str(), line.route.as_str(), line.backend.as_str());
        self.gateway.metrics.connection_ended(names, end, bytes, took);
        self.gateway.log.write(&line);
    }

    fn change(&mut self, change: impl FnOnce(&mut ConnectionLine)) {
        if let Some(line) = &mut self.line {
            change(line);
        }
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        // A connection that turned out to be HTTP after all has another story.
        self.line = self.line.take().filter(|line| !line.backend.is_empty());
        self.tell(DROPPED);
    }
}
