//! The worker's side of the channel: asks its supervisor for sockets, and finds a new supervisor when it is gone.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
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
use crate::supervisor::{FromSupervisor, FromWorker, channel};

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

type Reply = (FromSupervisor, Option<OwnedFd>);

/// The listening sockets, held by the supervisor and used by this worker.
pub(crate) struct Sockets {
    channel: ArcSwap<Channel>,
    replies: AsyncMutex<mpsc::Receiver<Reply>>,
    held: Mutex<BTreeMap<SocketAddr, TcpListener>>,
    /// This worker ends: its supervisor needs no successor.
    ending: AtomicBool,
    /// Another supervisor has the folder and wants none of this worker.
    pub(crate) outcast: watch::Sender<bool>,
}

impl Sockets {
    /// Takes the sockets that the supervisor holds already, and goes on listening to it.
    pub(crate) async fn take(
        first: Channel,
        program: Program,
        place: Place,
    ) -> Result<Arc<Self>, GatewayError> {
        let mut held = BTreeMap::new();
        loop {
            match first.receive::<FromSupervisor>().await.map_err(GatewayError::io("take the sockets"))? {
                Some((FromSupervisor::Held(address), Some(socket))) => {
                    held.insert(address, TcpListener::from(socket));
                }
                Some((FromSupervisor::Ready, _)) => break,
                Some(_) => {}
                None => return Err(GatewayError::NotSupervised),
            }
        }
        let (sender, replies) = mpsc::channel(4);
        let sockets = Arc::new(Self {
            channel: ArcSwap::from_pointee(first),
            replies: AsyncMutex::new(replies),
            held: Mutex::new(held),
            ending: AtomicBool::new(false),
            outcast: watch::Sender::new(false),
        });
        tokio::spawn(listen(sockets.clone(), sender, program, place));
        Ok(sockets)
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
        self.ending.store(true, Ordering::SeqCst);
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

/// Passes answers on; when the supervisor is gone, starts another and hands it all sockets. Serving goes on.
async fn listen(sockets: Arc<Sockets>, replies: mpsc::Sender<Reply>, program: Program, place: Place) {
    let mut rejected = 0;
    loop {
        let current = sockets.channel.load_full();
        let began = Instant::now();
        while let Ok(Some(reply)) = current.receive::<FromSupervisor>().await {
            if replies.send(reply).await.is_err() {
                return;
            }
        }
        rejected = if began.elapsed() < LIVED { rejected + 1 } else { 0 };
        if rejected > MOST_REJECTED && matches!(place.lock(), Ok(None)) {
            note(&place, "another supervisor has this folder: this worker ends");
            sockets.outcast.send_replace(true);
            return;
        }
        if rejected > 0 {
            sleep(PAUSE).await;
        }
        while !sockets.ending.load(Ordering::SeqCst) {
            match replace(&sockets, &program, &place).await {
                Ok(()) => break,
                Err(error) => note(&place, &format!("no new supervisor: {error}")),
            }
            sleep(PAUSE).await;
        }
        if sockets.ending.load(Ordering::SeqCst) {
            return;
        }
    }
}

async fn replace(sockets: &Sockets, program: &Program, place: &Place) -> Result<(), GatewayError> {
    let (ours, theirs) = StdUnixStream::pair().map_err(GatewayError::io("make a channel"))?;
    launch::start(program, place, Stdio::from(OwnedFd::from(theirs)), true)?;
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
