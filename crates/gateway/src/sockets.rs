//! The worker's side of the channel: asks its supervisor for sockets, and finds a new supervisor when it is gone.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tokio::time::{sleep, timeout};

use crate::channel::Channel;
use crate::error::GatewayError;
use crate::launch::{self, Program};
use crate::place::Place;
use crate::supervisor::{FromSupervisor, FromWorker, channel};

/// How long the supervisor may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// Between two tries to start a supervisor.
const PAUSE: Duration = Duration::from_millis(200);

type Reply = (FromSupervisor, Option<OwnedFd>);

/// The listening sockets, held by the supervisor and used by this worker.
pub(crate) struct Sockets {
    channel: ArcSwap<Channel>,
    replies: AsyncMutex<mpsc::Receiver<Reply>>,
    held: Mutex<BTreeMap<SocketAddr, TcpListener>>,
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
            (FromSupervisor::Bound(_), Some(socket)) => {
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

    /// Tells the supervisor that nothing is to be served any more.
    pub(crate) async fn stop(&self) {
        let _ = self.channel.load_full().send(&FromWorker::Stop, None).await;
    }

    async fn ask(&self, message: &FromWorker) -> Result<Reply, GatewayError> {
        let mut replies = self.replies.lock().await;
        while replies.try_recv().is_ok() {}
        let asking = self.channel.load_full();
        asking.send(message, None).await.map_err(GatewayError::io("ask the supervisor"))?;
        let late = |_| GatewayError::Timeout { asked: "the supervisor", after: ANSWER };
        timeout(ANSWER, replies.recv()).await.map_err(late)?.ok_or(GatewayError::Stopping)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, BTreeMap<SocketAddr, TcpListener>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes answers on; when the supervisor is gone, starts another and hands it all sockets. Serving goes on.
async fn listen(sockets: Arc<Sockets>, replies: mpsc::Sender<Reply>, program: Program, place: Place) {
    loop {
        let current = sockets.channel.load_full();
        while let Ok(Some(reply)) = current.receive::<FromSupervisor>().await {
            if replies.send(reply).await.is_err() {
                return;
            }
        }
        sleep(PAUSE).await;
        while let Err(error) = replace(&sockets, &program, &place).await {
            note(&place, &format!("no new supervisor: {error}"));
            sleep(PAUSE).await;
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
    use std::io::Write;
    if let Ok(mut log) = crate::rim::append(&place.worker_log()) {
        let _ = writeln!(log, "{} {text}", crate::rim::now());
    }
}
