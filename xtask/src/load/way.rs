//! Which way requests go, where it is not plain HTTP/1.1 without a memory.

mod socket;
mod sticky;
mod streams;

use std::net::SocketAddr;
use std::sync::Arc;

pub(super) use socket::Sockets;
pub(super) use sticky::Jar;
pub(super) use streams::Streams;

/// Which way requests go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Way {
    /// HTTP/1.1; nobody remembers anything.
    #[default]
    Plain,
    /// HTTP/1.1 by clients that keep the cookies they are given.
    Sticky,
    /// HTTP/2 without TLS, many requests at a time on each kept connection.
    Http2,
    /// A WebSocket for each client: each request is a message, and its answer is the message that comes back.
    WebSocket,
}

/// What clients keep.
pub(super) enum Clients {
    Plain,
    Sticky(Arc<Jar>),
    Http2(Arc<Streams>),
    WebSocket(Arc<Sockets>),
}

impl Clients {
    /// So many of them.
    pub(super) fn new(way: Way, target: SocketAddr, number: usize) -> Self {
        match way {
            Way::Plain => Self::Plain,
            Way::Sticky => Self::Sticky(Arc::new(Jar::new(number))),
            Way::Http2 => Self::Http2(Arc::new(Streams::new(target, number))),
            Way::WebSocket => Self::WebSocket(Arc::new(Sockets::new(target, number))),
        }
    }
}
