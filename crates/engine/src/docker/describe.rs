//! All that the daemon says of a container, without the values of its variables.

use bollard::query_parameters::InspectContainerOptions;
use seaworthy_project::ProjectName;
use serde_json::Value;

use crate::docker::client::{Client, refused};
use crate::docker::observe;
use crate::{EngineError, InstanceId};

pub(super) async fn instance(
    client: &Client,
    project: &ProjectName,
    id: &InstanceId,
) -> Result<Value, EngineError> {
    let found = observe::find(client, project, id).await?;
    let found = found.ok_or_else(|| EngineError::NoInstance { instance: id.to_string() })?;
    let seen = client.api.inspect_container(&found.id, None::<InspectContainerOptions>).await;
    let mut seen = seen.map_err(refused(format!("look at {id}")))?;
    for line in seen.config.iter_mut().flat_map(|config| config.env.iter_mut().flatten()) {
        if let Some((name, _)) = line.split_once('=') {
            *line = format!("{name}=[redacted]");
        }
    }
    Ok(serde_json::to_value(seen).unwrap_or_default())
}
