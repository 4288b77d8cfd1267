//! Running a command beside an instance, with its variables, in its folder.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command as StdCommand, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, Command};
use tokio::sync::mpsc;

use crate::process::shim::child::beside;
use crate::process::spec::{self, Spec};
use crate::process::{ProcessOptions, observe};
use crate::{EngineError, Exec, ExecControl, ExecStreams, InstanceId, InstanceState, LogStream, system};

/// How long its output may take to end after it has.
const OUTPUT_END: Duration = Duration::from_millis(500);
/// What is handed on at a time.
const PART: usize = 16 << 10;

/// Runs a command to its end, and gives its exit code.
pub(super) async fn run(
    options: &ProcessOptions,
    folder: &Path,
    id: &InstanceId,
    exec: &Exec,
    streams: ExecStreams,
) -> Result<i32, EngineError> {
    let attempt = || format!("run a command beside {id}");
    let instance =
        observe::instance(folder)?.ok_or_else(|| EngineError::NoInstance { instance: id.to_string() })?;
    if instance.state != InstanceState::Running {
        let hint = Some("`seaworthy ps` tells which instances run".to_owned());
        return Err(EngineError::Refused { attempt: attempt(), reason: "it does not run".to_owned(), hint });
    }
    let mut spec = Spec::kept(folder, &id.to_string(), &options.key)?;
    if let Some(user) = &exec.user {
        spec.user = Some(spec::user_named(user, &attempt())?);
    }
    if let Some(folder) = &exec.folder {
        spec.folder = spec.folder.join(folder);
    }
    for (name, value) in &exec.variables {
        spec.variables.insert(name.clone(), value.reveal().to_owned());
    }
    let Some((program, arguments)) = exec.words.split_first() else {
        return Err(EngineError::Refused {
            attempt: attempt(),
            reason: "there is none".to_owned(),
            hint: None,
        });
    };
    let mut command = StdCommand::new(program);
    command.args(arguments);
    system::attempt(beside(&mut command, &spec), attempt)?;
    command.stdin(Stdio::piped());
    let mut child = system::attempt(Command::from(command).kill_on_drop(true).spawn(), || {
        format!("run `{program}` beside {id}")
    })?;
    let ExecStreams { input, output, mut control } = streams;
    // It leads a session of its own, and with it a group.
    let group = child.id().and_then(|process| i32::try_from(process).ok()).map(Pid::from_raw);
    let passing = tokio::spawn(pass(input, child.stdin.take()));
    let out = tokio::spawn(hand_on(child.stdout.take(), LogStream::Stdout, output.clone()));
    let err = tokio::spawn(hand_on(child.stderr.take(), LogStream::Stderr, output));
    let status = loop {
        tokio::select! {
            status = child.wait() => break system::attempt(status, attempt)?,
            Some(control) = control.recv() => {
                if let (ExecControl::Signal(number), Some(group)) = (control, group)
                    && let Ok(signal) = Signal::try_from(number)
                {
                    let _ = killpg(group, signal);
                }
            }
        }
    };
    passing.abort();
    // What it left behind may hold the pipes open.
    let _ = tokio::time::timeout(OUTPUT_END, async { tokio::join!(out, err) }).await;
    Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
}

async fn pass(mut given: mpsc::Receiver<Vec<u8>>, input: Option<ChildStdin>) {
    let Some(mut input) = input else { return };
    while let Some(bytes) = given.recv().await {
        if input.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn hand_on(
    pipe: Option<impl AsyncRead + Unpin>,
    stream: LogStream,
    output: mpsc::Sender<(LogStream, Vec<u8>)>,
) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = vec![0; PART];
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        if output.send((stream, buffer[..count].to_vec())).await.is_err() {
            return;
        }
    }
}
