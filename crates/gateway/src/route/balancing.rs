//! How a route spreads what it gets over its backends, beyond the way one is chosen.

use serde::{Deserialize, Serialize};

/// How long a request waits for a backend, unless said otherwise.
pub const WAIT_MS: u64 = 10_000;
/// Requests of a route that may wait at a time, unless said otherwise: each keeps a connection, and up to 64 KB of a body.
pub const MOST_WAITING: u32 = 1_000;

/// What a route does when it has no backend to send to, or too few.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Balancing {
    /// How long a request, or a TCP connection, waits while no backend is well, in milliseconds; 0 is not at all.
    pub wait_ms: u64,
    /// How many may wait at a time; 503 for more.
    pub queue: u32,
}

impl Default for Balancing {
    fn default() -> Self {
        Self { wait_ms: WAIT_MS, queue: MOST_WAITING }
    }
}

impl Balancing {
    /// The longest wait: hardly a client waits longer for an answer.
    pub const LONGEST_WAIT_MS: u64 = 10 * 60 * 1_000;

    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What cannot be served of it, as words that follow the route's name.
    pub(super) fn contradiction(&self) -> Option<String> {
        (self.wait_ms > Self::LONGEST_WAIT_MS).then(|| {
            format!("a wait of {} s is longer than {} s", self.wait_ms / 1_000, Self::LONGEST_WAIT_MS / 1_000)
        })
    }
}
