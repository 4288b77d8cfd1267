//! Building from source: the user's own words, without a shell.

use std::process::Stdio;

use seaworthy_project::{Project, Service};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc;

use crate::EngineError;
use crate::process::ProcessOptions;

/// Lines that wait to be shown.
const QUEUE: usize = 256;

/// Runs the build of a service, if it has one.
pub(super) async fn run(
    project: &Project,
    service: &Service,
    options: &ProcessOptions,
    output: &mut (dyn FnMut(&str) + Send + '_),
) -> Result<(), EngineError> {
    let words = service.settings.process.as_ref().and_then(|process| process.value.build.as_deref());
    let Some((program, arguments)) = words.and_then(<[String]>::split_first) else { return Ok(()) };
    let failed = |reason: String| EngineError::Build { service: service.name.value.to_string(), reason };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&project.directory).env_clear().env("PATH", &options.search_path);
    if let Some(home) = &options.home {
        command.env("HOME", home);
    }
    let spawned =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn();
    let mut child = spawned.map_err(|error| failed(format!("`{program}` could not be run: {error}")))?;
    let (sender, mut lines) = mpsc::channel(QUEUE);
    pass(child.stdout.take(), sender.clone());
    pass(child.stderr.take(), sender);
    let mut last = String::new();
    while let Some(line) = lines.recv().await {
        output(&line);
        last = line;
    }
    let status = child.wait().await.map_err(|error| failed(error.to_string()))?;
    match status.success() {
        true => Ok(()),
        false => Err(failed(format!(
            "`{}` ended with {status}; its last line: {last}",
            words.unwrap_or_default().join(" ")
        ))),
    }
}

fn pass(pipe: Option<impl AsyncRead + Send + Unpin + 'static>, lines: mpsc::Sender<String>) {
    let Some(pipe) = pipe else { return };
    tokio::spawn(async move {
        let mut reader = BufReader::new(pipe).lines();
        while let Ok(Some(line)) = reader.next_line().await {
            if lines.send(line).await.is_err() {
                return;
            }
        }
    });
}
