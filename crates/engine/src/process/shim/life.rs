//! The life of an instance: started, watched, started again with growing pauses, stopped.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep, timeout};

use crate::process::folder::Now;
use crate::process::limits::Kept;
use crate::process::shim::child;
use crate::process::spec::{Spec, When};
use crate::process::who::Who;
use crate::process::writing::{LONGEST_LINE, Writer};
use crate::{EngineError, Exit, InstanceState, LogStream, system};

/// The first pause is short enough to be no outage; the longest spares the machine.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A program that ran so long starts anew with the first pause.
const LIVED: Duration = Duration::from_secs(10);
/// How long the log may take to end after the program has: a grandchild may hold the pipe open.
const LOG_END: Duration = Duration::from_millis(500);

/// One instance.
pub(super) struct Life {
    folder: PathBuf,
    spec: Spec,
    now: Now,
    kept: Kept,
    log: Arc<Mutex<Writer>>,
}

impl Life {
    pub(super) fn new(folder: &Path, spec: Spec, mut now: Now) -> Self {
        let kept = spec.limits.keep(&spec.name);
        now.limits.clone_from(&kept.words);
        let log = Arc::new(Mutex::new(Writer::new(folder)));
        Self { folder: folder.to_owned(), spec, now, kept, log }
    }

    /// Runs until the instance has ended for good.
    pub(super) async fn run(mut self) -> Result<(), EngineError> {
        let mut terminate =
            system::attempt(signal(SignalKind::terminate()), || "listen for signals".to_owned())?;
        self.now.write(&self.folder)?;
        let mut pause = FIRST_PAUSE;
        loop {
            let began = Instant::now();
            let kills = self.kept.out_of_memory_kills();
            let mut child = match child::start(&self.spec, &self.kept) {
                Ok(child) => child,
                Err(error) => {
                    self.now.trouble = Some(error.to_string());
                    self.say(&format!("the program could not be started: {error}"));
                    self.end(Exit {
                        code: 127,
                        signal: None,
                        out_of_memory: false,
                        timed_out: false,
                        at: system::now(),
                    })?;
                    return Ok(());
                }
            };
            self.started(&child)?;
            let logs = [
                self.pass(child.stdout.take(), LogStream::Stdout),
                self.pass(child.stderr.take(), LogStream::Stderr),
            ];
            let (status, stopped) = tokio::select! {
                status = child.wait() => (status, false),
                _ = terminate.recv() => (self.stop(&mut child).await, true),
            };
            let status = system::attempt(status, || format!("wait for {}", self.spec.name))?;
            self.sweep();
            for log in logs {
                let _ = timeout(LOG_END, log).await;
            }
            let exit = exit(status, self.kept.out_of_memory_kills() > kills);
            if stopped || !self.starts_again(&exit) {
                return self.end(exit);
            }
            if began.elapsed() >= LIVED {
                pause = FIRST_PAUSE;
            }
            self.now.state = InstanceState::Waiting;
            self.now.exit = Some(exit);
            self.now.process = None;
            self.now.restarts += 1;
            self.now.write(&self.folder)?;
            let delay = self.spec.restart.delay_s.map_or(pause, Duration::from_secs_f64);
            tokio::select! {
                () = sleep(delay) => {}
                _ = terminate.recv() => return self.end(exit),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn started(&mut self, child: &Child) -> Result<(), EngineError> {
        let process = child.id();
        if let Some(process) = process
            && !self.kept.hold(process)
        {
            self.say("the limits could not be set for the program");
        }
        self.now.state = InstanceState::Running;
        self.now.process = process.and_then(Who::of);
        self.now.started_at = Some(system::now());
        self.now.write(&self.folder)
    }

    /// The signal, the grace, and then the end.
    async fn stop(&self, child: &mut Child) -> std::io::Result<ExitStatus> {
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

    /// Ends what the program left behind.
    fn sweep(&self) {
        if let Some(group) = self.now.process.as_ref().and_then(|who| i32::try_from(who.process).ok()) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        self.kept.clear();
    }

    fn starts_again(&self, exit: &Exit) -> bool {
        let wanted = match self.spec.restart.when {
            When::Never => false,
            When::AfterFailure => !exit.success(),
            When::Always => true,
        };
        wanted && self.spec.restart.at_most.is_none_or(|most| self.now.restarts < most)
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

fn exit(status: ExitStatus, out_of_memory: bool) -> Exit {
    let signal = status.signal();
    let code = status.code().unwrap_or_else(|| 128 + signal.unwrap_or(0));
    Exit { code, signal, out_of_memory, timed_out: false, at: system::now() }
}
