//! Where a project is reached, as people type it.

use std::net::IpAddr;

use seaworthy_gateway::route::Protocol;
use seaworthy_project::Project;
use seaworthy_release::{RouteWish, route_wishes};

/// The port that an address with `https` leaves out.
const HTTPS: u16 = 443;

/// The addresses of a project.
pub(crate) fn all(project: &Project) -> Vec<String> {
    let mut addresses: Vec<String> =
        project.services().flat_map(route_wishes).map(|wish| of(&wish)).collect();
    addresses.dedup();
    addresses
}

/// The address of a route.
pub(crate) fn of(wish: &RouteWish) -> String {
    let host = wish.route.host.clone().unwrap_or_else(|| match wish.route.listen.ip() {
        ip if ip.is_unspecified() => "localhost".to_owned(),
        IpAddr::V6(ip) => format!("[{ip}]"),
        ip => ip.to_string(),
    });
    let port = wish.route.listen.port();
    match wish.route.protocol {
        Protocol::Http if wish.route.tls.is_some() => {
            let port = wish.route.tls.as_ref().map(|tls| tls.port).filter(|port| *port != HTTPS);
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            format!("https://{host}{port}{}", wish.route.path)
        }
        Protocol::Http => format!("http://{host}:{port}{}", wish.route.path),
        Protocol::Tcp => format!("{host}:{port}"),
    }
}
