//! `x-seaworthy.route`, as far as it is about balancing.

use crate::Node;
use crate::load::typed::access::{plain_duration, plain_text, value, words};
use crate::model::balancing::{Balancing, HashBy};

pub(super) fn balancing(route: &Node) -> Balancing {
    let eject = route.get("eject");
    let proxy = route.get("proxy_protocol");
    let weights = route.get("weights").map(|weights| weights.items()).unwrap_or_default();
    Balancing {
        wait: plain_duration(route, "wait"),
        queue: number(route, "queue"),
        hash_by: value(route, "hash_by", HashBy::parse).map(|by| by.value),
        weights: weights.iter().filter_map(|weight| weight.text()?.parse().ok()).collect(),
        slow_start: plain_duration(route, "slow_start"),
        max_in_flight: number(route, "max_in_flight"),
        eject_after: eject.and_then(|eject| number(eject, "after")),
        eject_for: eject.and_then(|eject| plain_duration(eject, "for")),
        proxy_trust: proxy.and_then(|proxy| proxy.get("trust")).map(words).unwrap_or_default(),
        proxy_send: proxy.and_then(|proxy| plain_text(proxy, "send")),
        retry_percent: value(route, "retries", percent).map(|share| share.value),
    }
}

fn number(node: &Node, key: &str) -> Option<u32> {
    value(node, key, |text| text.parse().ok()).map(|number| number.value)
}

/// Reads `20%`.
pub(crate) fn percent(text: &str) -> Option<u32> {
    text.strip_suffix('%')?.parse().ok().filter(|percent| *percent <= 100)
}
