//! Volumes: folders that outlive the instances which use them, and which project each was made for.

use std::path::Path;

use seaworthy_project::ProjectName;
use seaworthy_project::model::resource::Volume;

use crate::process::folder::Folders;
use crate::process::inside;
use crate::{EngineError, Revision, system};

/// Makes the volumes of a revision and notes that its project has them.
pub(super) fn make(folders: &Folders, revision: &Revision) -> Result<(), EngineError> {
    for volume in &revision.volumes {
        let folder = folders.volume(&volume.name)?;
        if volume.external {
            there(revision, volume, &folder)?;
            continue;
        }
        // The claim comes first: a volume without one would never be removed.
        let claims = folders.claims(&revision.project);
        system::private_folder(&claims)?;
        let claim = claims.join(&volume.name);
        let attempt = || format!("write `{}`", claim.display());
        system::attempt(system::append(&claim, 0o600), attempt)?;
        inside::have(&folder)?;
    }
    Ok(())
}

/// The names of the volumes made for a project.
pub(super) fn of(folders: &Folders, project: &ProjectName) -> Result<Vec<String>, EngineError> {
    let names = system::names(&folders.claims(project));
    let names = system::attempt(names, || format!("list the volumes of `{project}`"))?;
    Ok(names.into_iter().filter(|name| folders.volume(name).is_ok_and(|folder| folder.is_dir())).collect())
}

/// Removes the volumes of a project; one that another project uses too stays, and is that one's from now on.
pub(super) fn remove(folders: &Folders, project: &ProjectName) -> Result<(), EngineError> {
    for name in of(folders, project)? {
        let owners = system::names(&folders.all_claims());
        let owners = system::attempt(owners, || "list the owners of volumes".to_owned())?;
        let shared = owners
            .iter()
            .filter(|owner| owner.as_str() != project.as_str())
            .any(|owner| folders.all_claims().join(owner).join(&name).exists());
        if !shared {
            delete(&folders.volume(&name)?)?;
        }
    }
    delete(&folders.claims(project))
}

fn delete(path: &Path) -> Result<(), EngineError> {
    system::attempt(system::remove_tree(path), || format!("remove `{}`", path.display()))
}

/// An external volume is somebody else's: it must be there already.
fn there(revision: &Revision, volume: &Volume, folder: &Path) -> Result<(), EngineError> {
    if folder.is_dir() {
        return Ok(());
    }
    Err(EngineError::NotRunnable {
        service: revision.service.name.value.to_string(),
        reason: format!("uses the external volume `{}`, which is not there", volume.name),
        hint: format!("create the folder `{}`, or leave out `external: true`", folder.display()),
        span: Some(volume.key.span),
    })
}
