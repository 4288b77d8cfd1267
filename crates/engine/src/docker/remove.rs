//! Stopping and removing containers, and all that is left of a project.

use std::time::Duration;

use bollard::query_parameters::{RemoveContainerOptionsBuilder, StopContainerOptions};
use seaworthy_project::ProjectName;

use crate::docker::client::{Client, is_status, refused};
use crate::docker::observe::{self, Container};
use crate::docker::options::DockerOptions;
use crate::docker::{files, ingress, labels, locks, resources};
use crate::{EngineError, InstanceId, InstanceState, system};

/// The grace of a container that does not say.
const DEFAULT_GRACE: Duration = Duration::from_secs(10);

/// How long a container that we did not make may take to stop, however long it was given.
const LONGEST_GRACE: Duration = Duration::from_secs(300);

/// Stops an instance as the revision it was made from says, and removes it with its log and files.
pub(super) async fn instance(
    client: &Client,
    options: &DockerOptions,
    project: &ProjectName,
    id: &InstanceId,
) -> Result<(), EngineError> {
    let _lock = locks::instance(options, project, id).await?;
    if let Some(found) = observe::find(client, project, id).await? {
        container(client, &found).await?;
    }
    let folder = files::folder(options, project, id);
    system::attempt(system::remove_tree(&folder), || format!("remove `{}`", folder.display()))
}

/// Stops a container and removes it.
pub(super) async fn container(client: &Client, found: &Container) -> Result<(), EngineError> {
    if matches!(found.instance.state, InstanceState::Running | InstanceState::Waiting) {
        stop(client, found).await?;
    }
    gone(client, &found.id, &found.instance.id.to_string()).await
}

/// Signal, grace, kill.
pub(super) async fn stop(client: &Client, found: &Container) -> Result<(), EngineError> {
    let grace = found.labels.get(labels::GRACE).and_then(|seconds| seconds.parse().ok());
    let grace = grace.map_or(DEFAULT_GRACE, Duration::from_secs);
    match client.patient(grace).stop_container(&found.id, None::<StopContainerOptions>).await {
        Err(error) if is_status(&error, 404) => Ok(()),
        other => other.map_err(refused(format!("stop {}", found.instance.id))),
    }
}

/// Signal, the grace it was made with, kill; for a container that is not an instance.
pub(super) async fn stop_by_name(client: &Client, name: &str) -> Result<(), EngineError> {
    match client.patient(LONGEST_GRACE).stop_container(name, None::<StopContainerOptions>).await {
        Err(error) if is_status(&error, 404) => Ok(()),
        other => other.map_err(refused(format!("stop container `{name}`"))),
    }
}

/// Removes a container with the volumes that have no name. One that is gone, or going, is removed already.
pub(super) async fn by_id(client: &Client, id: &str) -> Result<(), EngineError> {
    gone(client, id, &format!("container `{id}`")).await
}

async fn gone(client: &Client, id: &str, name: &str) -> Result<(), EngineError> {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    match client.api.remove_container(id, Some(options)).await {
        Err(error) if is_status(&error, 404) || is_status(&error, 409) => Ok(()),
        other => other.map_err(refused(format!("remove {name}"))),
    }
}

/// Removes everything left of a project but its volumes and kept images; with `volumes`, the volumes too.
pub(super) async fn project(
    client: &Client,
    options: &DockerOptions,
    project: &ProjectName,
    volumes: bool,
) -> Result<(), EngineError> {
    let found = observe::project(client, project).await?;
    let ids = found.instances.into_iter().map(|instance| instance.id);
    for done in futures_util::future::join_all(
        ids.map(|id| async move { instance(client, options, project, &id).await }),
    )
    .await
    {
        done?;
    }
    resources::remove_networks(client, project).await?;
    let lock = locks::addresses(options).await?;
    ingress::tidy(client).await?;
    drop(lock);
    let folder = files::project_folder(options, project);
    system::attempt(system::remove_tree(&folder), || format!("remove `{}`", folder.display()))?;
    if volumes { resources::remove_volumes(client, project).await } else { Ok(()) }
}
