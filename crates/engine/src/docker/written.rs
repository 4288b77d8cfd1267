//! What a container wrote into its own root, as the daemon tells it.

use bollard::models::ChangeType;
use bollard::query_parameters::ContainerArchiveInfoOptionsBuilder;
use seaworthy_project::ProjectName;

use crate::docker::client::{Client, is_status, refused};
use crate::docker::observe;
use crate::{EngineError, InstanceId, Written};

/// So many paths are told; a container that writes more is not made read-only path by path.
const MOST_PATHS: usize = 2000;
/// The bit by which Go, and so the daemon, marks a folder.
const FOLDER: u32 = 1 << 31;

/// The paths that an instance wrote, sorted.
pub(super) async fn by(
    client: &Client,
    project: &ProjectName,
    id: &InstanceId,
) -> Result<Vec<Written>, EngineError> {
    let found = observe::find(client, project, id).await?;
    let found = found.ok_or_else(|| EngineError::NoInstance { instance: id.to_string() })?;
    let changes = client.api.container_changes(&found.id).await;
    let mut changes = changes.map_err(refused(format!("ask what {id} wrote")))?.unwrap_or_default();
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes.truncate(MOST_PATHS);
    let mut written = Vec::new();
    for (index, change) in changes.iter().enumerate() {
        // What has something below it is a folder; only of the others the daemon must be asked.
        let below = format!("{}/", change.path);
        let holds = changes[index + 1..].iter().any(|next| next.path.starts_with(&below));
        let is_folder = match change.kind {
            ChangeType::_2 => false,
            _ => holds || is_folder(client, &found.id, &change.path).await?,
        };
        written.push(Written { path: change.path.clone(), is_new: change.kind == ChangeType::_1, is_folder });
    }
    Ok(written)
}

async fn is_folder(client: &Client, container: &str, path: &str) -> Result<bool, EngineError> {
    let options = ContainerArchiveInfoOptionsBuilder::new().path(path).build();
    match client.api.get_container_archive_info(container, Some(options)).await {
        Ok(seen) => Ok(seen.file_mode & FOLDER != 0),
        // It went in between, or lies where the daemon does not look.
        Err(error) if is_status(&error, 404) => Ok(false),
        Err(error) => Err(refused(format!("look at `{path}` in the container"))(error)),
    }
}
