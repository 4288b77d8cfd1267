//! What a supervisor keeps when it becomes another program: one message each, with its descriptor, in the queue of a socket
//! that is its standard input then. Nothing is closed in between, and no other process ever has the sockets to itself.

use std::fs::File;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Pid;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{Supervisor, channel, from_stdin, process, running::Running};
use crate::channel::Channel;
use crate::error::GatewayError;
use crate::launch::Program;

/// The queue must take all at once: who would read is not there yet. More than the system gives is not given.
const QUEUE_BYTES: usize = 1 << 20;
/// How long a message may take to be queued, and to be read.
const QUEUE: Duration = Duration::from_secs(2);

/// One thing that is kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    /// The lock of the folder; the file comes along.
    Lock,
    /// A listening socket; it comes along.
    Held(SocketAddr),
    /// A worker, and whether it only finishes what it has; its channel comes along.
    Worker { process: Option<u32>, leaving: bool },
    /// A child that is to be waited for in the end.
    Child(u32),
    /// That was all.
    End,
}

/// What was kept.
#[derive(Default)]
pub(super) struct Inheritance {
    pub(super) lock: Option<File>,
    pub(super) held: Vec<(SocketAddr, std::net::TcpListener)>,
    pub(super) worker: Option<Running>,
    pub(super) leaving: Vec<Running>,
    pub(super) children: Vec<Pid>,
}

/// Takes up what this process kept.
pub(super) async fn inherit() -> Result<Inheritance, GatewayError> {
    let queue = from_stdin()?;
    let mut kept = Inheritance::default();
    loop {
        let received = timeout(QUEUE, queue.receive::<Kept>()).await;
        let received = received.map_err(|_| GatewayError::HandOver)?;
        let received = received.map_err(GatewayError::io("take up the sockets"))?;
        match received.ok_or(GatewayError::HandOver)? {
            (Kept::Lock, Some(file)) => kept.lock = Some(File::from(file)),
            (Kept::Held(address), Some(socket)) => kept.held.push((address, socket.into())),
            (Kept::Worker { process: id, leaving }, Some(socket)) => {
                let channel = Arc::new(channel(StdUnixStream::from(socket))?);
                let worker = Running::new(channel, None, id.and_then(process));
                if leaving {
                    kept.leaving.push(worker);
                } else {
                    kept.worker = Some(worker);
                }
            }
            (Kept::Child(id), _) => kept.children.extend(process(id)),
            (Kept::End, _) => break,
            _ => return Err(GatewayError::HandOver),
        }
    }
    Ok(kept)
}

/// Writes all that a supervisor has to who takes it up.
pub(super) async fn put_all(
    supervisor: &Supervisor,
    worker: &Running,
    queue: &Channel,
) -> Result<(), GatewayError> {
    let put = async |kept: Kept, with: Option<BorrowedFd<'_>>| {
        let put = timeout(QUEUE, queue.send(&kept, with)).await.map_err(|_| GatewayError::HandOver)?;
        put.map_err(GatewayError::io("hand the sockets over"))
    };
    put(Kept::Lock, Some(supervisor.lock.as_fd())).await?;
    for (address, listener) in &supervisor.held {
        put(Kept::Held(*address), Some(listener.as_fd())).await?;
    }
    let id = |process: Option<Pid>| process.map(|process| process.as_raw_nonzero().get().cast_unsigned());
    let kept = Kept::Worker { process: id(worker.process), leaving: false };
    put(kept, Some(worker.channel.as_fd())).await?;
    for (channel, process) in &supervisor.leaving_channels {
        if let Some(channel) = channel.upgrade() {
            put(Kept::Worker { process: id(*process), leaving: true }, Some(channel.as_fd())).await?;
        }
    }
    let companion = supervisor.companion.process();
    for child in companion.into_iter().chain(supervisor.inherited.iter().filter_map(|child| id(Some(*child))))
    {
        put(Kept::Child(child), None).await?;
    }
    put(Kept::End, None).await
}

/// Becomes another program, which goes on with all that this one has. Returns only when that failed; then nothing changed.
pub(super) async fn become_program(
    supervisor: &Supervisor,
    worker: &Running,
    program: &Program,
) -> GatewayError {
    let queued = async {
        let doing = || GatewayError::io("keep the sockets");
        let (ours, theirs) = StdUnixStream::pair().map_err(doing())?;
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(&ours, QUEUE_BYTES);
        put_all(supervisor, worker, &channel(ours)?).await?;
        Ok::<_, GatewayError>(theirs)
    };
    let theirs = match queued.await {
        Ok(theirs) => theirs,
        Err(error) => return error,
    };
    let mut command = program.command("supervise", supervisor.place.state());
    let source = command.arg("--kept").stdin(Stdio::from(OwnedFd::from(theirs))).exec();
    GatewayError::Start { program: program.path.clone(), source }
}
