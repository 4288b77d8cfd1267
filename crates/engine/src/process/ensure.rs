//! Making an instance exist and run, and running a job to its end.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::process::folder::{Folders, Made, Now};
use crate::process::ports::Table;
use crate::process::spec::Spec;
use crate::process::{ProcessOptions, artifacts, observe, stop};
use crate::{
    EngineError, Exit, Instance, InstanceId, InstanceKind, InstanceState, Revision, Slot, ports_of, system,
};

/// How long a shim may take to start its program.
const START: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);
/// Between two looks at a job, which may run for long.
const JOB_LOOK: Duration = Duration::from_millis(50);

/// Makes the instance in a slot exist and run.
pub(super) async fn instance(
    options: &ProcessOptions,
    folders: &Folders,
    revision: &Revision,
    slot: Slot,
) -> Result<Instance, EngineError> {
    let id = InstanceId { service: revision.service.name.value.clone(), revision: revision.id.clone(), slot };
    let folder = folders.instance(&revision.project, &id);
    if let Some(there) = observe::instance(&folder)?
        && matches!(there.state, InstanceState::Created | InstanceState::Running | InstanceState::Waiting)
    {
        return Ok(there);
    }
    if !artifacts::path(folders, &revision.project, &revision.artifact).is_file() {
        artifacts::keep(folders, revision, &options.search_path)?;
    }
    let made = made(folders, revision, &folder, id).await?;
    let spec = Spec::of(options, folders, revision, &made)?;
    spec.keep(&folder, &options.key)?;
    stop::forget(&folder)?;
    start(options, &folder, &spec)?;
    wait_for_start(&folder, &made).await
}

/// Runs a job to its end, or to the deadline.
pub(super) async fn job(
    options: &ProcessOptions,
    folders: &Folders,
    revision: &Revision,
    deadline: Duration,
) -> Result<Exit, EngineError> {
    let Some(slot) = Slot::first(1).next() else { return Err(none(revision)) };
    let until = Instant::now() + deadline;
    let instance = instance(options, folders, revision, slot).await?;
    let folder = folders.instance(&revision.project, &instance.id);
    loop {
        match observe::instance(&folder)? {
            Some(Instance { state: InstanceState::Exited, exit: Some(exit), .. }) => return Ok(exit),
            Some(Instance { state: InstanceState::Lost, .. }) | None => {
                let at = system::now();
                return Ok(Exit { code: 137, signal: Some(9), out_of_memory: false, timed_out: false, at });
            }
            Some(_) if Instant::now() >= until => {
                stop::end(&folder).await?;
                let exit = observe::instance(&folder)?.and_then(|instance| instance.exit);
                let exit = exit.ok_or_else(|| none(revision))?;
                return Ok(Exit { timed_out: true, ..exit });
            }
            Some(_) => sleep(JOB_LOOK).await,
        }
    }
}

/// The facts of the instance: those it had, or new ones with ports of its own.
async fn made(
    folders: &Folders,
    revision: &Revision,
    folder: &Path,
    id: InstanceId,
) -> Result<Made, EngineError> {
    if let Some(made) = Made::read(folder)? {
        return Ok(made);
    }
    let ports = match revision.kind {
        InstanceKind::Replica => ports_of(&revision.service),
        InstanceKind::Job => Vec::new(),
    };
    let mut table = Table::open(folders).await?;
    let mut addresses = Vec::new();
    for port in ports {
        addresses.push((port, table.choose()?));
    }
    let made = Made {
        version: Made::version(),
        id,
        release: revision.release,
        kind: revision.kind,
        addresses,
        created_at: system::now(),
        artifact: revision.artifact.digest.clone(),
        grace_s: revision.service.stop_grace().as_secs_f64(),
    };
    system::private_folder(folder)?;
    made.write(folder)?;
    Ok(made)
}

/// Starts a shim and tells it over a pipe what to run: nothing of it is seen in its arguments.
fn start(options: &ProcessOptions, folder: &Path, spec: &Spec) -> Result<(), EngineError> {
    let attempt = || format!("start the shim of {}", spec.name);
    let shim = Command::new(&options.program.path)
        .args(&options.program.arguments)
        .arg(folder)
        .current_dir("/")
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut shim = system::attempt(shim, attempt)?;
    let text = zeroize::Zeroizing::new(serde_json::to_vec(spec).unwrap_or_default());
    if let Some(mut pipe) = shim.stdin.take() {
        system::attempt(pipe.write_all(&text), attempt)?;
    }
    // Reaped by a thread of its own, so that a shim that ends while this process lives leaves no trace.
    std::thread::spawn(move || shim.wait());
    Ok(())
}

async fn wait_for_start(folder: &Path, made: &Made) -> Result<Instance, EngineError> {
    let until = Instant::now() + START;
    loop {
        let now = Now::read(folder)?;
        if let Some(trouble) = now.as_ref().and_then(|now| now.trouble.clone()) {
            let cause = std::io::Error::other(trouble);
            return Err(EngineError::System { attempt: format!("start the program of {}", made.id), cause });
        }
        if now.is_some_and(|now| now.state != InstanceState::Created)
            && let Some(instance) = observe::instance(folder)?
        {
            return Ok(instance);
        }
        if Instant::now() >= until {
            let cause = std::io::ErrorKind::TimedOut.into();
            return Err(EngineError::System {
                attempt: format!("start {} within {START:?}", made.id),
                cause,
            });
        }
        sleep(LOOK).await;
    }
}

fn none(revision: &Revision) -> EngineError {
    EngineError::NoInstance { instance: revision.service.name.value.to_string() }
}
