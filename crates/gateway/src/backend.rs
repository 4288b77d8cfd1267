//! One address and its state: whether it is well, what is in flight to it, idle connections to it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::connection::Connection;
use crate::metrics::Metrics;
use crate::route::{Probe, Protocol, Route};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(2);
/// Idle connections kept to a backend, and for how long: less than what servers commonly keep them.
const MOST_IDLE: usize = 64;
const LONGEST_IDLE: Duration = Duration::from_secs(4);

/// One address the gateway may send to.
#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) project: String,
    pub(crate) route: String,
    pub(crate) id: String,
    pub(crate) address: SocketAddr,
    pub(crate) probe: Option<Probe>,
    pub(crate) protocol: Protocol,
    /// It speaks HTTP/2, over one connection for all requests.
    pub(crate) http2: bool,
    well: AtomicBool,
    failures: AtomicU32,
    successes: AtomicU32,
    retired: AtomicBool,
    in_flight: AtomicU64,
    /// Whether TCP and upgraded connections to it are waited for no longer.
    cut: watch::Sender<bool>,
    idle: Mutex<Vec<(Connection, Instant)>>,
    shared: Mutex<Option<Connection>>,
}

/// A request, an upgraded or a TCP connection in flight; counts itself off when dropped.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) backend: Arc<Backend>,
}

impl Backend {
    pub(crate) fn new(project: &str, route: &Route, id: &str, address: SocketAddr) -> Arc<Self> {
        Arc::new(Self {
            project: project.to_owned(),
            route: route.name.clone(),
            id: id.to_owned(),
            address,
            probe: route.probe.clone(),
            protocol: route.protocol,
            http2: route.http2,
            // Whoever admits a backend has proven it.
            well: AtomicBool::new(true),
            failures: AtomicU32::new(0),
            successes: AtomicU32::new(0),
            retired: AtomicBool::new(false),
            in_flight: AtomicU64::new(0),
            cut: watch::Sender::new(false),
            idle: Mutex::new(Vec::new()),
            shared: Mutex::new(None),
        })
    }

    pub(crate) fn is_well(&self) -> bool {
        self.well.load(Ordering::Relaxed)
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// Counts a request in, unless the backend has been taken out. Counting first and looking after, with the drain
    /// doing it the other way round, leaves no moment in which a request is missed.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<InFlight> {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        let entered = InFlight { backend: self.clone() };
        if self.retired.load(Ordering::SeqCst) { None } else { Some(entered) }
    }

    /// Takes the backend out: no new requests, idle connections closed.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::SeqCst);
        self.idle().clear();
        *self.shared() = None;
    }

    /// Ends the TCP and upgraded connections to it that are still open.
    pub(crate) fn cut(&self) {
        self.cut.send_replace(true);
    }

    /// Returns when connections to it are to end.
    pub(crate) async fn is_cut(&self) {
        // Fails only when the sender is gone, which lives as long as the backend.
        let _ = self.cut.subscribe().wait_for(|cut| *cut).await;
    }

    /// Takes in whether a question or a connection succeeded; answers with the new state when it flips.
    pub(crate) fn judge(&self, success: bool, metrics: &Metrics) -> Option<bool> {
        let (fall, rise) = self.probe.as_ref().map_or((3, 1), |probe| (probe.fall.max(1), probe.rise.max(1)));
        let flipped = if success {
            self.failures.store(0, Ordering::Relaxed);
            let so_many = self.successes.fetch_add(1, Ordering::Relaxed) + 1;
            so_many >= rise && !self.well.swap(true, Ordering::Relaxed)
        } else {
            self.successes.store(0, Ordering::Relaxed);
            let so_many = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
            so_many >= fall && self.well.swap(false, Ordering::Relaxed)
        };
        if flipped {
            metrics.backend_up(self, success);
        }
        flipped.then_some(success)
    }

    /// An idle connection that still looks alive.
    pub(crate) fn idle_connection(&self) -> Option<Connection> {
        let mut idle = self.idle();
        while let Some((connection, since)) = idle.pop() {
            if connection.is_ready() && since.elapsed() < LONGEST_IDLE {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection for the next request.
    pub(crate) fn keep(&self, connection: Connection) {
        if self.http2 {
            return;
        }
        if self.retired.load(Ordering::SeqCst) || connection.is_closed() {
            return;
        }
        let mut idle = self.idle();
        if idle.len() < MOST_IDLE {
            idle.push((connection, Instant::now()));
        }
    }

    /// Makes a new TCP connection.
    pub(crate) async fn reach(&self) -> std::io::Result<TcpStream> {
        let late = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
        let stream = timeout(CONNECT, TcpStream::connect(self.address)).await.map_err(late)??;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Makes a new connection for requests, or takes the one that all share.
    pub(crate) async fn connect(&self) -> std::io::Result<Connection> {
        if let Some(shared) = self.shared().as_ref().filter(|shared| !shared.is_closed())
            && let Some(shared) = shared.shared()
        {
            return Ok(shared);
        }
        let connection = Connection::over(self.reach().await?, self.http2).await?;
        if let Some(shared) = connection.shared() {
            *self.shared() = Some(shared);
            // Taken out meanwhile: it lives as long as the request that it was made for.
            if self.retired.load(Ordering::SeqCst) {
                *self.shared() = None;
            }
        }
        Ok(connection)
    }

    fn shared(&self) -> std::sync::MutexGuard<'_, Option<Connection>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(Connection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.backend.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}
