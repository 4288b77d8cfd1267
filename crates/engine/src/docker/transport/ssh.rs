//! Lines through the `ssh` program: `docker system dial-stdio` at the other end puts the daemon's socket on its input
//! and output.

use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::docker::options::DockerOptions;
use crate::docker::place::SshPlace;

/// Lines that sign in at once. sshd begins to turn people away at ten (`MaxStartups`).
const SIGNING_IN: usize = 6;
/// What is kept of what `ssh` complains about.
const COMPLAINT_BYTES: usize = 4096;
/// How long a complaint may take after the line was cut; a connection that `ssh` shares may never close it.
const COMPLAINT: Duration = Duration::from_secs(1);

/// A client over `ssh`.
pub(in crate::docker) fn connect(place: &SshPlace, options: &DockerOptions) -> Result<Docker, Error> {
    let signing_in = Arc::new(Semaphore::new(SIGNING_IN));
    let (place, search_path, home) = (place.clone(), options.search_path.clone(), options.home.clone());
    let make = move || {
        let mut command = Command::new("ssh");
        command.args(place.words()).env_clear().env("PATH", &search_path);
        if let Some(home) = &home {
            command.env("HOME", home);
        }
        if let Some(agent) = &place.agent {
            command.env("SSH_AUTH_SOCK", agent);
        }
        let signing_in = signing_in.clone();
        async move {
            let permit = signing_in.acquire_owned().await.map_err(io::Error::other)?;
            Tunnel::begin(command, permit)
        }
    };
    super::client(make, "docker", options.answer)
}

/// One run of `ssh`, which ends with this.
struct Tunnel {
    input: Option<ChildStdin>,
    output: ChildStdout,
    complaint: Pin<Box<dyn Future<Output = io::Error> + Send>>,
    cut: bool,
    /// Held until the daemon answers: then it has signed in.
    permit: Option<OwnedSemaphorePermit>,
    _program: Child,
}

impl Tunnel {
    fn begin(mut command: Command, permit: OwnedSemaphorePermit) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // Ctrl-C is for this program, which then still has to talk to the daemon.
        command.process_group(0);
        let mut program = command
            .spawn()
            .map_err(|error| io::Error::other(format!("the program `ssh` could not be run: {error}")))?;
        let gone = || io::Error::other("the program `ssh` has no input or output");
        let input = program.stdin.take().ok_or_else(gone)?;
        let output = program.stdout.take().ok_or_else(gone)?;
        let gathering = tokio::spawn(gather(program.stderr.take().ok_or_else(gone)?));
        let complaint = Box::pin(async move {
            let said = timeout(COMPLAINT, gathering).await.ok().and_then(Result::ok).unwrap_or_default();
            io::Error::other(if said.is_empty() { "`ssh` ended without a word".to_owned() } else { said })
        });
        Ok(Self {
            input: Some(input),
            output,
            complaint,
            cut: false,
            permit: Some(permit),
            _program: program,
        })
    }
}

/// Reads what the program complains about to its end, and keeps the first of it on one line.
async fn gather(mut from: ChildStderr) -> String {
    let (mut kept, mut part) = (Vec::new(), [0; 1024]);
    while let Ok(read @ 1..) = from.read(&mut part).await {
        let wanted = read.min(COMPLAINT_BYTES - kept.len());
        kept.extend_from_slice(&part[..wanted]);
    }
    let text = String::from_utf8_lossy(&kept);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("; ")
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.cut {
            let before = into.filled().len();
            ready!(Pin::new(&mut self.output).poll_read(context, into))?;
            if into.filled().len() > before {
                self.permit = None;
                return Poll::Ready(Ok(()));
            }
            if self.permit.is_none() {
                return Poll::Ready(Ok(()));
            }
            self.cut = true;
        }
        // It ended before the daemon had said anything: `ssh` knows why.
        let complaint = ready!(self.complaint.as_mut().poll(context));
        self.complaint = Box::pin(std::future::ready(io::Error::from(io::ErrorKind::UnexpectedEof)));
        Poll::Ready(Err(complaint))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Some(input) = &mut self.input else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        match ready!(Pin::new(input).poll_write(context, bytes)) {
            // Reading tells why it ended.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Poll::Ready(Ok(bytes.len())),
            other => Poll::Ready(other),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.input {
            Some(input) => Pin::new(input).poll_flush(context),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Closes the input, so that the other end sees that no more comes.
    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.input = None;
        Poll::Ready(Ok(()))
    }
}
