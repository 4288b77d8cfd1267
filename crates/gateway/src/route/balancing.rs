//! How a route spreads what it gets over its backends, beyond the way one is chosen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ProxyProtocol;

/// How long a request waits for a backend, unless said otherwise.
pub const WAIT_MS: u64 = 10_000;
/// Requests of a route that may wait at a time, unless said otherwise: each keeps a connection, and up to 64 KB of a body.
pub const MOST_WAITING: u32 = 1_000;
/// Of a hundred requests, so many may be sent a second time.
const RETRY_PERCENT: u32 = 20;
/// Answers in a row that say that a backend is sick, and for how long it then gets nothing the first time.
const EJECT_AFTER: u32 = 5;
const EJECT_MS: u64 = 10_000;

/// What a route does when it has no backend to send to, or too few, or sick ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Balancing {
    /// How long a request, or a TCP connection, waits while no backend can take it, in milliseconds; 0 is not at all.
    pub wait_ms: u64,
    /// How many may wait at a time; 503 for more.
    pub queue: u32,
    /// By what `Balance::Hash` tells clients apart.
    pub hash_by: HashBy,
    /// How much more than 1 a backend gets, by its id.
    pub weights: BTreeMap<String, u32>,
    /// How long a new backend takes to get its full share, in milliseconds; 0 is at once.
    pub slow_start_ms: u64,
    /// Requests, or TCP connections, in flight to one backend at a time; 0 is any number.
    pub max_in_flight: u32,
    /// When a backend that answers is left out.
    pub ejection: Ejection,
    /// Of a hundred requests, how many may be sent a second time.
    pub retry_percent: u32,
    /// Whether backends of a TCP route are asked by a connection all the time.
    pub probe_tcp: bool,
    /// Who may say whom a connection comes from.
    #[serde(skip_serializing_if = "ProxyProtocol::is_default")]
    pub proxy_protocol: ProxyProtocol,
}

/// By what clients are told apart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HashBy {
    /// Their address.
    #[default]
    Client,
    /// The value of a header; those without one by their address.
    Header(String),
    /// The value of a cookie; those without one by their address.
    Cookie(String),
}

/// When a backend that answers is left out for a while: after so many answers in a row that say it is sick (502, 503,
/// 504, none in time, or a connection that breaks first). Each time in a row it is left out twice as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ejection {
    /// How many in a row; 0 is never.
    pub after: u32,
    /// How long it is left out the first time, in milliseconds.
    pub for_ms: u64,
}

impl Default for Balancing {
    fn default() -> Self {
        Self {
            wait_ms: WAIT_MS,
            queue: MOST_WAITING,
            hash_by: HashBy::Client,
            weights: BTreeMap::new(),
            slow_start_ms: 0,
            max_in_flight: 0,
            ejection: Ejection::default(),
            retry_percent: RETRY_PERCENT,
            probe_tcp: false,
            proxy_protocol: ProxyProtocol::default(),
        }
    }
}

impl Default for Ejection {
    fn default() -> Self {
        Self { after: EJECT_AFTER, for_ms: EJECT_MS }
    }
}

impl Balancing {
    /// The longest wait: hardly a client waits longer for an answer.
    pub const LONGEST_WAIT_MS: u64 = 10 * 60 * 1_000;
    /// The most that one backend gets for each request of another.
    pub const MOST_WEIGHT: u32 = 1_000;

    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What cannot be served of it, as words that follow the route's name.
    pub(super) fn contradiction(&self) -> Option<String> {
        if self.wait_ms > Self::LONGEST_WAIT_MS {
            let (wait, most) = (self.wait_ms / 1_000, Self::LONGEST_WAIT_MS / 1_000);
            return Some(format!("a wait of {wait} s is longer than {most} s"));
        }
        let weights = self.weights.values();
        let wrong = weights.copied().find(|weight| *weight == 0 || *weight > Self::MOST_WEIGHT);
        wrong.map(|weight| format!("the weight {weight} is not one of 1 to {}", Self::MOST_WEIGHT))
    }

    /// Whether backends of both can keep what is known of them.
    pub(crate) fn keeps_backends(&self, other: &Self) -> bool {
        let state = |one: &Self| (one.max_in_flight, one.ejection, one.probe_tcp, one.slow_start_ms);
        state(self) == state(other)
    }
}
