//! What the supervisor is asked by commands, over a socket of its own: who it is, and to become another program.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::Pid;
use rustix::thread::{CapabilitySet, capabilities};
use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::build::Build;
use crate::channel::Channel;
use crate::error::GatewayError;
use crate::place::Place;
use crate::rim;

/// The version both sides speak.
pub(crate) const VERSION: u32 = 1;
/// How long a command may take to say what it wants.
const ASK: Duration = Duration::from_secs(5);
/// Orders that wait. One more waits to be accepted.
const MOST_ORDERS: usize = 4;
/// Pause after an accept that failed.
const PAUSE: Duration = Duration::from_millis(50);

/// What is asked, with the version it is asked in.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) version: u32,
    pub(crate) order: Order,
}

/// What may be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub(crate) enum Order {
    About,
    /// Become this program, and have its worker instead of the one that serves.
    Upgrade {
        path: PathBuf,
        arguments: Vec<String>,
    },
    /// Give all that is held to who asks, over this connection, and end.
    HandOver,
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub(crate) enum Reply {
    About {
        supervisor: SupervisorStatus,
    },
    /// A worker of that program serves. The connection ends when the supervisor has become it, too.
    Serving {
        process: u32,
    },
    /// All is as before.
    Refused {
        reason: String,
    },
    /// The worker was replaced, and the supervisor could not become that program.
    Half {
        reason: String,
    },
    Version {
        speaks: u32,
    },
}

/// The supervisor as it tells of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SupervisorStatus {
    /// Its process.
    pub process: u32,
    /// Its program, where the system told.
    pub build: Option<Build>,
    /// Since when it is that program.
    pub since: Timestamp,
    /// Whether a worker started it when its supervisor had died: it is as confined as that worker, and keeps no companion.
    #[serde(default)]
    pub stands_in: bool,
}

impl SupervisorStatus {
    fn own(stands_in: bool) -> Self {
        Self { process: std::process::id(), build: Build::own().ok(), since: rim::now(), stands_in }
    }
}

/// The open socket. Questions are answered as they come, orders wait their turn.
pub(super) struct Control {
    orders: mpsc::Receiver<(Channel, Order)>,
    accepting: JoinHandle<()>,
}

impl Control {
    /// Opens the socket, for its owner alone.
    pub(super) fn open(place: &Place, stands_in: bool) -> Result<Self, GatewayError> {
        let path = place.control();
        let doing = || GatewayError::io(format!("listen on `{}`", path.display()));
        rim::remove(&path).map_err(doing())?;
        let listener = UnixListener::bind(&path).map_err(doing())?;
        rim::make_private(&path).map_err(doing())?;
        let (sender, orders) = mpsc::channel(MOST_ORDERS);
        let about = Arc::new(SupervisorStatus::own(stands_in));
        Ok(Self { orders, accepting: tokio::spawn(accept(listener, sender, about)) })
    }

    /// One that nobody can reach.
    pub(super) fn closed() -> Self {
        let (_, orders) = mpsc::channel(1);
        Self { orders, accepting: tokio::spawn(async {}) }
    }

    /// The next order. It may be given up.
    pub(super) async fn next(&mut self) -> (Channel, Order) {
        match self.orders.recv().await {
            Some(order) => order,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: UnixListener,
    orders: mpsc::Sender<(Channel, Order)>,
    about: Arc<SupervisorStatus>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(hear(Channel::new(stream), orders.clone(), about.clone()));
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

async fn hear(channel: Channel, orders: mpsc::Sender<(Channel, Order)>, about: Arc<SupervisorStatus>) {
    if !is_allowed(&channel) {
        let reason = "only its user or root, with all the rights that it has, may ask it".to_owned();
        let _ = timeout(ASK, channel.send(&Reply::Refused { reason }, None)).await;
        return;
    }
    let reply = match timeout(ASK, channel.receive::<Asked>()).await {
        Ok(Ok(Some((asked, _)))) if asked.version == VERSION => match asked.order {
            Order::About => Reply::About { supervisor: about.as_ref().clone() },
            order => {
                let _ = orders.send((channel, order)).await;
                return;
            }
        },
        // Another version may have another shape.
        Ok(Ok(Some(_)) | Err(_)) => Reply::Version { speaks: VERSION },
        _ => return,
    };
    let _ = timeout(ASK, channel.send(&reply, None)).await;
}

/// Whether who asks is the same user or root, and may do all that this process may: a worker that was taken over must
/// not have its supervisor start programs for it.
fn is_allowed(channel: &Channel) -> bool {
    let own = rustix::process::geteuid().as_raw();
    let rights =
        |process: Option<Pid>| -> Option<CapabilitySet> { Some(capabilities(process).ok()?.effective) };
    let asking = channel.peer().and_then(Pid::from_raw);
    let (Some(process), Some(ours)) = (asking, rights(None)) else { return false };
    channel.user().is_some_and(|user| user == own || user == 0)
        && rights(Some(process)).is_some_and(|theirs| theirs.contains(ours))
}
