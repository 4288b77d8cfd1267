//! `x-seaworthy.route`, as far as it says what the gateway lets in and what it changes in headers.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::Bytes;
use crate::parse_duration;

/// What is absent is `None` or empty, and the gateway's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// `max_body`: the longest body of a request.
    pub max_body: Option<MaxBody>,
    /// `body_timeout`: how long the gateway waits for each part of a body.
    pub body_timeout: Option<Duration>,
    /// `rate_limit`: how many requests each client may make.
    pub rate_limit: Option<RateLimit>,
    /// `allow`: networks that may ask.
    pub allow: Vec<String>,
    /// `deny`: networks that may not.
    pub deny: Vec<String>,
    /// `trusted_proxies`: networks whose word on where a request comes from is taken.
    pub trusted_proxies: Vec<String>,
    /// `headers`.
    pub headers: Headers,
}

/// `max_body`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxBody {
    /// `unlimited`.
    Unlimited,
    /// A size.
    Bytes(Bytes),
}

/// `rate_limit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// `rate`.
    pub rate: Rate,
    /// `burst`; `None` is as many as the rate has in its period.
    pub burst: Option<u32>,
    /// `by: header NAME`; `None` is `by: client`.
    pub header: Option<String>,
}

/// So many in so long, such as `1000/min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub requests: u32,
    /// In how long.
    pub period: Duration,
}

/// `headers`: what is changed in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// `secure`: whether answers get the headers that browsers heed; yes when absent.
    pub secure: Option<bool>,
    /// `request`.
    pub request: HeaderEdits,
    /// `response`.
    pub response: HeaderEdits,
}

/// Changes of headers, in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderEdits {
    /// `remove`: names that go.
    pub remove: Vec<String>,
    /// `set`: values that replace any other.
    pub set: BTreeMap<String, String>,
    /// `add`: values that come beside others.
    pub add: BTreeMap<String, String>,
}

/// The longest period of a rate.
const LONGEST_PERIOD: Duration = Duration::from_secs(24 * 3600);

impl Rate {
    /// Reads `1000/min`, `5/s`, `100/10s`.
    pub fn parse(text: &str) -> Option<Self> {
        let (requests, period) = text.split_once('/')?;
        let period = match period.trim() {
            "s" | "sec" | "second" => Duration::from_secs(1),
            "m" | "min" | "minute" => Duration::from_secs(60),
            "h" | "hour" => Duration::from_secs(3600),
            "d" | "day" => LONGEST_PERIOD,
            other => parse_duration(other).ok()?,
        };
        let requests = requests.trim().parse().ok().filter(|requests| *requests > 0)?;
        (period.as_millis() > 0 && period <= LONGEST_PERIOD).then_some(Self { requests, period })
    }
}

impl MaxBody {
    /// Reads a size such as `300MB`, or `unlimited`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "unlimited" => Some(Self::Unlimited),
            size => Bytes::parse(size).ok().filter(|size| size.0 > 0).map(Self::Bytes),
        }
    }
}

/// Whether it is an address or a network such as `10.0.0.0/8`.
pub(crate) fn is_network(text: &str) -> bool {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let most = if address.is_ipv4() { 32 } else { 128 };
    bits.is_none_or(|bits| bits.parse::<u8>().is_ok_and(|bits| bits <= most))
}

/// Whether it is the name of a header.
pub(crate) fn is_header(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
