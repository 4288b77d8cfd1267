//! What a run without hardening tells: who a service becomes, and where it writes.

use std::collections::BTreeSet;

use seaworthy_catalog::lookup;
use seaworthy_engine::{Engine, ImageOrigin, Seen, Written};
use seaworthy_project::Service;
use seaworthy_project::model::mount::MountKind;

use super::ProveError;
use super::search::Clues;
use super::world::Standing;

/// Folders that the kernel and the engine write themselves.
const NOT_OF_THE_ROOT: [&str; 4] = ["/", "/dev", "/proc", "/sys"];

/// Folders in which names are made up anew each time.
const TEMPORARY: [&str; 2] = ["/tmp", "/var/tmp"];

/// Looks at an instance that is healthy as it is.
pub(super) async fn of(
    engine: &dyn Engine,
    standing: &Standing,
    service: &Service,
    origin: &ImageOrigin,
) -> Result<Clues, ProveError> {
    let mut clues = Clues::default();
    let project = &standing.revision.project;
    if let Some(written) = engine.written(project, &standing.instance).await? {
        let mounted: Vec<&str> = service
            .mounts
            .iter()
            .map(|mount| mount.value.target.as_str())
            .chain(standing.revision.files.iter().map(|file| file.target.as_str()))
            .collect();
        (clues.new_folders, clues.old_folders) = folders(&written, &mounted);
    }
    let image = service.image.as_ref().and_then(|image| lookup(&image.value));
    if let Some(known) = image.and_then(|image| image.hardening.as_ref()) {
        let mounted = |folder: &&String| !service.mounts.iter().any(|mount| mount.value.target == **folder);
        clues.known_folders = known.writable.iter().flatten().filter(mounted).cloned().collect();
        clues.known_capabilities = known.capabilities.iter().flatten().cloned().collect();
    }
    clues.given =
        service.cap_add.iter().map(|given| plain(&given.value)).filter(|given| given != "ALL").collect();
    // Folders of this machine may belong to anybody; only the image's own user may write to what it made itself.
    let binds =
        service.mounts.iter().any(|mount| mount.value.kind == MountKind::Bind && !mount.value.read_only);
    let named = origin.user.as_deref().is_some_and(|user| !["0", "root", "0:0", "root:root"].contains(&user));
    // A stand-in numbers its users as it likes: what is written by its numbers would belong to nobody in the real image.
    if service.user.is_none() && !named && !binds && !origin.stands_in {
        let facts = engine.facts(&standing.revision, &standing.instance).await?;
        clues.user = match facts.user {
            Seen::Is(user) if user.uid != 0 => Some(format!("{}:{}", user.uid, user.gid)),
            _ => None,
        };
    }
    Ok(clues)
}

/// `cap_chown` as `CHOWN`.
fn plain(capability: &str) -> String {
    let upper = capability.to_ascii_uppercase();
    upper.strip_prefix("CAP_").unwrap_or(&upper).to_owned()
}

/// The folders that were written to: those that were not there before, each at its top, and the others.
fn folders(written: &[Written], mounted: &[&str]) -> (BTreeSet<String>, BTreeSet<String>) {
    let is_new = |path: &str| written.iter().any(|one| one.is_new && one.path == path);
    let (mut new, mut old) = (BTreeSet::new(), BTreeSet::new());
    for (index, one) in written.iter().enumerate() {
        let below = format!("{}/", one.path);
        let holds = written[index + 1..].iter().any(|next| next.path.starts_with(&below));
        let leads = mounted.iter().any(|target| *target == one.path || target.starts_with(&below));
        if holds || leads {
            continue;
        }
        let mut folder = if one.is_folder { one.path.as_str() } else { parent(&one.path) };
        while is_new(folder) && (is_new(parent(folder)) || TEMPORARY.contains(&parent(folder))) {
            folder = parent(folder);
        }
        let within =
            mounted.iter().any(|target| folder == *target || folder.starts_with(&format!("{target}/")));
        let kernel = NOT_OF_THE_ROOT.contains(&folder) || folder.starts_with("/dev/");
        if !within && !kernel {
            if is_new(folder) { &mut new } else { &mut old }.insert(folder.to_owned());
        }
    }
    (new, old)
}

fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(path: &str, is_new: bool, is_folder: bool) -> Written {
        Written { path: path.to_owned(), is_new, is_folder }
    }

    #[test]
    fn folders_are_told_from_what_was_written() {
        let all = [
            written("/etc", false, true),
            written("/etc/app.conf", false, false),
            written("/run", false, true),
            written("/run/app", true, true),
            written("/run/app/deep", true, true),
            written("/run/app/deep/app.pid", true, false),
            written("/run/secrets", true, true),
            written("/run/secrets/token", true, false),
            written("/tmp", false, true),
            written("/tmp/pool-x7f3", true, true),
            written("/var", false, true),
            written("/var/data", true, true),
        ];
        let (new, old) = folders(&all, &["/run/secrets/token", "/var/data"]);
        assert_eq!(new.into_iter().collect::<Vec<_>>(), ["/run/app"]);
        assert_eq!(old.into_iter().collect::<Vec<_>>(), ["/etc", "/tmp"]);
    }
}
