//! `x-seaworthy.route`, as far as it says how requests are spread over instances, and what happens when none is there.

use std::time::Duration;

/// What is absent is `None`, and the gateway's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Balancing {
    /// `wait`: how long requests wait while no instance is there to take them; zero is not at all.
    pub wait: Option<Duration>,
    /// `queue`: how many requests may wait at a time.
    pub queue: Option<u32>,
    /// `hash_by`: by what `balance: hash` tells clients apart.
    pub hash_by: Option<HashBy>,
    /// `weights`: how much more than 1 the instances get, by their slots; 1 for those not in the list.
    pub weights: Vec<u32>,
    /// `slow_start`: how long a new instance takes to get its full share.
    pub slow_start: Option<Duration>,
    /// `max_in_flight`: requests in flight to one instance at a time.
    pub max_in_flight: Option<u32>,
    /// `eject.after`: answers in a row that have an instance left out; zero is never.
    pub eject_after: Option<u32>,
    /// `eject.for`: how long it is left out the first time.
    pub eject_for: Option<Duration>,
    /// `retries`: of a hundred requests, how many may be sent a second time.
    pub retry_percent: Option<u32>,
    /// `proxy_protocol.trust`: from where a connection must say whom it comes from.
    pub proxy_trust: Vec<String>,
    /// `proxy_protocol.send`: `v1` or `v2`, what instances behind TCP are told.
    pub proxy_send: Option<String>,
}

/// By what clients are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HashBy {
    /// `client`: their address.
    Client,
    /// `header NAME`.
    Header(String),
    /// `cookie NAME`.
    Cookie(String),
}

impl HashBy {
    /// Reads `client`, `header NAME` or `cookie NAME`.
    pub fn parse(text: &str) -> Option<Self> {
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(is_token);
        match text.split_once(' ') {
            None => (text == "client").then_some(Self::Client),
            Some(("header", name)) if is_name(name) => Some(Self::Header(name.to_ascii_lowercase())),
            Some(("cookie", name)) if is_name(name) => Some(Self::Cookie(name.to_owned())),
            Some(_) => None,
        }
    }
}

/// What a name of a header or cookie may hold (RFC 9110, section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
