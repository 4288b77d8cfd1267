//! Running a command inside a container.

use std::time::Duration;

use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use bollard::query_parameters::ResizeExecOptionsBuilder;
use futures_util::StreamExt;
use seaworthy_project::ProjectName;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use crate::docker::client::{Client, is_status, message, refused};
use crate::docker::observe;
use crate::{EngineError, Exec, ExecControl, ExecStreams, InstanceId, LogStream};

/// How often, and how far apart, a signal looks for the process it is meant for: half a minute in all.
const START_LOOKS: u32 = 600;
const START_PAUSE: Duration = Duration::from_millis(50);

/// Runs a command to its end, and gives its exit code.
pub(super) async fn run(
    client: &Client,
    project: &ProjectName,
    id: &InstanceId,
    exec: &Exec,
    streams: ExecStreams,
) -> Result<i32, EngineError> {
    let found = observe::find(client, project, id).await?;
    let found = found.ok_or_else(|| EngineError::NoInstance { instance: id.to_string() })?;
    let attempt = || format!("run a command in {id}");
    let options = CreateExecOptions {
        cmd: Some(exec.words.clone()),
        user: exec.user.clone(),
        working_dir: exec.folder.clone(),
        env: Some(exec.variables.iter().map(|(name, value)| format!("{name}={}", value.reveal())).collect()),
        tty: Some(exec.terminal),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..CreateExecOptions::default()
    };
    let made = match client.api.create_exec(&found.id, options).await {
        Ok(made) => made.id,
        Err(error) if is_status(&error, 409) => {
            let hint = Some("`seaworthy ps` tells which instances run".to_owned());
            return Err(EngineError::Refused { attempt: attempt(), reason: message(&error), hint });
        }
        Err(error) => return Err(refused(attempt())(error)),
    };
    let options = StartExecOptions { detach: false, tty: exec.terminal, output_capacity: None };
    let started = client.api.start_exec(&made, Some(options)).await.map_err(refused(attempt()))?;
    let StartExecResults::Attached { mut output, input } = started else {
        return Err(EngineError::Refused {
            attempt: attempt(),
            reason: "it was not attached".to_owned(),
            hint: None,
        });
    };
    let ExecStreams { input: given, output: written, control } = streams;
    let reading = async {
        while let Some(part) = output.next().await {
            let part = part.map_err(refused(attempt()))?;
            let stream = match part {
                LogOutput::StdErr { .. } => LogStream::Stderr,
                _ => LogStream::Stdout,
            };
            // Nobody listens any more, as when it is piped into `head`.
            if written.send((stream, part.into_bytes().to_vec())).await.is_err() {
                break;
            }
        }
        Ok::<(), EngineError>(())
    };
    let meanwhile = async {
        tokio::join!(pass(given, input), obey(client, &made, exec.terminal, control));
        std::future::pending::<()>().await;
    };
    tokio::select! {
        read = reading => read?,
        () = meanwhile => {}
    }
    let seen = client.api.inspect_exec(&made).await.map_err(refused(attempt()))?;
    Ok(seen.exit_code.and_then(|code| i32::try_from(code).ok()).unwrap_or(-1))
}

/// Hands input on to its end. What the command no longer reads is lost with it.
async fn pass(mut given: mpsc::Receiver<Vec<u8>>, mut input: impl tokio::io::AsyncWrite + Unpin) {
    while let Some(bytes) = given.recv().await {
        if input.write_all(&bytes).await.is_err() || input.flush().await.is_err() {
            return;
        }
    }
    let _ = input.shutdown().await;
}

/// Hands on the size of the terminal, and signals: the daemon has no call for these, so the process is sent them.
async fn obey(client: &Client, made: &str, terminal: bool, mut control: mpsc::Receiver<ExecControl>) {
    while let Some(control) = control.recv().await {
        match control {
            ExecControl::Size { rows, columns } if terminal => {
                let size = ResizeExecOptionsBuilder::new().h(i32::from(rows)).w(i32::from(columns)).build();
                let _ = client.api.resize_exec(made, size).await;
            }
            ExecControl::Size { .. } => {}
            ExecControl::Signal(number) => {
                // Of another machine's process the number says nothing here.
                let process = if client.is_here { process(client, made).await } else { None };
                if let (Some(process), Ok(signal)) = (process, nix::sys::signal::Signal::try_from(number)) {
                    let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(process), signal);
                }
            }
        }
    }
}

/// The process of a command. The daemon answers before it has started one: a signal that comes that early waits for it.
async fn process(client: &Client, made: &str) -> Option<i32> {
    for _ in 0..START_LOOKS {
        let seen = client.api.inspect_exec(made).await.ok()?;
        match seen.pid {
            Some(process) if process > 1 => return i32::try_from(process).ok(),
            _ if seen.exit_code.is_some() => return None,
            _ => tokio::time::sleep(START_PAUSE).await,
        }
    }
    None
}
