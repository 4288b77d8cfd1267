//! The supervisor: holds the listening sockets and keeps a worker, and maybe a companion, alive. It does nothing else.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpSocket, UnixStream};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::channel::Channel;
use crate::companion::Companion;
use crate::error::GatewayError;
use crate::launch::Program;
use crate::place::Place;
use crate::sockets::note;
use crate::wire::Refusal;
use crate::worker::FINISH;

/// Connections that wait while the worker is away.
const BACKLOG: u32 = 4096;
/// A worker that lived so long gets its successor at once.
const LIVED: Duration = Duration::from_secs(2);
/// The first and the longest pause before the next worker, when they die at once.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long a worker may take to finish what is in flight: a little longer than it gives itself.
const STOP: Duration = FINISH.saturating_add(Duration::from_secs(5));
/// How long the lock is tried for: somebody who only looks whether it is held holds it for a moment.
const LOCK: Duration = Duration::from_millis(300);
const LOCK_PAUSE: Duration = Duration::from_millis(10);

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
}

/// What a supervisor tells its worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FromSupervisor {
    /// A socket that is held; it comes along.
    Held(SocketAddr),
    /// All held sockets were sent.
    Ready,
    /// The socket asked for; it comes along.
    Bound(SocketAddr),
    /// Why there is no socket.
    Refused(Refusal),
    /// The socket is closed.
    Released(SocketAddr),
}

/// How a worker came to its end.
enum End {
    Died,
    Leaving,
    Stopped,
    Told,
}

/// A worker that runs.
struct Running {
    channel: Channel,
    /// None for one that another supervisor started.
    child: Option<Child>,
    process: Option<Pid>,
}

/// Runs a supervisor until it is told to end. With `adopt`, standard input is a socket to a worker that serves
/// already and hands its sockets over.
///
/// # Errors
/// When it cannot begin. That another supervisor is there is no error.
pub fn supervise(program: &Program, state: &Path, adopt: bool) -> Result<(), GatewayError> {
    // A session of its own, so that no terminal's end reaches it. It fails only when it is one already.
    let _ = rustix::process::setsid();
    let place = Place::new(state);
    place.make()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(GatewayError::io("start the supervisor"))?;
    runtime.block_on(async {
        let Some(_lock) = lock(&place).await? else { return Ok(()) };
        Supervisor { program, place, held: BTreeMap::new() }.run(adopt).await
    })
}

/// Whether a supervisor of this state folder runs.
pub fn is_supervised(state: &Path) -> bool {
    matches!(Place::new(state).lock(), Ok(None))
}

async fn lock(place: &Place) -> Result<Option<File>, GatewayError> {
    let until = Instant::now() + LOCK;
    loop {
        match place.lock()? {
            None if Instant::now() < until => sleep(LOCK_PAUSE).await,
            other => return Ok(other),
        }
    }
}

struct Supervisor<'a> {
    program: &'a Program,
    place: Place,
    held: BTreeMap<SocketAddr, TcpListener>,
}

impl Supervisor<'_> {
    async fn run(mut self, adopt: bool) -> Result<(), GatewayError> {
        let mut terminate =
            signal(SignalKind::terminate()).map_err(GatewayError::io("listen for signals"))?;
        let _companion = Companion::start(self.program);
        let mut pause = Duration::ZERO;
        let mut adopted = adopt.then(from_stdin).transpose()?;
        // Those that still finish what they have; a supervisor that ends waits for them.
        let mut leaving = JoinSet::new();
        loop {
            let began = Instant::now();
            let started = match adopted.take() {
                Some(channel) => Ok(Running { channel, child: None, process: None }),
                None => self.start().await,
            };
            let end = match started {
                Ok(mut worker) => {
                    let end = tokio::select! {
                        end = self.serve(&mut worker) => end,
                        _ = terminate.recv() => End::Told,
                    };
                    if let End::Told = end {
                        worker.terminate();
                    }
                    leaving.spawn(worker.gone(matches!(end, End::Died)));
                    end
                }
                Err(error) => {
                    // The sockets must not go down with a program that is missing while it is being replaced.
                    note(&self.place, &format!("no worker: {error}"));
                    End::Died
                }
            };
            while leaving.try_join_next().is_some() {}
            match end {
                End::Stopped | End::Told => {
                    while leaving.join_next().await.is_some() {}
                    return Ok(());
                }
                End::Leaving => pause = Duration::ZERO,
                End::Died if began.elapsed() >= LIVED => pause = Duration::ZERO,
                End::Died => {}
            }
            tokio::select! {
                () = sleep(pause) => {}
                _ = terminate.recv() => return Ok(()),
            }
            pause = (pause * 2).clamp(PAUSE, LONGEST_PAUSE);
        }
    }

    /// Starts a worker and gives it all held sockets.
    async fn start(&mut self) -> Result<Running, GatewayError> {
        let doing = || GatewayError::io("start the worker");
        let (ours, theirs) = StdUnixStream::pair().map_err(doing())?;
        let log = self.place.open_supervisor_log()?;
        let mut command = Command::from(self.program.command("work", self.place.state()));
        let command = command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::null()).stderr(log);
        let child = command
            .spawn()
            .map_err(|source| GatewayError::Start { program: self.program.path.clone(), source })?;
        let process = child.id().and_then(process);
        let channel = channel(ours)?;
        for (address, listener) in &self.held {
            // A worker that dies now is noticed by the first receive.
            let _ = channel.send(&FromSupervisor::Held(*address), Some(listener.as_fd())).await;
        }
        let _ = channel.send(&FromSupervisor::Ready, None).await;
        Ok(Running { channel, child: Some(child), process })
    }

    /// Obeys the worker until it is gone.
    async fn serve(&mut self, worker: &mut Running) -> End {
        loop {
            let channel = &worker.channel;
            let (message, socket) = match channel.receive::<FromWorker>().await {
                Ok(Some(received)) => received,
                Ok(None) | Err(_) => return End::Died,
            };
            let sent = match message {
                FromWorker::Bind(address) => self.bind(channel, address).await,
                FromWorker::Release(address) => {
                    self.held.remove(&address);
                    channel.send(&FromSupervisor::Released(address), None).await
                }
                FromWorker::Held(address) => {
                    if let Some(socket) = socket {
                        self.held.insert(address, TcpListener::from(socket));
                    }
                    Ok(())
                }
                FromWorker::Serving(id) => {
                    worker.process = process(id);
                    Ok(())
                }
                FromWorker::Leaving => return End::Leaving,
                FromWorker::Stop => return End::Stopped,
            };
            if sent.is_err() {
                return End::Died;
            }
        }
    }

    async fn bind(&mut self, channel: &Channel, address: SocketAddr) -> std::io::Result<()> {
        let listener = match self.held.entry(address) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(free) => match listen(address) {
                Ok(listener) => free.insert(listener),
                Err(error) => {
                    let refusal = Refusal::from(GatewayError::bind(address, &error));
                    return channel.send(&FromSupervisor::Refused(refusal), None).await;
                }
            },
        };
        channel.send(&FromSupervisor::Bound(address), Some(listener.as_fd())).await
    }
}

impl Running {
    /// Asks it to finish what is in flight and end.
    fn terminate(&self) {
        if let Some(process) = self.process {
            let _ = kill_process(process, Signal::TERM);
        }
    }

    /// Waits until it has ended, for a while; one that is dead or stuck is killed.
    async fn gone(mut self, dead: bool) {
        let ended = async { while let Ok(Some(_)) = self.channel.receive::<FromWorker>().await {} };
        let stuck = !dead && timeout(STOP, ended).await.is_err();
        match &mut self.child {
            Some(child) => {
                let _ = child.kill().await;
            }
            // Its end of the channel is open, so the process is still the one that named itself.
            None if stuck => {
                if let Some(process) = self.process {
                    let _ = kill_process(process, Signal::KILL);
                }
            }
            None => {}
        }
    }
}

fn process(id: u32) -> Option<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw)
}

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

/// The channel that standard input is.
pub(crate) fn from_stdin() -> Result<Channel, GatewayError> {
    let stdin = std::io::stdin().as_fd().try_clone_to_owned().map_err(GatewayError::io("take the socket"))?;
    let kind = rustix::net::sockopt::socket_type(&stdin);
    if kind != Ok(rustix::net::SocketType::STREAM) {
        return Err(GatewayError::NotSupervised);
    }
    channel(StdUnixStream::from(stdin))
}

/// A channel over a stream, on the runtime that is entered.
pub(crate) fn channel(stream: StdUnixStream) -> Result<Channel, GatewayError> {
    let ready = stream.set_nonblocking(true).and_then(|()| UnixStream::from_std(stream));
    ready.map(Channel::new).map_err(GatewayError::io("set up the channel"))
}
