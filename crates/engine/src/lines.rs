//! Running a program to its end, and handing over what it writes line by line.

use std::io;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc;

/// Lines that wait to be shown.
const QUEUE: usize = 256;

/// Runs a program; gives how it ended, and its last line.
pub(crate) async fn run(
    mut command: Command,
    output: &mut (dyn FnMut(&str) + Send + '_),
) -> io::Result<(ExitStatus, String)> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    let (sender, mut lines) = mpsc::channel(QUEUE);
    pass(child.stdout.take(), sender.clone());
    pass(child.stderr.take(), sender);
    let mut last = String::new();
    while let Some(line) = lines.recv().await {
        output(&line);
        last = line;
    }
    Ok((child.wait().await?, last))
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
