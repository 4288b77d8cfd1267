//! `traces`, as an address, as `off`, or as a map.

use super::access::{plain_text, value};
use super::balancing::percent;
use crate::Node;
use crate::model::settings::Route;
use crate::model::traces::Traces;

/// `traces` under a node; an address that is empty, as where a variable is not set, says nothing.
pub(super) fn traces(node: &Node) -> Option<Traces> {
    let said = node.get("traces").filter(|said| !said.is_null())?;
    let address = said.text().map(str::to_owned).or_else(|| plain_text(said, "endpoint"))?;
    if address.is_empty() {
        return None;
    }
    let endpoint = Some(address).filter(|address| !is_off(address));
    Some(Traces { endpoint, sample_percent: value(said, "sample", percent).map(|share| share.value) })
}

/// Gives a route what was said for all routes, where it does not say otherwise.
pub(super) fn with_default(route: &mut Route, default: Option<&Traces>) {
    if route.traces.is_none() {
        route.traces = default.cloned();
    }
}

/// Reads `http://host:port`, maybe with a path, `off`, or nothing.
pub(crate) fn is_endpoint(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains(['?', '#', '@', '"']);
    let address =
        text.strip_prefix("http://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':']));
    text.is_empty() || is_off(text) || (plain && address)
}

/// `off`, which YAML may take for something else.
fn is_off(text: &str) -> bool {
    matches!(text, "off" | "false")
}
