//! One address and its state: whether it is well, what is in flight to it, idle connections to it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::balance::{self, Ejected};
use crate::connection::Connection;
use crate::lanes::{self, MOST_LANES};
use crate::metrics::{Answers, Metrics};
use crate::route::{self, Probe, Protocol, Route};
use crate::wait::WaitingRoom;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(2);
/// Idle connections that a lane keeps to a backend, and for how long: less than what servers commonly keep them.
const MOST_IDLE: usize = 512;
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
    /// Whether it is asked by a connection all the time, though it passes TCP through.
    pub(crate) probe_tcp: bool,
    /// Requests, or TCP connections, in flight at a time; 0 is any number.
    most_in_flight: u64,
    slow_start: Duration,
    /// Since when it is there, or well again.
    since: Mutex<Instant>,
    pub(crate) ejected: Ejected,
    /// Somebody wishes that it gets nothing for now.
    set_aside: AtomicBool,
    well: AtomicBool,
    failures: AtomicU32,
    successes: AtomicU32,
    retired: AtomicBool,
    in_flight: AtomicU64,
    pub(crate) answers: Answers,
    /// Whether TCP and upgraded connections to it are waited for no longer.
    cut: watch::Sender<bool>,
    /// By lane: a connection is driven by the lane that made it, and used by no other.
    idle: [Mutex<VecDeque<(Connection, Instant)>>; MOST_LANES],
    /// By lane: the one connection for all its requests, where HTTP/2 is spoken.
    shared: [Mutex<Option<Connection>>; MOST_LANES],
    /// Where requests of its route wait.
    room: Arc<WaitingRoom>,
}

/// A request, an upgraded or a TCP connection in flight; counts itself off when dropped.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) backend: Arc<Backend>,
}

impl Backend {
    pub(crate) fn new(
        project: &str,
        route: &Route,
        backend: &route::Backend,
        room: &Arc<WaitingRoom>,
    ) -> Arc<Self> {
        Arc::new(Self {
            project: project.to_owned(),
            route: route.name.clone(),
            id: backend.id.clone(),
            address: backend.address,
            probe: route.probe.clone(),
            protocol: route.protocol,
            http2: route.http2,
            probe_tcp: route.balancing.probe_tcp,
            most_in_flight: route.balancing.max_in_flight.into(),
            slow_start: Duration::from_millis(route.balancing.slow_start_ms),
            since: Mutex::new(Instant::now()),
            ejected: Ejected::new(route.balancing.ejection),
            set_aside: AtomicBool::new(false),
            // Whoever admits a backend has proven it.
            well: AtomicBool::new(true),
            failures: AtomicU32::new(0),
            successes: AtomicU32::new(0),
            retired: AtomicBool::new(false),
            in_flight: AtomicU64::new(0),
            answers: Answers::default(),
            cut: watch::Sender::new(false),
            idle: Default::default(),
            shared: Default::default(),
            room: room.clone(),
        })
    }

    /// Whether it is called the same in logs and metrics.
    pub(crate) fn is_called_as(&self, other: &Self) -> bool {
        (&self.project, &self.route, &self.id) == (&other.project, &other.route, &other.id)
    }

    /// Whether it answers as far as is known, and nobody set it aside.
    pub(crate) fn is_well(&self) -> bool {
        self.is_answering() && !self.is_set_aside()
    }

    /// Whether it answers as far as is known.
    pub(crate) fn is_answering(&self) -> bool {
        self.well.load(Ordering::Relaxed)
    }

    /// Whether it answered as a sick one does, and gets nothing for a while.
    pub(crate) fn is_left_out(&self) -> bool {
        self.ejected.is_out(Instant::now())
    }

    /// Whether it has as much to do as it may have.
    pub(crate) fn is_full(&self) -> bool {
        self.most_in_flight > 0 && self.in_flight() >= self.most_in_flight
    }

    /// Whether it can take one more now.
    pub(crate) fn is_open(&self) -> bool {
        self.is_well() && !self.is_left_out() && !self.is_full()
    }

    pub(crate) fn is_set_aside(&self) -> bool {
        self.set_aside.load(Ordering::Relaxed)
    }

    /// Takes it out of traffic for now, or back in.
    pub(crate) fn set_aside(&self, aside: bool) {
        self.set_aside.store(aside, Ordering::Relaxed);
        self.room.wake();
    }

    /// What it gets of its share, from a tenth to 1: less while it is new, so that it can warm up.
    pub(crate) fn share(&self) -> f64 {
        if self.slow_start.is_zero() {
            return 1.0;
        }
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        balance::share(since.elapsed(), self.slow_start)
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// Counts a request in, unless the backend has been taken out or is full. Counting first and looking after, with the drain
    /// doing it the other way round, leaves no moment in which a request is missed.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<InFlight> {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        let entered = InFlight { backend: self.clone() };
        let full = self.most_in_flight > 0 && self.in_flight() > self.most_in_flight;
        if full || self.retired.load(Ordering::SeqCst) { None } else { Some(entered) }
    }

    /// Takes the backend out: no new requests, idle connections closed.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::SeqCst);
        for (idle, shared) in self.idle.iter().zip(&self.shared) {
            idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
            *shared.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
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
            if success {
                *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            }
            self.room.wake();
        }
        flipped.then_some(success)
    }

    /// An idle connection that still looks alive.
    pub(crate) fn idle_connection(&self) -> Option<Connection> {
        let mut idle = self.idle();
        while let Some((connection, since)) = idle.pop_back() {
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
        let now = Instant::now();
        let mut idle = self.idle();
        // The oldest lies in front. Two go for one that comes, so that what a burst left behind goes in time.
        for _ in 0..2 {
            if idle.front().is_some_and(|(_, since)| now.duration_since(*since) >= LONGEST_IDLE) {
                idle.pop_front();
            }
        }
        if idle.len() < MOST_IDLE {
            idle.push_back((connection, now));
        }
        // Taken out meanwhile: whoever cleared the lane came too early for this one.
        if self.retired.load(Ordering::SeqCst) {
            idle.clear();
        }
    }

    /// Makes a new TCP connection.
    pub(crate) async fn reach(&self) -> std::io::Result<TcpStream> {
        let late = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
        let stream = timeout(CONNECT, TcpStream::connect(self.address)).await.map_err(late)??;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Makes a new connection that nobody else uses.
    pub(crate) async fn connect_alone(&self) -> std::io::Result<Connection> {
        Connection::over(self.reach().await?, self.http2).await
    }

    /// Makes a new connection for requests, or takes the one that all of this lane share.
    pub(crate) async fn connect(&self) -> std::io::Result<Connection> {
        if let Some(shared) = self.shared().as_ref().filter(|shared| !shared.is_closed())
            && let Some(shared) = shared.shared()
        {
            return Ok(shared);
        }
        let connection = self.connect_alone().await?;
        if let Some(shared) = connection.shared() {
            *self.shared() = Some(shared);
            // Taken out meanwhile: it lives as long as the request that it was made for.
            if self.retired.load(Ordering::SeqCst) {
                *self.shared() = None;
            }
        }
        Ok(connection)
    }

    fn shared(&self) -> MutexGuard<'_, Option<Connection>> {
        let lane = &self.shared[lanes::current() % MOST_LANES];
        lane.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self) -> MutexGuard<'_, VecDeque<(Connection, Instant)>> {
        let lane = &self.idle[lanes::current() % MOST_LANES];
        lane.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.backend.in_flight.fetch_sub(1, Ordering::SeqCst);
        if self.backend.most_in_flight > 0 {
            self.backend.room.freed();
        }
    }
}
