//! What holds for a plain process: what its shim was told, and what the kernel says of it.

use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use sha2::{Digest, Sha256};

use crate::facts::{Facts, Seen, SeenFile, SeenUser};
use crate::kernel::Kernel;
use crate::process::folder::{Folders, Made};
use crate::process::limits::Limits;
use crate::process::restart::RestartPolicy;
use crate::process::spec::Spec;
use crate::process::{ProcessOptions, artifacts, observe};
use crate::{EngineError, InstanceId, InstanceState, Revision, restart_of, system};

/// The largest program that is read again to see that it is the pinned one.
const LARGEST_PROGRAM: u64 = 2 << 30;
/// Shorter contents of a granted file may stand anywhere by chance.
const SHORTEST: usize = 6;

/// Looks at an instance. `revision` says where to look, never what to find.
pub(super) fn of(
    options: &ProcessOptions,
    folders: &Folders,
    revision: &Revision,
    id: &InstanceId,
) -> Result<Facts, EngineError> {
    let folder = folders.instance(&revision.project, id);
    let missing = || EngineError::NoInstance { instance: id.to_string() };
    let instance = observe::instance(&folder)?.ok_or_else(missing)?;
    let Some(process) = instance.process.filter(|_| instance.state == InstanceState::Running) else {
        return Ok(Facts::unseen("it does not run"));
    };
    let made = Made::read(&folder)?.ok_or_else(missing)?;
    let spec = Spec::kept(&folder, &id.to_string(), &options.key)?;
    let kernel = Kernel::of(process);
    let promised = spec.user.map(|user| (user.uid, user.gid));
    let user = match (promised, &revision.service.user) {
        // Only root may start processes as somebody else: the losses say so.
        (None, Some(_)) => Seen::NotCarried,
        _ => kernel.user().map(|(uid, gid)| SeenUser { uid, gid, promised }),
    };
    let limited = kernel.is_in_group(&made.group());
    Ok(Facts {
        artifact: artifact(folders, revision, &made),
        user,
        read_only_root: Seen::NotCarried,
        root_refuses: Seen::NotCarried,
        capabilities: Seen::NotCarried,
        no_new_privileges: kernel.no_new_privileges(),
        seccomp: Seen::NotCarried,
        apparmor: Seen::NotCarried,
        memory_bytes: Limits::memory_of(process, &made.group()),
        cpu_millis: if limited { kernel.cpu_millis() } else { Seen::Is(None) },
        pids: if limited { kernel.pids() } else { Seen::Is(None) },
        ulimits: Seen::NotCarried,
        published: Seen::Is(Vec::new()),
        files: files(folders, revision, id),
        exposed: Seen::Is(exposed(revision, &spec, kernel)),
        restart: Seen::Is(restart(revision, &spec)),
        networks: Seen::NotCarried,
        mounts: Seen::NotCarried,
    })
}

/// The pin of the kept program, read again: a program that was changed where it is kept is not the pinned one.
fn artifact(folders: &Folders, revision: &Revision, made: &Made) -> Seen<String> {
    if made.artifact != revision.artifact.digest {
        return Seen::Is(made.artifact.clone());
    }
    let path = artifacts::path(folders, &revision.project, &revision.artifact);
    match system::read(&path, LARGEST_PROGRAM) {
        Ok(Some(bytes)) => Seen::Is(format!("sha256:{}", system::hexadecimal(&Sha256::digest(&bytes)))),
        Ok(None) => Seen::Unseen("the kept program is gone".to_owned()),
        Err(error) => Seen::Unseen(format!("the kept program cannot be read: {error}")),
    }
}

/// In the words of the file, where both come to the same: plain processes know no `unless-stopped`.
fn restart(revision: &Revision, spec: &Spec) -> String {
    if spec.restart == RestartPolicy::of(&revision.service) {
        return restart_of(&revision.service);
    }
    spec.restart.told()
}

/// The granted files where they really are, in the order they were granted.
fn files(folders: &Folders, revision: &Revision, id: &InstanceId) -> Seen<Vec<SeenFile>> {
    use std::os::unix::fs::MetadataExt;
    let folder = folders.files(&revision.project, id);
    let look = |(number, file): (usize, &crate::GrantedFile)| {
        let path = folder.join(number.to_string());
        let facts = path.metadata().ok()?;
        let in_memory = statfs(&path).is_ok_and(|system| system.filesystem_type() == TMPFS_MAGIC);
        Some(SeenFile {
            target: file.target.clone(),
            mode: facts.mode() & 0o7777,
            uid: facts.uid(),
            gid: facts.gid(),
            in_memory,
        })
    };
    Seen::Is(revision.files.iter().enumerate().filter_map(look).collect())
}

fn exposed(revision: &Revision, spec: &Spec, kernel: Kernel) -> Vec<String> {
    let mut places = Vec::new();
    for file in &revision.files {
        let contents = file.contents.reveal().trim();
        if contents.len() < SHORTEST {
            continue;
        }
        let named = spec.variables.iter().filter(|(_, value)| value.contains(contents));
        places.extend(named.map(|(name, _)| format!("variable {name}")));
        if kernel.arguments_hold(contents) {
            places.push("arguments".to_owned());
        }
    }
    places.sort();
    places.dedup();
    places
}
