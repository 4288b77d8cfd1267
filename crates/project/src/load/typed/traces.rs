//! `traces`, as an address, as `off`, or as a map.

use std::path::PathBuf;

use super::access::{plain_text, value};
use super::balancing::percent;
use crate::model::settings::Route;
use crate::model::traces::{Endpoint, Traces};
use crate::{Node, Spanned};

/// `traces` under a node; an address that is empty, as where a variable is not set, says nothing.
pub(super) fn traces(node: &Node) -> Option<Spanned<Traces>> {
    let said = node.get("traces").filter(|said| !said.is_null())?;
    let traces = match said.text() {
        Some(word) => Traces { endpoint: endpoint(word), ..Traces::default() },
        None => Traces {
            endpoint: plain_text(said, "endpoint").and_then(|address| endpoint(&address)),
            sample_percent: value(said, "sample", percent).map(|share| share.value),
            service_name: plain_text(said, "service_name").filter(|name| !name.is_empty()),
            headers_file: path(said, "headers_file"),
            roots: path(said, "roots"),
        },
    };
    Some(Spanned::new(traces, said.span))
}

fn path(said: &Node, key: &str) -> Option<PathBuf> {
    plain_text(said, key).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Gives a route what was said for all routes, where it does not say otherwise.
pub(super) fn with_default(route: &mut Route, default: Option<&Spanned<Traces>>) {
    let Some(default) = default else { return };
    route.traces = Some(match &route.traces {
        Some(own) => Spanned::new(own.value.over(&default.value), own.span),
        None => default.clone(),
    });
}

fn endpoint(text: &str) -> Option<Endpoint> {
    match text {
        "" => None,
        "off" | "false" => Some(Endpoint::Nobody),
        address => Some(Endpoint::Collector(address.to_owned())),
    }
}

/// Reads `http://host:port` or `https://host`, maybe with a path, `off`, or nothing.
pub(crate) fn is_endpoint(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#@\"<>\\^`{|}".contains(&byte));
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let address = rest.is_some_and(|rest| is_authority(rest.split('/').next().unwrap_or_default()));
    !matches!(endpoint(text), Some(Endpoint::Collector(_))) || (plain && address)
}

/// Reads `host` or `host:port`.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            let known = address.parse::<std::net::Ipv6Addr>().is_ok();
            (known, rest.strip_prefix(':').or(Some(rest).filter(|rest| !rest.is_empty())))
        }
        None => {
            let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
            let known = host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
            (known && !host.is_empty(), port)
        }
    };
    host && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}
