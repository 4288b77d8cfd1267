//! Stopping an instance and removing what is left of it.

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use seaworthy_project::ProjectName;
use tokio::time::{Instant, sleep};

use crate::process::folder::{Folders, MARK, Made, Now};
use crate::process::limits::remove_groups;
use crate::process::who::{Who, with_variable};
use crate::{EngineError, InstanceId, system};

/// What a shim may take on top of its instance's grace.
pub(super) const MARGIN: Duration = Duration::from_secs(5);
/// How long a killed process may take to be gone.
const GONE: Duration = Duration::from_secs(5);
/// How long another command may hold an instance: the longest grace that people give is far below.
const PATIENCE: Duration = Duration::from_mins(10);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// Stops an instance and removes all of it.
pub(super) async fn remove(
    folders: &Folders,
    project: &ProjectName,
    id: &InstanceId,
) -> Result<(), EngineError> {
    if !folders.project(project).is_dir() {
        return Ok(());
    }
    let lock = lock(folders, project, id).await?;
    let folder = folders.instance(project, id);
    end(&folder).await?;
    if let Some(made) = Made::read(&folder)? {
        remove_groups(&made.group()).await;
    }
    for gone in [folders.files(project, id), folder] {
        system::attempt(system::remove_tree(&gone), || format!("remove `{}`", gone.display()))?;
    }
    lock.delete();
    Ok(())
}

/// Waits until no other command makes or removes this instance, and keeps others from it until the lock is dropped.
pub(super) async fn lock(
    folders: &Folders,
    project: &ProjectName,
    id: &InstanceId,
) -> Result<system::Lock, EngineError> {
    system::private_folder(&folders.project(project))?;
    let path = folders.instance_lock(project, id);
    let until = Instant::now() + PATIENCE;
    loop {
        let attempt = || format!("wait for another command to be done with {id}");
        if let Some(lock) = system::attempt(system::Lock::take(&path), attempt)? {
            return Ok(lock);
        }
        if Instant::now() >= until {
            return Err(EngineError::System {
                attempt: attempt(),
                cause: std::io::ErrorKind::TimedOut.into(),
            });
        }
        sleep(LOOK).await;
    }
}

/// Stops an instance: its shim is asked, and killed when it takes too long; then whatever is left is killed too.
pub(super) async fn end(folder: &Path) -> Result<(), EngineError> {
    let Some(made) = Made::read(folder)? else { return Ok(()) };
    if let Some(now) = Now::read(folder)? {
        signal(&now.shim, Signal::SIGTERM);
        if !gone(&now.shim, Duration::from_secs_f64(made.grace_s) + MARGIN).await {
            signal(&now.shim, Signal::SIGKILL);
            gone(&now.shim, GONE).await;
        }
    }
    sweep(&made).await
}

/// Kills every process that belongs to an instance and that no shim holds any more: those that a killed shim left
/// behind, and a shim whose starter was killed before it could say that it is there.
pub(super) async fn sweep(made: &Made) -> Result<(), EngineError> {
    let until = Instant::now() + GONE;
    loop {
        let left = with_variable(MARK, &made.mark);
        let Some(first) = left.first() else { return Ok(()) };
        for process in left.iter().filter_map(|process| i32::try_from(*process).ok()) {
            let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
        }
        if Instant::now() >= until {
            let attempt = format!("end process {first} of {}", made.id);
            return Err(EngineError::System { attempt, cause: std::io::ErrorKind::TimedOut.into() });
        }
        sleep(LOOK).await;
    }
}

/// Forgets how an ended instance was, so that what a new shim says is not mistaken for it.
pub(super) fn forget(folder: &Path) -> Result<(), EngineError> {
    let path = folder.join("state.json");
    system::attempt(system::remove_tree(&path), || format!("remove `{}`", path.display()))
}

fn signal(who: &Who, signal: Signal) {
    if who.runs()
        && let Ok(process) = i32::try_from(who.process)
    {
        // It may end between the look and the signal; its number is not given away so soon.
        let _ = kill(Pid::from_raw(process), signal);
    }
}

async fn gone(who: &Who, limit: Duration) -> bool {
    let until = Instant::now() + limit;
    while who.runs() {
        if Instant::now() >= until {
            return false;
        }
        sleep(LOOK).await;
    }
    true
}
