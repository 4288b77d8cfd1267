//! Containers that Compose made for a project of the same name, and we did not.

use seaworthy_project::ProjectName;

use crate::docker::client::Client;
use crate::docker::{labels, list, remove};
use crate::{EngineError, Stranger};

/// Containers that bear the project's name in Compose's label and none of ours.
pub(super) async fn of(client: &Client, project: &ProjectName) -> Result<Vec<Stranger>, EngineError> {
    let filters = labels::filter(&[(labels::COMPOSE_PROJECT, project.as_str())]);
    let list = list::containers(client, &filters, format!("list the containers of `{project}`")).await?;
    let mut strangers: Vec<Stranger> = list
        .into_iter()
        .filter(|one| !one.labels.as_ref().is_some_and(|labels| labels.contains_key(labels::PROJECT)))
        .filter_map(|one| {
            let name = one.names?.into_iter().next()?.trim_start_matches('/').to_owned();
            Some(Stranger { name, running: one.state.as_deref() == Some("running") })
        })
        .collect();
    strangers.sort();
    Ok(strangers)
}

/// Stops and removes one, if it still is a stranger to us.
pub(super) async fn remove(client: &Client, project: &ProjectName, name: &str) -> Result<(), EngineError> {
    if !of(client, project).await?.iter().any(|stranger| stranger.name == name) {
        return Ok(());
    }
    remove::stop_by_name(client, name).await?;
    remove::by_id(client, name).await
}
