//! What is told of the room for client connections.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::listener::Room;

/// How many connections are open, and how many may be.
#[derive(Debug, Default)]
pub(super) struct Connections {
    open: Gauge,
    most: Gauge,
    full: Counter,
}

impl Connections {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("client_connections", "Connections of clients that are open", self.open.clone());
        registry.register(
            "client_connections_limit",
            "How many connections of clients may be open at a time",
            self.most.clone(),
        );
        registry.register(
            "client_connections_full",
            "Times there was no room for one more connection, which had to wait",
            self.full.clone(),
        );
    }

    pub(super) fn tell(&self, room: &Room) {
        self.open.set(i64::try_from(room.open()).unwrap_or(i64::MAX));
        self.most.set(i64::try_from(room.most()).unwrap_or(i64::MAX));
        self.full.inc_by(room.times_full().saturating_sub(self.full.get()));
    }
}
