//! Secrets and configs as files: kept in memory on this machine, and mounted read-only into one container.

use std::path::PathBuf;

use bollard::models::ImageConfig;
use bollard::query_parameters::DownloadFromContainerOptionsBuilder;
use futures_util::StreamExt;
use nix::unistd::{Gid, Uid};
use seaworthy_project::ProjectName;

use crate::docker::client::{Client, refused};
use crate::docker::options::DockerOptions;
use crate::{EngineError, InstanceId, Revision, system};

/// The permissions when the file does not say any: its owner alone reads it.
const DEFAULT_MODE: u32 = 0o400;
/// What lets everybody read; the folder above keeps everybody else out.
const READ_BY_ALL: u32 = 0o444;
/// The largest `/etc/passwd` or `/etc/group` that is read, with its archive around it.
const LARGEST_LIST: usize = 1 << 20;

/// The folder of an instance's files.
pub(super) fn folder(options: &DockerOptions, project: &ProjectName, id: &InstanceId) -> PathBuf {
    project_folder(options, project).join(id.to_string())
}

/// The folder of a project's files.
pub(super) fn project_folder(options: &DockerOptions, project: &ProjectName) -> PathBuf {
    options.runtime.join("docker").join(project.as_str())
}

/// Writes the granted files for this user alone, and says where they are and where they are expected.
pub(super) fn write(
    options: &DockerOptions,
    revision: &Revision,
    id: &InstanceId,
) -> Result<Vec<(PathBuf, String)>, EngineError> {
    if revision.files.is_empty() {
        return Ok(Vec::new());
    }
    if !options.place.is_here() {
        return Err(EngineError::NotRunnable {
            service: id.service.to_string(),
            reason: "is granted secrets or configs as files, and the engine is on another machine".to_owned(),
            hint: "run seaworthy on that machine, next to the engine".to_owned(),
            span: Some(revision.service.name.span),
        });
    }
    let folder = folder(options, &revision.project, id);
    system::private_folder(&folder)?;
    let mut places = Vec::new();
    for (number, file) in revision.files.iter().enumerate() {
        let place = folder.join(number.to_string());
        let written = system::write_whole(&place, file.contents.reveal().as_bytes(), DEFAULT_MODE);
        system::attempt(written, || format!("write the file for `{}`", file.target))?;
        places.push((place, file.target.clone()));
    }
    Ok(places)
}

/// Gives the files to the user that the container runs as, or to whom the project says.
pub(super) async fn give(
    client: &Client,
    revision: &Revision,
    container: &str,
    image: Option<&ImageConfig>,
    places: &[(PathBuf, String)],
) -> Result<(), EngineError> {
    if places.is_empty() {
        return Ok(());
    }
    let said = revision.service.user.as_ref().map(|user| user.value.clone());
    let user = said.or_else(|| image.and_then(|image| image.user.clone())).unwrap_or_default();
    let owner = owner(client, container, &user).await?;
    let may_give = nix::unistd::geteuid().is_root();
    for (file, (place, target)) in revision.files.iter().zip(places) {
        let mode = file.mode.unwrap_or(DEFAULT_MODE);
        let (uid, gid) = (file.uid.unwrap_or(owner.0), file.gid.unwrap_or(owner.1));
        let done = if may_give {
            let given = nix::unistd::chown(place, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
            given.map_err(std::io::Error::from).and_then(|()| system::set_mode(place, mode))
        } else {
            system::set_mode(place, mode | READ_BY_ALL)
        };
        system::attempt(done, || format!("give the file for `{target}` to user {uid}"))?;
    }
    Ok(())
}

/// The numbers of the user and group that a container runs as. Names are looked up inside the container.
pub(super) async fn owner(client: &Client, container: &str, user: &str) -> Result<(u32, u32), EngineError> {
    let (user, group) = user.split_once(':').unwrap_or((user, ""));
    if user.is_empty() {
        return Ok((0, group.parse().unwrap_or(0)));
    }
    let by_number = user.parse::<u32>().ok();
    if let (Some(uid), Ok(gid)) = (by_number, group.parse::<u32>()) {
        return Ok((uid, gid));
    }
    let users = list(client, container, "/etc/passwd").await?;
    let groups = if group.is_empty() || group.parse::<u32>().is_ok() {
        String::new()
    } else {
        list(client, container, "/etc/group").await?
    };
    let line = lines(&users).find(|fields| fields.first() == Some(&user) || fields.get(2) == Some(&user));
    let number = |line: Option<&Vec<&str>>, index: usize| line.and_then(|line| line.get(index)?.parse().ok());
    let uid = by_number.or_else(|| number(line.as_ref(), 2)).unwrap_or(0);
    let named = lines(&groups).find(|fields| fields.first() == Some(&group));
    let gid = group.parse().ok().or_else(|| number(named.as_ref(), 2)).or_else(|| number(line.as_ref(), 3));
    Ok((uid, gid.unwrap_or(0)))
}

fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().map(|line| line.split(':').collect())
}

/// A text file inside a container that need not run; empty when it is not there.
async fn list(client: &Client, container: &str, path: &str) -> Result<String, EngineError> {
    let options = DownloadFromContainerOptionsBuilder::new().path(path).build();
    let mut archive = client.api.download_from_container(container, Some(options));
    let mut bytes = Vec::new();
    while let Some(part) = archive.next().await {
        match part {
            Ok(part) if bytes.len() + part.len() <= LARGEST_LIST => bytes.extend_from_slice(&part),
            Ok(_) => break,
            Err(error) if super::client::is_status(&error, 404) => return Ok(String::new()),
            Err(error) => return Err(refused(format!("read `{path}` in the container"))(error)),
        }
    }
    Ok(super::archive::first_text(&bytes))
}
