//! Which ports of a service need an address.

use seaworthy_project::Service;
use seaworthy_project::model::port::Protocol;

/// The TCP ports inside the instances of a service that must be reachable: the routed one first, then the targets of
/// `ports`, then `expose`, each once.
pub fn ports_of(service: &Service) -> Vec<u16> {
    let routed = service.settings.route.as_ref().and_then(|route| route.value.port);
    let published = service.ports.iter().map(|port| &port.value);
    let published = published.filter(|port| port.protocol == Protocol::Tcp).map(|port| port.target);
    let exposed = service.node.get("expose").map(|node| node.items()).unwrap_or_default();
    let exposed = exposed.iter().filter_map(|item| exposed_port(item.text()?));
    let mut ports = Vec::new();
    for port in routed.into_iter().chain(published).chain(exposed) {
        if !ports.contains(&port) {
            ports.push(port);
        }
    }
    ports
}

/// Reads `3000` or `3000/tcp`.
fn exposed_port(text: &str) -> Option<u16> {
    let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    (protocol == "tcp").then(|| number.parse().ok()).flatten()
}
