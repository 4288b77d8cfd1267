//! Stopping an instance and removing what is left of it.

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use seaworthy_project::ProjectName;
use tokio::time::{Instant, sleep};

use crate::process::folder::{Folders, Made, Now};
use crate::process::limits::remove_groups;
use crate::process::who::Who;
use crate::{EngineError, InstanceId, system};

/// What a shim may take on top of its instance's grace.
const MARGIN: Duration = Duration::from_secs(5);
/// How long a killed process may take to be gone.
const GONE: Duration = Duration::from_secs(5);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// Stops an instance and removes all of it.
pub(super) async fn remove(
    folders: &Folders,
    project: &ProjectName,
    id: &InstanceId,
) -> Result<(), EngineError> {
    let folder = folders.instance(project, id);
    end(&folder).await?;
    remove_groups(&id.to_string());
    for gone in [folders.files(project, id), folder] {
        system::attempt(system::remove_tree(&gone), || format!("remove `{}`", gone.display()))?;
    }
    Ok(())
}

/// Stops an instance: its shim is asked, and killed when it takes too long; the program dies with it.
pub(super) async fn end(folder: &Path) -> Result<(), EngineError> {
    let Some(now) = Now::read(folder)? else { return Ok(()) };
    let grace = Made::read(folder)?.map_or(0.0, |made| made.grace_s);
    signal(&now.shim, Signal::SIGTERM);
    if gone(&now.shim, Duration::from_secs_f64(grace) + MARGIN).await {
        return Ok(());
    }
    signal(&now.shim, Signal::SIGKILL);
    let program = Now::read(folder)?.and_then(|now| now.process);
    if let Some(program) = &program {
        signal(program, Signal::SIGKILL);
    }
    let program_gone = match &program {
        Some(program) => gone(program, GONE).await,
        None => true,
    };
    match gone(&now.shim, GONE).await && program_gone {
        true => Ok(()),
        false => Err(EngineError::System {
            attempt: format!("stop process {}", now.shim.process),
            cause: std::io::ErrorKind::TimedOut.into(),
        }),
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
