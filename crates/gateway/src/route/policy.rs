//! What a route lets in, and what it adds to its answers, as it is told and kept in the snapshot.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hyper::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

/// The longest body of a request, unless said otherwise.
pub const MAX_BODY_BYTES: u64 = 100 << 20;
/// How long the gateway waits for each 4 KiB of a body, all pauses together, unless said otherwise.
pub const BODY_TIMEOUT_MS: u64 = 60_000;

/// What a route lets in, and what it adds to its answers. HTTP alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The longest body of a request; `None` is any.
    pub max_body_bytes: Option<u64>,
    /// How long the gateway waits for each 4 KiB of a body, all pauses together.
    pub body_timeout_ms: u64,
    /// How many requests a client may make.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Clients that may ask; none means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Network>,
    /// Clients that may not, even where they are allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<Network>,
    /// Whose word on where a request comes from is taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trusted_proxies: Vec<Network>,
    /// Whether answers get the headers that browsers heed, where the backend does not set them itself.
    pub secure_headers: bool,
    /// What is changed in the headers of requests.
    #[serde(skip_serializing_if = "Edits::is_empty")]
    pub request_headers: Edits,
    /// What is changed in the headers of answers.
    #[serde(skip_serializing_if = "Edits::is_empty")]
    pub response_headers: Edits,
}

/// Changes of headers: first those that go, then those that are set, then those that come beside others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Edits {
    /// Names that go.
    pub remove: Vec<String>,
    /// Values that replace any other.
    pub set: BTreeMap<String, String>,
    /// Values that come beside others.
    pub add: BTreeMap<String, String>,
}

/// So many requests in so long, for each client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Requests in a period.
    pub requests: u32,
    /// The period in milliseconds.
    pub period_ms: u64,
    /// How many may come at once.
    pub burst: u32,
    /// The header whose value tells clients from each other; `None` is their address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
}

/// Addresses that begin alike, such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// A text is no network.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is no address and no network such as `10.0.0.0/8`")]
pub struct NotANetwork {
    text: String,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_body_bytes: Some(MAX_BODY_BYTES),
            body_timeout_ms: BODY_TIMEOUT_MS,
            rate_limit: None,
            allow: Vec::new(),
            deny: Vec::new(),
            trusted_proxies: Vec::new(),
            secure_headers: true,
            request_headers: Edits::default(),
            response_headers: Edits::default(),
        }
    }
}

impl Policy {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What cannot be served of it, as words that follow the route's name.
    pub(super) fn contradiction(&self) -> Option<String> {
        if let Some(limit) = &self.rate_limit {
            if limit.requests == 0
                || limit.burst == 0
                || !(1..=RateLimit::LONGEST_PERIOD_MS).contains(&limit.period_ms)
            {
                return Some("a rate limit of nothing, or over more than a day".to_owned());
            }
            if limit.header.as_ref().is_some_and(|name| HeaderName::from_str(name).is_err()) {
                return Some("a rate limit by what is no header".to_owned());
            }
        }
        [&self.request_headers, &self.response_headers].into_iter().find_map(Edits::contradiction)
    }
}

impl RateLimit {
    /// The longest period.
    pub const LONGEST_PERIOD_MS: u64 = 24 * 3_600_000;
}

impl Edits {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn contradiction(&self) -> Option<String> {
        let mut names = self.remove.iter().chain(self.set.keys()).chain(self.add.keys());
        let wrong = names.find(|name| HeaderName::from_str(name).is_err());
        let value = self.set.iter().chain(&self.add).find(|(_, value)| HeaderValue::from_str(value).is_err());
        match (wrong, value) {
            (Some(name), _) => Some(format!("`{name}` is no name of a header")),
            (None, Some((name, _))) => Some(format!("the value of the header `{name}` cannot be sent")),
            (None, None) => None,
        }
    }
}

impl Network {
    /// Whether an address is in it. An IPv4 address is one, however it is written.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                same(own.to_bits().into(), other.to_bits().into(), 32, self.bits)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => same(own.to_bits(), other.to_bits(), 128, self.bits),
            _ => false,
        }
    }
}

fn same(own: u128, other: u128, width: u32, bits: u8) -> bool {
    // A shift by all 128 bits is none that can be made.
    (own ^ other).checked_shr(width - u32::from(bits)).unwrap_or(0) == 0
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let parts = text.split_once('/');
        let read = || {
            let address: IpAddr = parts.map_or(text, |(address, _)| address).parse().ok()?;
            let width = if address.is_ipv4() { 32 } else { 128 };
            let bits = match parts {
                Some((_, bits)) => bits.parse().ok().filter(|bits| *bits <= width)?,
                None => width,
            };
            Some(Self { address, bits })
        };
        read().ok_or_else(|| NotANetwork { text: text.to_owned() })
    }
}

impl TryFrom<String> for Network {
    type Error = NotANetwork;

    fn try_from(text: String) -> Result<Self, NotANetwork> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_that_begin_like_it() {
        let network = |text: &str| text.parse::<Network>().unwrap();
        let holds = |text: &str, address: &str| network(text).contains(address.parse().unwrap());
        assert!(holds("10.0.0.0/8", "10.255.0.1") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("10.0.0.0/8", "::ffff:10.1.1.1"), "the same address, written as IPv6");
        assert!(holds("192.0.2.1", "192.0.2.1") && !holds("192.0.2.1", "192.0.2.2"));
        assert!(holds("0.0.0.0/0", "203.0.113.9") && !holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("2001:db8::/33", "2001:db8:7fff::1") && !holds("2001:db8::/33", "2001:db8:8000::1"));
        assert!(holds("::/0", "2001:db8::1"));
        for wrong in
            ["", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "a", "::/129", "10.0.0.0/-1", "10.0.0.0/8/8"]
        {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
