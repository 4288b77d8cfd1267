//! Listening on an address, or trying to.

use std::net::{SocketAddr, TcpListener};

use tokio::net::TcpSocket;

use crate::error::GatewayError;

/// Connections that wait while the worker is away.
const BACKLOG: u32 = 4096;

/// Listens on an address.
pub(crate) fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    bind(address)?.listen(BACKLOG)?.into_std()
}

/// Whether this process could listen on an address; it is tried and let go at once.
///
/// # Errors
/// Why it could not.
pub fn try_address(address: SocketAddr) -> Result<(), GatewayError> {
    let tried = bind(address).map_err(|error| GatewayError::bind(address, &error));
    tried.map(drop)
}

/// Takes an address without listening on it.
fn bind(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    if address.is_ipv6() {
        // `[::]` is all of IPv6; a route for IPv4 may have the same port.
        rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
    }
    socket.bind(address)?;
    Ok(socket)
}
