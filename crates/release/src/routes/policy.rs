//! What the gateway is told of a service's limits and headers.

use seaworthy_gateway::route::{Edits, Network, Policy, RateLimit};
use seaworthy_project::Service;
use seaworthy_project::model::policy::{self as wished, HeaderEdits, MaxBody};

/// As the service's own route says.
pub(super) fn policy(service: &Service) -> Policy {
    let plain = Policy::default();
    let Some(route) = &service.settings.route else { return plain };
    let own = &route.value.policy;
    Policy {
        max_body_bytes: match own.max_body {
            None => plain.max_body_bytes,
            Some(MaxBody::Unlimited) => None,
            Some(MaxBody::Bytes(size)) => Some(size.0),
        },
        body_timeout_ms: own.body_timeout.map_or(plain.body_timeout_ms, super::balancing::millis),
        rate_limit: own.rate_limit.as_ref().map(rate_limit),
        allow: networks(&own.allow),
        deny: networks(&own.deny),
        trusted_proxies: networks(&own.trusted_proxies),
        secure_headers: own.headers.secure.unwrap_or(plain.secure_headers),
        request_headers: edits(&own.headers.request),
        response_headers: edits(&own.headers.response),
    }
}

fn rate_limit(limit: &wished::RateLimit) -> RateLimit {
    RateLimit {
        requests: limit.rate.requests,
        period_ms: super::balancing::millis(limit.rate.period),
        burst: limit.burst.unwrap_or(limit.rate.requests),
        header: limit.header.clone(),
    }
}

/// They were checked when the project was loaded.
fn networks(texts: &[String]) -> Vec<Network> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

fn edits(own: &HeaderEdits) -> Edits {
    Edits { remove: own.remove.clone(), set: own.set.clone(), add: own.add.clone() }
}
