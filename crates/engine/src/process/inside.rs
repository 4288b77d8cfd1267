//! What an instance finds inside: its variables, its files, and its volumes where they really are.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use nix::unistd::{Gid, Uid};
use seaworthy_project::model::mount::MountKind;

use crate::process::ProcessOptions;
use crate::process::folder::{Folders, MARK, Made};
use crate::process::spec::User;
use crate::{EngineError, Revision, system};

/// Where the paths that a service expects really are.
pub(super) struct Inside {
    places: Vec<(String, PathBuf)>,
}

impl Inside {
    /// Writes the granted files, and knows where volumes and files are.
    pub(super) fn make(
        folders: &Folders,
        revision: &Revision,
        made: &Made,
        user: Option<&User>,
    ) -> Result<Self, EngineError> {
        let mut places = Vec::new();
        for mount in revision.service.mounts.iter().map(|mount| &mount.value) {
            let source = mount.source.as_deref().unwrap_or_default();
            let place = match mount.kind {
                MountKind::Bind => PathBuf::from(source),
                MountKind::Volume => {
                    match revision.volumes.iter().find(|volume| volume.key.value == source) {
                        Some(volume) => folders.volume(&volume.name)?,
                        None => own_folder(folders, revision, made, &mount.target),
                    }
                }
                MountKind::Tmpfs => own_folder(folders, revision, made, &mount.target),
                MountKind::Other => continue,
            };
            if mount.kind != MountKind::Bind {
                have(&place)?;
                give(folders, &place, user)?;
            }
            places.push((mount.target.trim_end_matches('/').to_owned(), place));
        }
        let folder = folders.files(&revision.project, &made.id);
        for (number, file) in revision.files.iter().enumerate() {
            have(&folder)?;
            give(folders, &folder, user)?;
            let place = folder.join(number.to_string());
            let written =
                system::write_whole(&place, file.contents.reveal().as_bytes(), file.mode.unwrap_or(0o400));
            system::attempt(written, || format!("write the file for `{}`", file.target))?;
            give(folders, &place, user)?;
            places.push((file.target.clone(), place));
        }
        // The longest target first, so that a file inside a volume is found before the volume.
        places.sort_by_key(|(target, _)| std::cmp::Reverse(target.len()));
        Ok(Self { places })
    }

    /// A value or an argument with the paths that really are.
    pub(super) fn real(&self, text: &str) -> String {
        let place = self.places.iter().find_map(|(target, place)| {
            let rest = text.strip_prefix(target.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| format!("{}{rest}", place.display()))
        });
        place.unwrap_or_else(|| text.to_owned())
    }

    /// The variables of the instance: the service's own, and the few that every program may count on. `other_user`
    /// has no home here.
    pub(super) fn variables(
        &self,
        options: &ProcessOptions,
        revision: &Revision,
        made: &Made,
        other_user: bool,
    ) -> IndexMap<String, String> {
        let mut variables = IndexMap::from([("PATH".to_owned(), options.search_path.clone())]);
        if let Some(home) = options.home.as_ref().filter(|_| !other_user) {
            variables.insert("HOME".to_owned(), home.display().to_string());
        }
        for (name, value) in &revision.service.environment {
            if let Some(value) = &value.value {
                variables.insert(name.clone(), self.real(value.reveal()));
            }
        }
        if let Some((_, address)) = made.addresses.first() {
            variables.insert("PORT".to_owned(), address.port().to_string());
        }
        variables.insert("SEAWORTHY_SERVICE".to_owned(), made.id.service.to_string());
        variables.insert("SEAWORTHY_INSTANCE".to_owned(), made.id.to_string());
        variables.insert("SEAWORTHY_RELEASE".to_owned(), made.release.to_string());
        variables.insert(MARK.to_owned(), made.mark.clone());
        variables
    }
}

/// A folder of the instance alone, for what need not outlive it.
fn own_folder(folders: &Folders, revision: &Revision, made: &Made, target: &str) -> PathBuf {
    let name: String = target.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    folders.instance(&revision.project, &made.id).join("own").join(name)
}

/// Makes a folder unless it is there; one that was given away before is not looked at again.
pub(super) fn have(place: &Path) -> Result<(), EngineError> {
    if place.is_dir() { Ok(()) } else { system::private_folder(place) }
}

/// Lets the instance's user have it, and pass through the folders above that are ours.
pub(super) fn give(folders: &Folders, place: &Path, user: Option<&User>) -> Result<(), EngineError> {
    let Some(user) = user else { return Ok(()) };
    let given = nix::unistd::chown(place, Some(Uid::from_raw(user.uid)), Some(Gid::from_raw(user.gid)));
    system::attempt(given.map_err(Into::into), || {
        format!("give `{}` to user {}", place.display(), user.uid)
    })?;
    let_through(folders, place)
}

/// Lets every user pass through the folders of this engine above a place; what is in them stays hidden.
pub(super) fn let_through(folders: &Folders, place: &Path) -> Result<(), EngineError> {
    const PASS: u32 = 0o011;
    for folder in place.ancestors().skip(1).filter(|folder| folders.is_ours(folder)) {
        let passed = system::add_mode(folder, PASS);
        system::attempt(passed, || format!("let the instance's user pass through `{}`", folder.display()))?;
    }
    Ok(())
}
