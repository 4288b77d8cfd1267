//! `x-seaworthy.route`, as far as it is about limits and headers.

use std::collections::BTreeMap;

use crate::Node;
use crate::load::typed::access::{boolean, plain_duration, value, words};
use crate::model::policy::{HeaderEdits, Headers, MaxBody, Policy, Rate, RateLimit, is_header};

pub(super) fn policy(route: &Node) -> Policy {
    let list = |key: &str| route.get(key).map(words).unwrap_or_default();
    Policy {
        max_body: value(route, "max_body", MaxBody::parse).map(|size| size.value),
        body_timeout: plain_duration(route, "body_timeout"),
        rate_limit: route.get("rate_limit").and_then(rate_limit),
        allow: list("allow"),
        deny: list("deny"),
        trusted_proxies: list("trusted_proxies"),
        headers: route.get("headers").map(headers).unwrap_or_default(),
    }
}

fn rate_limit(node: &Node) -> Option<RateLimit> {
    if let Some(text) = node.text() {
        return Rate::parse(text).map(|rate| RateLimit { rate, burst: None, header: None });
    }
    Some(RateLimit {
        rate: value(node, "rate", Rate::parse)?.value,
        burst: value(node, "burst", |text| text.parse().ok()).map(|burst| burst.value),
        header: value(node, "by", by_header).map(|header| header.value),
    })
}

/// The name in `header NAME`.
pub(crate) fn by_header(text: &str) -> Option<String> {
    text.strip_prefix("header ").map(str::trim).filter(|name| is_header(name)).map(str::to_owned)
}

fn headers(node: &Node) -> Headers {
    Headers {
        secure: boolean(node, "secure").map(|secure| secure.value),
        request: node.get("request").map(edits).unwrap_or_default(),
        response: node.get("response").map(edits).unwrap_or_default(),
    }
}

fn edits(node: &Node) -> HeaderEdits {
    HeaderEdits {
        remove: node.get("remove").map(words).unwrap_or_default(),
        set: pairs(node, "set"),
        add: pairs(node, "add"),
    }
}

fn pairs(node: &Node, key: &str) -> BTreeMap<String, String> {
    let entries = node.get(key).map(Node::entries).unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| Some((entry.key.value.clone(), entry.node.text()?.to_owned())))
        .collect()
}
