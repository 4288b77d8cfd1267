//! The life of an instance: started, watched, started again with growing pauses, stopped.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep, timeout};

use crate::process::folder::Now;
use crate::process::limits::Kept;
use crate::process::restart::Pauses;
use crate::process::shim::child;
use crate::process::spec::Spec;
use crate::process::who::{Who, children, ended_children};
use crate::process::writing::{LONGEST_LINE, Writer};
use crate::{EngineError, Exit, InstanceState, LogStream, system};

/// How long the log may take to end after the program has: a grandchild may hold the pipe open.
const LOG_END: Duration = Duration::from_millis(500);

/// How long what is left of a run may take to be gone after it was killed.
const SWEEP: Duration = Duration::from_secs(2);
const SWEEP_PAUSE: Duration = Duration::from_millis(2);
/// How often and how far apart a busy program is tried.
const BUSY_TRIES: u32 = 50;
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// One instance.
pub(super) struct Life {
    folder: PathBuf,
    spec: Spec,
    now: Now,
    kept: Kept,
    log: Arc<Mutex<Writer>>,
}

/// What the shim hears of the world.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    child: tokio::signal::unix::Signal,
}

/// Why a run of the program ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Itself,
    Asked,
    Deadline,
}

impl Life {
    pub(super) fn new(folder: &Path, spec: Spec, mut now: Now) -> Self {
        let kept = spec.limits.keep(&spec.group);
        now.limits.clone_from(&kept.words);
        let log = Arc::new(Mutex::new(Writer::new(folder)));
        Self { folder: folder.to_owned(), spec, now, kept, log }
    }

    /// Runs until the instance has ended for good.
    pub(super) async fn run(mut self) -> Result<(), EngineError> {
        let mut signals = system::attempt(Signals::listen(), || "listen for signals".to_owned())?;
        self.now.write(&self.folder)?;
        let mut pauses = Pauses::default();
        loop {
            let began = Instant::now();
            let kills = self.kept.out_of_memory_kills();
            let mut child = match self.start().await {
                Ok(child) => child,
                Err(error) => {
                    self.now.trouble = Some(error.to_string());
                    self.say(&format!("the program could not be started: {error}"));
                    let at = system::now();
                    return self.end(Exit {
                        code: 127,
                        signal: None,
                        out_of_memory: false,
                        timed_out: false,
                        at,
                    });
                }
            };
            self.started(&child)?;
            let logs = [
                self.pass(child.stdout.take(), LogStream::Stdout),
                self.pass(child.stderr.take(), LogStream::Stderr),
            ];
            let (status, cause) = self.watch(&mut child, &mut signals, began).await;
            let status = system::attempt(status, || format!("wait for {}", self.spec.name))?;
            self.sweep().await;
            for log in logs {
                let _ = timeout(LOG_END, log).await;
            }
            let exit = exit(status, self.kept.out_of_memory_kills() > kills, cause == Cause::Deadline);
            let pause = pauses.next(&self.spec.restart, began.elapsed(), exit.success());
            let Some(pause) = pause.filter(|_| cause == Cause::Itself) else { return self.end(exit) };
            self.now.state = InstanceState::Waiting;
            self.now.exit = Some(exit);
            self.now.process = None;
            self.now.restarts += 1;
            self.now.write(&self.folder)?;
            tokio::select! {
                () = sleep(pause) => {}
                _ = signals.terminate.recv() => return self.end(exit),
            }
        }
    }

    /// Starts the program. A copy that was just written may for a moment still be open in a child of its writer.
    async fn start(&self) -> io::Result<Child> {
        for _ in 0..BUSY_TRIES {
            match child::start(&self.spec, &self.kept) {
                Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => sleep(BUSY_PAUSE).await,
                other => return other,
            }
        }
        child::start(&self.spec, &self.kept)
    }

    fn started(&mut self, child: &Child) -> Result<(), EngineError> {
        self.now.state = InstanceState::Running;
        self.now.process = child.id().and_then(Who::of);
        self.now.started_at = Some(system::now());
        self.now.write(&self.folder)
    }

    /// Waits until a run ends, or ends it: when it is asked to, or when its deadline has passed.
    async fn watch(
        &self,
        child: &mut Child,
        signals: &mut Signals,
        began: Instant,
    ) -> (io::Result<ExitStatus>, Cause) {
        let deadline = self.spec.deadline_s.map(|deadline| began + Duration::from_secs_f64(deadline));
        loop {
            tokio::select! {
                status = child.wait() => return (status, Cause::Itself),
                _ = signals.terminate.recv() => return (self.stop(child).await, Cause::Asked),
                () = passed(deadline) => {
                    self.say("its deadline has passed");
                    return (self.stop(child).await, Cause::Deadline);
                }
                _ = signals.child.recv() => reap_all_but(child.id()),
            }
        }
    }

    /// The signal, the grace, and then the end.
    async fn stop(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let group = child.id().and_then(|process| i32::try_from(process).ok()).map(Pid::from_raw);
        let signal = Signal::try_from(self.spec.stop_signal).unwrap_or(Signal::SIGTERM);
        if let Some(group) = group {
            let _ = killpg(group, signal);
        }
        match timeout(Duration::from_secs_f64(self.spec.grace_s), child.wait()).await {
            Ok(status) => status,
            Err(_) => {
                self.say(&format!("it did not end within {} s and was killed", self.spec.grace_s));
                if let Some(group) = group {
                    let _ = killpg(group, Signal::SIGKILL);
                }
                child.wait().await
            }
        }
    }

    /// Ends what the program left behind, whatever session it is in: all of it has become this process's child, or
    /// becomes so as its parents end.
    async fn sweep(&self) {
        if let Some(group) = self.now.process.as_ref().and_then(|who| i32::try_from(who.process).ok()) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let until = Instant::now() + SWEEP;
        loop {
            self.kept.clear();
            let left = children(std::process::id());
            for process in left.iter().filter_map(|process| i32::try_from(*process).ok()) {
                let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
            }
            reap_all_but(None);
            if left.is_empty() || Instant::now() >= until {
                return;
            }
            sleep(SWEEP_PAUSE).await;
        }
    }

    fn end(mut self, exit: Exit) -> Result<(), EngineError> {
        self.now.state = InstanceState::Exited;
        self.now.exit = Some(exit);
        self.now.process = None;
        self.now.write(&self.folder)
    }

    fn say(&self, text: &str) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.line(LogStream::Stderr, format!("seaworthy: {text}").as_bytes());
    }

    /// Passes what the program writes on to the log, line by line.
    fn pass(
        &self,
        pipe: Option<impl AsyncRead + Send + Unpin + 'static>,
        stream: LogStream,
    ) -> tokio::task::JoinHandle<()> {
        let log = self.log.clone();
        tokio::spawn(async move {
            let Some(mut pipe) = pipe else { return };
            let mut line: Vec<u8> = Vec::new();
            let mut buffer = vec![0; 8 << 10];
            while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                for byte in &buffer[..count] {
                    if *byte != b'\n' {
                        line.push(*byte);
                    }
                    if *byte == b'\n' || line.len() >= LONGEST_LINE {
                        log.line(stream, &line);
                        line.clear();
                    }
                }
            }
            if !line.is_empty() {
                log.lock().unwrap_or_else(PoisonError::into_inner).line(stream, &line);
            }
        })
    }
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, child: signal(SignalKind::child())? })
    }
}

/// Waits until a moment has passed; without one, for ever.
async fn passed(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Reaps the children that have ended, but for the one that somebody waits for.
fn reap_all_but(main: Option<u32>) {
    for process in ended_children(std::process::id()).into_iter().filter(|process| Some(*process) != main) {
        if let Ok(process) = i32::try_from(process) {
            let _ = waitpid(Pid::from_raw(process), Some(WaitPidFlag::WNOHANG));
        }
    }
}

fn exit(status: ExitStatus, out_of_memory: bool, timed_out: bool) -> Exit {
    let signal = status.signal();
    let code = status.code().unwrap_or_else(|| 128 + signal.unwrap_or(0));
    // A kill for want of memory that the program survived is no reason for its end.
    let out_of_memory = out_of_memory && code != 0;
    Exit { code, signal, out_of_memory, timed_out, at: system::now() }
}
