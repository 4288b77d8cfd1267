//! The supervisor: holds the listening sockets and keeps a worker alive. It does nothing else.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::{TcpSocket, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep};

use crate::channel::Channel;
use crate::error::GatewayError;
use crate::launch::Program;
use crate::place::Place;
use crate::wire::Refusal;

/// Connections that wait while the worker is away.
const BACKLOG: u32 = 4096;
/// A worker that lived so long gets its successor at once.
const LIVED: Duration = Duration::from_secs(2);
/// The first and the longest pause before the next worker, when they die at once.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long a worker may take to finish what is in flight.
const STOP: Duration = Duration::from_secs(40);

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
    Stopped,
    Told,
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
    let Some(_lock) = place.lock()? else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(GatewayError::io("start the supervisor"))?;
    runtime.block_on(Supervisor { program, place, held: BTreeMap::new(), worker: None }.run(adopt))
}

struct Supervisor<'a> {
    program: &'a Program,
    place: Place,
    held: BTreeMap<SocketAddr, TcpListener>,
    /// The worker's process.
    worker: Option<u32>,
}

impl Supervisor<'_> {
    async fn run(mut self, adopt: bool) -> Result<(), GatewayError> {
        let mut terminate =
            signal(SignalKind::terminate()).map_err(GatewayError::io("listen for signals"))?;
        let mut pause = PAUSE;
        let mut adopted = if adopt { Some(from_stdin()?) } else { None };
        loop {
            let began = Instant::now();
            let (channel, mut child) = match adopted.take() {
                Some(channel) => (channel, None),
                None => {
                    let (channel, child) = self.start().await?;
                    (channel, Some(child))
                }
            };
            let end = tokio::select! {
                end = self.serve(&channel) => end,
                _ = terminate.recv() => End::Told,
            };
            if let End::Told = end {
                self.stop_worker(&channel).await;
            }
            drop(channel);
            if let Some(child) = &mut child {
                let _ = child.kill();
                let _ = child.wait();
            }
            match end {
                End::Stopped | End::Told => return Ok(()),
                End::Died if began.elapsed() >= LIVED => pause = PAUSE,
                End::Died => {
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Starts a worker and gives it all held sockets.
    async fn start(&mut self) -> Result<(Channel, Child), GatewayError> {
        let doing = || GatewayError::io("start the worker");
        let (ours, theirs) = StdUnixStream::pair().map_err(doing())?;
        let log = self.place.open_supervisor_log()?;
        let mut command = self.program.command("work", self.place.state());
        let command = command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::null()).stderr(log);
        let child = command
            .spawn()
            .map_err(|source| GatewayError::Start { program: self.program.path.clone(), source })?;
        self.worker = Some(child.id());
        let channel = channel(ours)?;
        for (address, listener) in &self.held {
            // A worker that dies now is noticed by the first receive.
            let _ = channel.send(&FromSupervisor::Held(*address), Some(listener.as_fd())).await;
        }
        let _ = channel.send(&FromSupervisor::Ready, None).await;
        Ok((channel, child))
    }

    /// Obeys the worker until it is gone.
    async fn serve(&mut self, channel: &Channel) -> End {
        loop {
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
                FromWorker::Serving(process) => {
                    self.worker = Some(process);
                    Ok(())
                }
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

    /// Lets the worker finish what is in flight.
    async fn stop_worker(&mut self, channel: &Channel) {
        let process = self.worker.and_then(|process| rustix::process::Pid::from_raw(process.cast_signed()));
        if let Some(process) = process {
            let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
        }
        let gone = async { while let Ok(Some(_)) = channel.receive::<FromWorker>().await {} };
        let _ = tokio::time::timeout(STOP, gone).await;
    }
}

/// Listens on an address.
pub(crate) fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
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
