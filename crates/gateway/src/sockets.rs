//! The worker's side of the channel: asks its supervisor for sockets, and finds a new supervisor when it is gone.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Mutex as AsyncMutex, mpsc, watch};
use tokio::time::{Instant, sleep, timeout};

use crate::channel::Channel;
use crate::error::GatewayError;
use crate::launch::{self, Program};
use crate::place::Place;
use crate::rim;
use crate::supervisor::{FromSupervisor, FromWorker, Sets, Start, channel};

/// How long the supervisor may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// Between two tries to start a supervisor, and between two looks whether there is another one to ask.
const PAUSE: Duration = Duration::from_millis(200);
/// A supervisor that lived shorter than this found another one in its place.
const LIVED: Duration = Duration::from_secs(2);
/// So many of those in a row are no coincidence.
const MOST_REJECTED: u32 = 10;
/// A log so long is put aside; it holds only what happened to processes and backends.
const MOST_LOG_BYTES: u64 = 4 << 20;

/// Orders that wait.
const MOST_ORDERS: usize = 8;

type Reply = (FromSupervisor, Option<OwnedFd>);

/// What a worker is told about itself and another one.
#[derive(Debug)]
pub(crate) enum Order {
    /// Serve.
    Go,
    /// Take no more changes, say what you serve, and go on.
    Yield,
    /// Nobody takes over.
    Stay,
    /// Another worker serves all of it.
    Leave,
    /// The supervisor is gone, and with it who would have said one of the two.
    Orphaned,
}

/// How a worker stands to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Another one serves; this one waits to be told to.
    Trying,
    Serving,
    /// Another one may be about to take over.
    Yielding,
    /// This worker ends: its supervisor needs no successor.
    Ending,
}

/// The listening sockets, held by the supervisor and used by this worker.
pub(crate) struct Sockets {
    channel: ArcSwap<Channel>,
    replies: AsyncMutex<mpsc::Receiver<Reply>>,
    held: Mutex<BTreeMap<SocketAddr, TcpListener>>,
    standing: watch::Sender<Standing>,
    /// Another supervisor has the folder and wants none of this worker.
    pub(crate) outcast: watch::Sender<bool>,
}

impl Sockets {
    /// Takes the sockets that the supervisor holds already, and goes on listening to it; its orders come along.
    pub(crate) async fn take(
        first: Channel,
        program: Program,
        place: Place,
    ) -> Result<(Arc<Self>, mpsc::Receiver<Order>), GatewayError> {
        let mut held = BTreeMap::new();
        let standing = loop {
            match first.receive::<FromSupervisor>().await.map_err(GatewayError::io("take the sockets"))? {
                Some((FromSupervisor::Held(address), Some(socket))) => {
                    held.insert(address, TcpListener::from(socket));
                }
                Some((FromSupervisor::Ready, _)) => break Standing::Serving,
                Some((FromSupervisor::Try, _)) => break Standing::Trying,
                Some(_) => {}
                None => return Err(GatewayError::NotSupervised),
            }
        };
        let (sender, replies) = mpsc::channel(4);
        let (ordering, orders) = mpsc::channel(MOST_ORDERS);
        let sockets = Arc::new(Self {
            channel: ArcSwap::from_pointee(first),
            replies: AsyncMutex::new(replies),
            held: Mutex::new(held),
            standing: watch::Sender::new(standing),
            outcast: watch::Sender::new(false),
        });
        let told = Told { replies: sender, orders: ordering };
        tokio::spawn(listen(sockets.clone(), told, program, place));
        Ok((sockets, orders))
    }

    /// How this worker stands to others.
    pub(crate) fn standing(&self) -> Standing {
        *self.standing.borrow()
    }

    /// This worker serves, and nobody takes over.
    pub(crate) fn stand(&self) {
        self.standing.send_replace(Standing::Serving);
    }

    /// Says what is served, or would be.
    pub(crate) async fn tell(&self, sets: Sets) {
        // A supervisor that is gone is noticed by who listens to it.
        let _ = self.channel.load_full().send(&FromWorker::Sets(sets), None).await;
    }

    /// The socket for an address, bound by the supervisor when it is not held yet.
    pub(crate) async fn get(&self, address: SocketAddr) -> Result<TcpListener, GatewayError> {
        let copy = |listener: &TcpListener| listener.try_clone().map_err(GatewayError::io("use a socket"));
        if let Some(listener) = self.held().get(&address) {
            return copy(listener);
        }
        match self.ask(&FromWorker::Bind(address)).await? {
            (FromSupervisor::Bound(bound), Some(socket)) if bound == address => {
                let listener = TcpListener::from(socket);
                let ours = copy(&listener);
                self.held().insert(address, listener);
                ours
            }
            (FromSupervisor::Refused(refusal), _) => Err(refusal.into()),
            other => Err(GatewayError::Protocol { reason: format!("the supervisor answered {:?}", other.0) }),
        }
    }

    /// Whether an address is held.
    pub(crate) fn holds(&self, address: SocketAddr) -> bool {
        self.held().contains_key(&address)
    }

    /// Gives up addresses that are not used any more.
    pub(crate) async fn release_others(&self, used: &[SocketAddr]) {
        let unused: Vec<SocketAddr> =
            self.held().keys().filter(|address| !used.contains(address)).copied().collect();
        for address in unused {
            self.held().remove(&address);
            // A supervisor that is gone has no socket to close; its successor is given only what is held.
            let _ = self.ask(&FromWorker::Release(address)).await;
        }
    }

    /// Tells the supervisor that this worker ends: for a `successor`, or because nothing is to be served any more.
    pub(crate) async fn leave(&self, successor: bool) {
        self.standing.send_replace(Standing::Ending);
        let message = if successor { FromWorker::Leaving } else { FromWorker::Stop };
        let _ = self.channel.load_full().send(&message, None).await;
    }

    /// Asks the supervisor, and the next one when it dies over it.
    async fn ask(&self, message: &FromWorker) -> Result<Reply, GatewayError> {
        let mut replies = self.replies.lock().await;
        let asked = async {
            loop {
                while replies.try_recv().is_ok() {}
                let asking = self.channel.load_full();
                if asking.send(message, None).await.is_err() {
                    sleep(PAUSE).await;
                    continue;
                }
                loop {
                    match timeout(PAUSE, replies.recv()).await {
                        Ok(reply) => return reply.ok_or(GatewayError::Stopping),
                        Err(_) if Arc::ptr_eq(&asking, &self.channel.load()) => {}
                        Err(_) => break,
                    }
                }
            }
        };
        let late = |_| GatewayError::Timeout { asked: "the supervisor", after: ANSWER };
        timeout(ANSWER, asked).await.map_err(late)?
    }

    fn held(&self) -> std::sync::MutexGuard<'_, BTreeMap<SocketAddr, TcpListener>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where what the supervisor says goes.
struct Told {
    replies: mpsc::Sender<Reply>,
    orders: mpsc::Sender<Order>,
}

impl Told {
    /// Passes one thing on; whether somebody still wants it.
    async fn pass(&self, reply: Reply, sockets: &Sockets) -> bool {
        let order = match reply.0 {
            FromSupervisor::Go => Order::Go,
            FromSupervisor::Yield => {
                sockets.standing.send_replace(Standing::Yielding);
                Order::Yield
            }
            FromSupervisor::Stay => Order::Stay,
            FromSupervisor::Leave => Order::Leave,
            _ => return self.replies.send(reply).await.is_ok(),
        };
        self.orders.send(order).await.is_ok()
    }
}

/// Passes answers on; when the supervisor is gone, starts another and hands it all sockets. Serving goes on.
async fn listen(sockets: Arc<Sockets>, told: Told, program: Program, place: Place) {
    let mut rejected = 0;
    loop {
        let current = sockets.channel.load_full();
        let began = Instant::now();
        while let Ok(Some(reply)) = current.receive::<FromSupervisor>().await {
            if !told.pass(reply, &sockets).await {
                return;
            }
        }
        rejected = if began.elapsed() < LIVED { rejected + 1 } else { 0 };
        if rejected > MOST_REJECTED && matches!(place.lock(), Ok(None)) {
            note(&place, "another supervisor has this folder: this worker ends");
            sockets.outcast.send_replace(true);
            return;
        }
        match sockets.standing() {
            Standing::Serving => {}
            Standing::Trying | Standing::Ending => {
                // Another worker sees to it.
                let _ = told.orders.send(Order::Orphaned).await;
                return;
            }
            Standing::Yielding => {
                let _ = told.orders.send(Order::Orphaned).await;
                let _ = sockets.standing.subscribe().wait_for(|now| *now != Standing::Yielding).await;
            }
        }
        if rejected > 0 {
            sleep(PAUSE).await;
        }
        while sockets.standing() != Standing::Ending {
            match replace(&sockets, &program, &place).await {
                Ok(()) => break,
                Err(error) => note(&place, &format!("no new supervisor: {error}")),
            }
            sleep(PAUSE).await;
        }
        if sockets.standing() == Standing::Ending {
            return;
        }
    }
}

async fn replace(sockets: &Sockets, program: &Program, place: &Place) -> Result<(), GatewayError> {
    let (ours, theirs) = StdUnixStream::pair().map_err(GatewayError::io("make a channel"))?;
    // What this process starts is as confined as it is: that would be no companion that can do its work.
    let program = Program { companion: Vec::new(), ..program.clone() };
    launch::start(&program, place, Stdio::from(OwnedFd::from(theirs)), Start::Adopting)?;
    let fresh = channel(ours)?;
    let doing = || GatewayError::io("hand the sockets over");
    let copies: Vec<(SocketAddr, TcpListener)> =
        sockets.held().iter().filter_map(|(address, one)| Some((*address, one.try_clone().ok()?))).collect();
    for (address, listener) in &copies {
        fresh.send(&FromWorker::Held(*address), Some(listener.as_fd())).await.map_err(doing())?;
    }
    fresh.send(&FromWorker::Serving(std::process::id()), None).await.map_err(doing())?;
    sockets.channel.store(Arc::new(fresh));
    Ok(())
}

/// A line in the worker's log.
pub(crate) fn note(place: &Place, text: &str) {
    let path = place.worker_log();
    let Ok(mut log) = rim::append(&path) else { return };
    let _ = writeln!(log, "{} {text}", rim::now());
    if log.metadata().is_ok_and(|data| data.len() > MOST_LOG_BYTES) {
        let _ = rim::rename(&path, &path.with_extension("log.1"));
    }
}
