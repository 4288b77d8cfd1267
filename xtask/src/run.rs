//! Runs a program where a person sees its output, within a limit of time.

use std::io;
use std::path::Path;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

/// How long what a program wrote at its end may take to reach us.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Why a program did not come to its own end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not be started.
    #[error("`{command}` could not be started.")]
    Start {
        /// As typed.
        command: String,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// It could not be waited for.
    #[error("`{command}` could not be waited for.")]
    Wait {
        /// As typed.
        command: String,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// It took too long, and was killed with all it had started.
    #[error("`{command}` was killed: it took longer than {} s.", limit.as_secs())]
    TooLong {
        /// As typed.
        command: String,
        /// How long it had.
        limit: Duration,
    },
    /// A person pressed Ctrl-C; it was killed with all it had started.
    #[error("`{command}` was interrupted.")]
    Interrupted {
        /// As typed.
        command: String,
    },
}

/// How a program ended, and how long it took.
#[derive(Debug, Clone, Copy)]
pub struct Ran {
    /// How it ended.
    pub status: ExitStatus,
    /// How long it took.
    pub took: Duration,
}

/// Runs `program` in `folder` with our own terminal, at most for `limit`.
///
/// # Errors
/// When it cannot be started, takes too long, or is interrupted.
pub fn run(folder: &Path, program: &[&str], limit: Duration) -> Result<Ran, RunError> {
    work(folder, program, limit, None)
}

/// Runs `program` as [`run`] does, but what it writes to its standard output is given to `hear`, line by line.
///
/// # Errors
/// As of [`run`].
pub fn heard(
    folder: &Path,
    program: &[&str],
    limit: Duration,
    hear: &mut dyn FnMut(&str),
) -> Result<Ran, RunError> {
    work(folder, program, limit, Some(hear))
}

fn work(
    folder: &Path,
    program: &[&str],
    limit: Duration,
    hear: Option<&mut dyn FnMut(&str)>,
) -> Result<Ran, RunError> {
    let command = program.join(" ");
    let start = |source| RunError::Start { command: command.clone(), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(start)?;
    runtime.block_on(async {
        let (first, rest) = program.split_first().ok_or_else(|| start(io::ErrorKind::InvalidInput.into()))?;
        let begun = Instant::now();
        // A group of its own, so that what it starts can be ended with it.
        let mut command_line = Command::new(first);
        command_line.args(rest).current_dir(folder).process_group(0);
        if hear.is_some() {
            command_line.stdout(Stdio::piped());
        }
        let mut child = command_line.spawn().map_err(start)?;
        let status = tokio::select! {
            waited = timeout(limit, told(&mut child, hear)) => match waited {
                Ok(status) => status.map_err(|source| RunError::Wait { command: command.clone(), source })?,
                Err(_) => {
                    end(&mut child).await;
                    return Err(RunError::TooLong { command: command.clone(), limit });
                }
            },
            _ = tokio::signal::ctrl_c() => {
                end(&mut child).await;
                return Err(RunError::Interrupted { command: command.clone() });
            }
        };
        Ok(Ran { status, took: begun.elapsed() })
    })
}

/// Waits for a program's end, and reads what it writes until then. What it started may still hold its output
/// open: that is waited for but shortly.
async fn told(child: &mut Child, hear: Option<&mut dyn FnMut(&str)>) -> io::Result<ExitStatus> {
    let (Some(output), Some(hear)) = (child.stdout.take(), hear) else { return child.wait().await };
    let mut read = pin!(async {
        let mut lines = BufReader::new(output).split(b'\n');
        while let Some(line) = lines.next_segment().await? {
            hear(&String::from_utf8_lossy(&line));
        }
        io::Result::Ok(())
    });
    tokio::select! {
        biased;
        ended = &mut read => {
            ended?;
            child.wait().await
        }
        status = child.wait() => {
            if let Ok(ended) = timeout(LAST_WORDS, read).await {
                ended?;
            }
            status
        }
    }
}

/// Kills a program and all of its group.
async fn end(child: &mut Child) {
    if let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) {
        // It may have ended by itself at this moment.
        let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
    }
    let _ = child.wait().await;
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "these tests look at what the system says of processes")]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    #[test]
    fn the_status_comes_back() {
        let here = Path::new(".");
        assert!(run(here, &["true"], LIMIT).unwrap().status.success());
        assert!(!run(here, &["false"], LIMIT).unwrap().status.success());
        assert!(matches!(run(here, &["no-such-program-anywhere"], LIMIT), Err(RunError::Start { .. })));
        assert!(matches!(run(here, &[], LIMIT), Err(RunError::Start { .. })));
    }

    #[test]
    fn what_is_written_is_heard_line_by_line() {
        let mut lines = Vec::new();
        let script = "echo one; printf 'two\\377\\nthree'; exit 3";
        let ran =
            heard(Path::new("."), &["sh", "-c", script], LIMIT, &mut |line| lines.push(line.to_owned()))
                .unwrap();
        assert_eq!((ran.status.code(), lines.join("|")), (Some(3), "one|two\u{fffd}|three".to_owned()));
    }

    #[test]
    fn who_lives_on_and_holds_the_output_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let mut lines = Vec::new();
        let script = "sleep 60 & echo $!; exit 0";
        let ran = heard(folder.path(), &["sh", "-c", script], LIMIT, &mut |line| lines.push(line.to_owned()));
        assert!(ran.unwrap().status.success());
        let _ = nix::sys::signal::kill(Pid::from_raw(lines[0].parse().unwrap()), Signal::SIGKILL);
    }

    #[test]
    fn what_takes_too_long_is_killed_with_all_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let script = "sleep 60 & echo $! > started; wait";
        let error = run(folder.path(), &["sh", "-c", script], Duration::from_secs(3)).unwrap_err();
        assert!(matches!(error, RunError::TooLong { .. }), "{error}");
        let id = std::fs::read_to_string(folder.path().join("started")).unwrap();
        // Gone, or dead and waiting for the system to notice; death takes a moment.
        let stat = || std::fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
        let lives = |stat: &str| !(stat.is_empty() || stat.contains(") Z ") || stat.contains(") X "));
        let begun = Instant::now();
        while lives(&stat()) && begun.elapsed() < LIMIT {
            std::thread::yield_now();
        }
        assert!(!lives(&stat()), "it lives on: {}", stat());
    }
}
