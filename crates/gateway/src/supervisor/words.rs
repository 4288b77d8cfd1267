//! What a worker and its supervisor tell each other.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::Sets;
use crate::wire::Refusal;

/// What a worker asks of its supervisor.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FromWorker {
    /// Listen there; the socket comes with the answer.
    Bind(SocketAddr),
    /// Listen there no more.
    Release(SocketAddr),
    /// A socket that the supervisor before held; it comes along.
    Held(SocketAddr),
    /// This process serves; all held sockets were sent.
    Serving(u32),
    /// This worker accepts nothing more and finishes what it has: its successor can start.
    Leaving,
    /// Nothing is to be served any more: do not start another worker.
    Stop,
    /// What this worker serves, or would, when it was asked to give way, or to take over.
    Sets(Sets),
}

/// What a supervisor tells its worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FromSupervisor {
    /// A socket that is held; it comes along.
    Held(SocketAddr),
    /// All held sockets were sent.
    Ready,
    /// All held sockets were sent; another worker serves. Say what you would serve, and wait.
    Try,
    /// Serve, beside the other one; say what.
    Go,
    /// Take no more changes, say what you serve, and go on.
    Yield,
    /// Take changes again: nobody takes over.
    Stay,
    /// Another worker serves all of it: accept nothing more, and finish what you have.
    Leave,
    /// The socket asked for; it comes along.
    Bound(SocketAddr),
    /// Why there is no socket.
    Refused(Refusal),
    /// The socket is closed.
    Released(SocketAddr),
}
