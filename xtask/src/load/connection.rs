//! Connections to the target: some are kept and used in turn.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::Failure;

/// A connection that lay still for longer is not used again: the server may be closing it at this moment, and a request
/// lost to that race says nothing about the server.
const IDLE_AT_MOST: Duration = Duration::from_secs(1);

/// What requests are handed to.
pub(super) type Sender = SendRequest<Full<Bytes>>;

/// Kept connections, used in turn, so that all of them stay in use.
pub(super) struct Pool {
    target: SocketAddr,
    size: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    idle: VecDeque<(Sender, Instant)>,
    busy: usize,
}

/// The right to one kept connection; it goes back, or is given up when this is dropped.
pub(super) struct Lease {
    pool: Arc<Pool>,
}

impl Pool {
    pub(super) fn new(target: SocketAddr, size: usize) -> Arc<Self> {
        Arc::new(Self { target, size, kept: Mutex::default() })
    }

    /// A lease, and an open connection when as many as wanted are open already and one is free.
    pub(super) fn take(self: &Arc<Self>) -> (Lease, Option<Sender>) {
        let mut kept = self.kept();
        kept.idle.retain(|(sender, since)| !sender.is_closed() && since.elapsed() < IDLE_AT_MOST);
        let full = kept.idle.len() + kept.busy >= self.size;
        let sender = if full { kept.idle.pop_front().map(|(sender, _)| sender) } else { None };
        kept.busy += 1;
        (Lease { pool: Arc::clone(self) }, sender)
    }

    /// Opens a connection.
    pub(super) async fn connect(&self) -> Result<Sender, Failure> {
        let stream = TcpStream::connect(self.target).await.map_err(|error| Failure::of_connect(&error))?;
        // Without this a small request may wait for the answer to the one before.
        stream.set_nodelay(true).map_err(|error| Failure::of_connect(&error))?;
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|error| Failure::of_exchange(&error))?;
        // It ends with its sender; what goes wrong on it the request that uses it is told.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Gives a connection back for the next request.
    pub(super) fn give_back(self, sender: Sender) {
        let mut kept = self.pool.kept();
        if !sender.is_closed() && kept.idle.len() < self.pool.size {
            kept.idle.push_back((sender, Instant::now()));
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut kept = self.pool.kept();
        kept.busy = kept.busy.saturating_sub(1);
    }
}
