//! `x-seaworthy.route`, as far as it is about balancing.

use crate::Node;
use crate::load::typed::access::{plain_duration, value};
use crate::model::balancing::Balancing;

pub(super) fn balancing(route: &Node) -> Balancing {
    Balancing { wait: plain_duration(route, "wait"), queue: number(route, "queue") }
}

fn number(node: &Node, key: &str) -> Option<u32> {
    value(node, key, |text| text.parse().ok()).map(|number| number.value)
}
