//! Making an instance exist and run, and running a job to its end.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::process::folder::{Folders, MARK, Made, Now};
use crate::process::limits::remove_groups;
use crate::process::ports::{self, Table};
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
    let _lock = stop::lock(folders, &revision.project, &id).await?;
    let folder = folders.instance(&revision.project, &id);
    match Made::read(&folder)? {
        Some(made) if held(&folder)? => wait_for_start(&folder, &made).await,
        made => begin(options, folders, revision, id, made, None).await,
    }
}

/// Runs a job to its end, or to the deadline, which its shim keeps even when this command is killed. A job that runs
/// is waited for; one that ended well for this release is not run again.
pub(super) async fn job(
    options: &ProcessOptions,
    folders: &Folders,
    revision: &Revision,
    deadline: Duration,
) -> Result<Exit, EngineError> {
    let Some(slot) = Slot::first(1).next() else { return Err(none(revision)) };
    let id = InstanceId { service: revision.service.name.value.clone(), revision: revision.id.clone(), slot };
    let folder = folders.instance(&revision.project, &id);
    let lock = stop::lock(folders, &revision.project, &id).await?;
    let made = Made::read(&folder)?;
    if !held(&folder)? {
        let before = observe::instance(&folder)?.filter(|before| before.release == revision.release);
        if let Some(exit) = before.and_then(|before| before.exit).filter(Exit::success) {
            return Ok(exit);
        }
        // What was made for another release is made anew, so that it says which one it ran for.
        let (made, old) = match made {
            Some(old) if old.release != revision.release => (None, Some(old)),
            made => (made, None),
        };
        if let Some(old) = old {
            stop::sweep(&old).await?;
            remove_groups(&old.group()).await;
        }
        begin(options, folders, revision, id, made, Some(deadline)).await?;
    }
    drop(lock);
    ended(&folder, deadline + revision.service.stop_grace() + stop::MARGIN).await
}

/// Waits until a job has ended; when its shim does not end it in time, it is ended here.
async fn ended(folder: &Path, limit: Duration) -> Result<Exit, EngineError> {
    let until = Instant::now() + limit;
    let killed = |timed_out| {
        let signal = nix::libc::SIGKILL;
        Exit { code: 128 + signal, signal: Some(signal), out_of_memory: false, timed_out, at: system::now() }
    };
    loop {
        match observe::instance(folder)? {
            Some(Instance { state: InstanceState::Exited, exit: Some(exit), .. }) => return Ok(exit),
            Some(Instance { state: InstanceState::Lost, .. }) | None => return Ok(killed(false)),
            Some(_) if Instant::now() >= until => {
                stop::end(folder).await?;
                return Ok(killed(true));
            }
            Some(_) => sleep(JOB_LOOK).await,
        }
    }
}

/// Whether a shim holds the instance in a folder.
fn held(folder: &Path) -> Result<bool, EngineError> {
    let now = Now::read(folder)?;
    Ok(now.is_some_and(|now| now.state != InstanceState::Exited && now.shim.runs()))
}

/// Starts an instance that nothing holds, with nothing left of an earlier run.
async fn begin(
    options: &ProcessOptions,
    folders: &Folders,
    revision: &Revision,
    id: InstanceId,
    made: Option<Made>,
    deadline: Option<Duration>,
) -> Result<Instance, EngineError> {
    let folder = folders.instance(&revision.project, &id);
    if !artifacts::path(folders, &revision.project, &revision.artifact).is_file() {
        artifacts::keep(folders, revision, &options.search_path)?;
    }
    let made = match made {
        Some(made) => made,
        None => make(folders, revision, &folder, id).await?,
    };
    stop::sweep(&made).await?;
    ports::still_free(&made)?;
    let spec = Spec::of(options, folders, revision, &made, deadline)?;
    spec.keep(&folder, &options.key)?;
    stop::forget(&folder)?;
    start(options, &folder, &spec, &made)?;
    wait_for_start(&folder, &made).await
}

/// Makes the facts of a new instance, with ports of its own.
async fn make(
    folders: &Folders,
    revision: &Revision,
    folder: &Path,
    id: InstanceId,
) -> Result<Made, EngineError> {
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
        mark: system::random_hexadecimal(),
    };
    system::private_folder(folder)?;
    made.write(folder)?;
    Ok(made)
}

/// Starts a shim and tells it over a pipe what to run: nothing of it is seen in its arguments.
fn start(options: &ProcessOptions, folder: &Path, spec: &Spec, made: &Made) -> Result<(), EngineError> {
    let attempt = || format!("start the shim of {}", spec.name);
    let shim = Command::new(&options.program.path)
        .args(&options.program.arguments)
        .arg(folder)
        .current_dir("/")
        .env_clear()
        .env(MARK, &made.mark)
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
