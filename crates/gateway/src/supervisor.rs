//! The supervisor: holds the listening sockets and keeps a worker, and maybe a companion, alive. It does nothing else, but to
//! become another program when it is told to.

mod address;
mod control;
mod kept;
mod running;
mod upgrade;
mod words;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Weak};
use std::time::Duration;

use rustix::process::Pid;
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::channel::Channel;
use crate::companion::Companion;
use crate::error::{GatewayError, with_cause};
use crate::launch::Program;
use crate::place::Place;
use crate::sockets::note;
use crate::wire::Refusal;

pub(crate) use address::listen;
pub(crate) use control::{Asked, Order, Reply, VERSION};
pub(crate) use upgrade::Sets;
pub(crate) use words::{FromSupervisor, FromWorker};

pub use address::try_address;
pub use control::SupervisorStatus;

use control::Control;
use kept::Inheritance;
use running::{Heard, Running, reap};

/// A worker that lived so long gets its successor at once.
const LIVED: Duration = Duration::from_secs(2);
/// The first and the longest pause before the next worker, when they die at once.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long the lock is tried for: somebody who only looks whether it is held holds it for a moment.
const LOCK: Duration = Duration::from_millis(300);
const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// How long a command may take to take its answer, and a worker what it is told.
const REPLY: Duration = Duration::from_secs(5);

/// How a worker came to its end.
#[derive(Debug)]
enum End {
    Died,
    Leaving,
    Stopped,
    Told,
    /// Another supervisor has all that this one had.
    HandedOver,
}

/// How a supervisor begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With nothing.
    Anew,
    /// Standard input is a socket to a worker that serves already and hands its sockets over: its supervisor died.
    Adopting,
    /// This process was the supervisor by another program. Standard input has all that it kept.
    Inheriting,
}

/// Runs a supervisor until it is told to end.
///
/// # Errors
/// When it cannot begin. That another supervisor is there is no error.
pub fn supervise(program: &Program, state: &Path, start: Start) -> Result<(), GatewayError> {
    // A session of its own, so that no terminal's end reaches it. It fails only when it is one already.
    let _ = rustix::process::setsid();
    let place = Place::new(state);
    place.make()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(GatewayError::io("start the supervisor"))?;
    runtime.block_on(async {
        let mut kept = match start {
            Start::Inheriting => kept::inherit().await?,
            Start::Anew | Start::Adopting => Inheritance::default(),
        };
        let lock = match kept.lock.take() {
            Some(lock) => Some(lock),
            None => lock(&place).await?,
        };
        let Some(lock) = lock else { return Ok(()) };
        if start == Start::Adopting {
            kept.worker = Some(Running::new(Arc::new(from_stdin()?), None, None));
        }
        let mut supervisor = Supervisor {
            program: program.clone(),
            place,
            lock,
            held: kept.held.into_iter().collect(),
            companion: Companion::start(program),
            leaving: JoinSet::new(),
            leaving_channels: Vec::new(),
            inherited: kept.children,
            stands_in: start == Start::Adopting,
        };
        for child in &supervisor.inherited {
            tokio::spawn(reap(*child));
        }
        for worker in kept.leaving {
            supervisor.let_go(worker, false);
        }
        supervisor.run(kept.worker).await
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

struct Supervisor {
    program: Program,
    place: Place,
    lock: File,
    held: BTreeMap<SocketAddr, TcpListener>,
    companion: Companion,
    /// Those that still finish what they have; a supervisor that ends waits for them.
    leaving: JoinSet<()>,
    leaving_channels: Vec<(Weak<Channel>, Option<Pid>)>,
    /// Children from before this process became this program, besides workers.
    inherited: Vec<Pid>,
    stands_in: bool,
}

impl Supervisor {
    async fn run(mut self, mut serving: Option<Running>) -> Result<(), GatewayError> {
        let mut terminate =
            signal(SignalKind::terminate()).map_err(GatewayError::io("listen for signals"))?;
        let mut control = Control::open(&self.place, self.stands_in).unwrap_or_else(|error| {
            note(&self.place, &format!("no upgrades: {}", with_cause(&error)));
            Control::closed()
        });
        let mut pause = Duration::ZERO;
        loop {
            let began = Instant::now();
            let started = match serving.take() {
                Some(worker) => Ok(worker),
                None => self.start(&self.program.clone(), FromSupervisor::Ready).await,
            };
            let end = match started {
                Ok(mut worker) => {
                    let end = self.attend(&mut worker, &mut terminate, &mut control).await;
                    match end {
                        End::HandedOver => return Ok(()),
                        End::Told => worker.terminate(),
                        _ => {}
                    }
                    self.let_go(worker, matches!(end, End::Died));
                    end
                }
                Err(error) => {
                    // The sockets must not go down with a program that is missing while it is being replaced.
                    note(&self.place, &format!("no worker: {error}"));
                    End::Died
                }
            };
            while self.leaving.try_join_next().is_some() {}
            match end {
                End::Stopped | End::Told => {
                    while self.leaving.join_next().await.is_some() {}
                    return Ok(());
                }
                End::Leaving => pause = Duration::ZERO,
                End::Died if began.elapsed() >= LIVED => pause = Duration::ZERO,
                End::Died | End::HandedOver => {}
            }
            tokio::select! {
                () = sleep(pause) => {}
                _ = terminate.recv() => return Ok(()),
            }
            pause = (pause * 2).clamp(PAUSE, LONGEST_PAUSE);
        }
    }

    /// Starts a worker and gives it all held sockets, and a word what to do with them.
    async fn start(&mut self, program: &Program, word: FromSupervisor) -> Result<Running, GatewayError> {
        let doing = || GatewayError::io("start the worker");
        let (ours, theirs) = StdUnixStream::pair().map_err(doing())?;
        let log = self.place.open_supervisor_log()?;
        let mut command = Command::from(program.command("work", self.place.state()));
        let command = command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::null()).stderr(log);
        let child = command
            .spawn()
            .map_err(|source| GatewayError::Start { program: program.path.clone(), source })?;
        let process = child.id().and_then(process);
        let channel = channel(ours)?;
        for (address, listener) in &self.held {
            // A worker that dies now is noticed by the first receive.
            let _ =
                timeout(REPLY, channel.send(&FromSupervisor::Held(*address), Some(listener.as_fd()))).await;
        }
        let _ = timeout(REPLY, channel.send(&word, None)).await;
        Ok(Running::new(Arc::new(channel), Some(child), process))
    }

    /// Obeys the worker, and whoever orders an upgrade, until the worker is gone.
    async fn attend(&mut self, worker: &mut Running, terminate: &mut Signal, control: &mut Control) -> End {
        loop {
            let (asking, order) = tokio::select! {
                word = worker.words.recv() => {
                    let Some(word) = word else { return End::Died };
                    match self.obey(worker, word).await {
                        Some(end) => return end,
                        None => continue,
                    }
                }
                _ = terminate.recv() => return End::Told,
                ordered = control.next() => ordered,
            };
            let end = match order {
                Order::Upgrade { path, arguments } => {
                    let companion = self.program.companion.clone();
                    self.upgrade(worker, Program { path, arguments, companion }, &asking).await
                }
                Order::HandOver => self.hand_over(worker, &asking).await,
                Order::About => None,
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// Gives all that it has to another supervisor.
    async fn hand_over(&mut self, worker: &mut Running, asking: &Channel) -> Option<End> {
        if let Some(end) = self.hush(worker).await {
            return Some(end);
        }
        match kept::put_all(self, worker, asking).await {
            Ok(()) => Some(End::HandedOver),
            Err(error) => {
                note(&self.place, &format!("nothing was handed over: {}", with_cause(&error)));
                worker.listen();
                None
            }
        }
    }

    /// Hears no more of a worker: its words from here on are for who comes next.
    async fn hush(&mut self, worker: &mut Running) -> Option<End> {
        for word in worker.quiet().await {
            if let Some(end) = self.obey(worker, word).await {
                worker.listen();
                return Some(end);
            }
        }
        None
    }

    /// Becomes another program, after its worker has taken over. What fails before that changes nothing.
    async fn upgrade(&mut self, worker: &mut Running, program: Program, asking: &Channel) -> Option<End> {
        let tell = async |reply: Reply| _ = timeout(REPLY, asking.send(&reply, None)).await;
        let path = program.path.display().to_string();
        match self.change_workers(worker, &program).await {
            Ok(new) => {
                let old = std::mem::replace(worker, new);
                self.let_go(old, false);
            }
            Err(error) => {
                note(&self.place, &format!("no upgrade to `{path}`: {}", with_cause(&error)));
                tell(Reply::Refused { reason: with_cause(&error) }).await;
                return error.end();
            }
        }
        note(&self.place, &format!("a worker of `{path}` serves"));
        if let Some(end) = self.hush(worker).await {
            return Some(end);
        }
        let process = worker.process.map_or(0, |process| process.as_raw_nonzero().get().cast_unsigned());
        tell(Reply::Serving { process }).await;
        let error = kept::become_program(self, worker, &program).await;
        note(&self.place, &format!("the supervisor stays what it was: {}", with_cause(&error)));
        self.program = program;
        worker.listen();
        tell(Reply::Half { reason: with_cause(&error) }).await;
        None
    }

    /// Lets a worker finish what it has.
    fn let_go(&mut self, worker: Running, dead: bool) {
        self.leaving_channels.retain(|(channel, _)| channel.strong_count() > 0);
        self.leaving_channels.push((Arc::downgrade(&worker.channel), worker.process));
        self.leaving.spawn(worker.gone(dead));
    }

    /// Does what a worker says; how it ends, if it does.
    async fn obey(&mut self, worker: &mut Running, (word, socket): Heard) -> Option<End> {
        let channel = worker.channel.clone();
        let sent = match word {
            FromWorker::Bind(address) => self.bind(&channel, address).await,
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
                // Who made the channel cannot say that it is somebody else.
                if !worker.is_child() && channel.peer() == id.try_into().ok() {
                    worker.process = process(id);
                }
                Ok(())
            }
            // Nobody asked for it.
            FromWorker::Sets(_) => Ok(()),
            FromWorker::Leaving => return Some(End::Leaving),
            FromWorker::Stop => return Some(End::Stopped),
        };
        sent.is_err().then_some(End::Died)
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

fn process(id: u32) -> Option<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw)
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
