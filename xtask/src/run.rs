//! Runs a program where a person sees its output, within a limit of time.

use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

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
    let command = program.join(" ");
    let start = |source| RunError::Start { command: command.clone(), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(start)?;
    runtime.block_on(async {
        let (first, rest) = program.split_first().ok_or_else(|| start(io::ErrorKind::InvalidInput.into()))?;
        let begun = Instant::now();
        // A group of its own, so that what it starts can be ended with it.
        let mut child =
            Command::new(first).args(rest).current_dir(folder).process_group(0).spawn().map_err(start)?;
        let status = tokio::select! {
            waited = timeout(limit, child.wait()) => match waited {
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
