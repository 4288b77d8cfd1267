//! A route's policy made ready, once when its set is taken: what is left to do for a request is to compare.

mod dress;
pub(crate) mod rate;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::{HeaderMap, StatusCode};

use crate::route::{self, Network};

use dress::Changes;
use rate::Meter;

/// The header in which proxies say where a request came from.
const FORWARDED_FOR: &str = "x-forwarded-for";
/// Addresses in it that are looked at.
const MOST_HOPS: usize = 32;

/// What a route lets in, and how it dresses its answers.
#[derive(Debug)]
pub(crate) struct Policy {
    told: route::Policy,
    request: Changes,
    response: Changes,
    meter: Option<Arc<Meter>>,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The client, as far as it can be told.
    pub(crate) client: IpAddr,
    /// Whether what was said of it on the way is taken over.
    pub(crate) trusted: bool,
}

/// What a client is told of its limit.
pub(crate) type Told = Option<rate::Told>;

impl Policy {
    /// Ready to be held against requests; a limit that stays as it is goes on counting.
    pub(crate) fn new(told: &route::Policy, before: Option<&Self>) -> Self {
        let counted =
            before.filter(|old| old.told.rate_limit == told.rate_limit).and_then(|old| old.meter.clone());
        let meter = counted.or_else(|| told.rate_limit.as_ref().map(|limit| Arc::new(Meter::new(limit))));
        Self {
            request: Changes::of(&told.request_headers, false),
            response: Changes::of(&told.response_headers, told.secure_headers),
            meter,
            told: told.clone(),
        }
    }

    /// Who asks: the peer, or whom proxies that are trusted say. Of several, the last that is not such a proxy.
    pub(crate) fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> Origin {
        let peer = peer.to_canonical();
        if !is_in(&self.told.trusted_proxies, peer) {
            return Origin { client: peer, trusted: false };
        }
        let lines: Vec<&str> =
            headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).collect();
        let mut client = peer;
        for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')).take(MOST_HOPS) {
            let Some(address) = hop_address(hop.trim()) else { break };
            client = address;
            if !is_in(&self.told.trusted_proxies, client) {
                break;
            }
        }
        Origin { client, trusted: true }
    }

    /// Whether a request may pass, and what its client is told of its limit either way.
    pub(crate) fn admit(
        &self,
        origin: Origin,
        headers: &HeaderMap,
        body: Option<u64>,
    ) -> (Option<StatusCode>, Told) {
        let allowed = self.told.allow.is_empty() || is_in(&self.told.allow, origin.client);
        if !allowed || is_in(&self.told.deny, origin.client) {
            return (Some(StatusCode::FORBIDDEN), None);
        }
        let told = self.meter.as_ref().map(|meter| meter.count(origin.client, headers));
        if told.is_some_and(|told| told.retry_after.is_some()) {
            return (Some(StatusCode::TOO_MANY_REQUESTS), told);
        }
        if body.zip(self.told.max_body_bytes).is_some_and(|(length, most)| length > most) {
            return (Some(StatusCode::PAYLOAD_TOO_LARGE), told);
        }
        (None, told)
    }

    /// The longest body, and how long each part of it is waited for.
    pub(crate) fn body(&self) -> (u64, Duration) {
        (self.told.max_body_bytes.unwrap_or(u64::MAX), Duration::from_millis(self.told.body_timeout_ms))
    }

    /// Changes the headers of a request on its way.
    pub(crate) fn dress_request(&self, headers: &mut HeaderMap) {
        self.request.apply(headers);
    }

    /// Changes the headers of an answer on its way.
    pub(crate) fn dress(&self, headers: &mut HeaderMap, told: &Told) {
        self.response.apply(headers);
        if let Some(told) = told {
            told.write(headers);
        }
    }
}

fn is_in(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// An address as proxies write it: some with a port, IPv6 in brackets.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = match hop.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None if hop.matches(':').count() == 1 => hop.split(':').next()?,
        None => hop,
    };
    bare.parse().ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn only_trusted_proxies_say_who_asks() {
        let told = route::Policy {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..route::Policy::default()
        };
        let policy = Policy::new(&told, None);
        let origin = |peer: &str, hops: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(FORWARDED_FOR, HeaderValue::from_str(hops).unwrap());
            policy.origin(peer.parse().unwrap(), &headers).client.to_string()
        };
        assert_eq!(origin("192.0.2.7", "203.0.113.1"), "192.0.2.7", "nobody trusts this one");
        assert_eq!(origin("10.0.0.1", "203.0.113.1"), "203.0.113.1");
        assert_eq!(
            origin("10.0.0.1", "198.51.100.1, 203.0.113.1, 10.0.0.2"),
            "203.0.113.1",
            "the last not trusted"
        );
        assert_eq!(origin("10.0.0.1", "10.0.0.3, 10.0.0.2"), "10.0.0.3", "all are trusted");
        assert_eq!(origin("10.0.0.1", "203.0.113.1:4711"), "203.0.113.1");
        assert_eq!(origin("10.0.0.1", "[2001:db8::1]:4711"), "2001:db8::1");
        assert_eq!(origin("10.0.0.1", "unknown"), "10.0.0.1");
        assert_eq!(origin("::ffff:10.0.0.1", "203.0.113.1"), "203.0.113.1");
    }
}
