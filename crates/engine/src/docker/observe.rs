//! What the daemon tells of containers, as instances.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;

use bollard::models::{ContainerInspectResponse, ContainerState, ContainerStateStatusEnum as Status};
use bollard::query_parameters::InspectContainerOptions;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use seaworthy_project::{ProjectName, ServiceName};

use crate::docker::client::{Client, is_status, refused};
use crate::docker::{labels, list};
use crate::{
    EngineError, Exit, Instance, InstanceId, InstanceKind, InstanceState, Observed, ReleaseNumber,
    RevisionId, Slot, system,
};

/// Containers looked at in detail at a time.
const AT_ONCE: usize = 16;

/// A container that is an instance.
#[derive(Debug, Clone)]
pub(super) struct Container {
    /// The daemon's name for it.
    pub(super) id: String,
    pub(super) labels: HashMap<String, String>,
    pub(super) instance: Instance,
    /// The id of its image.
    image: Option<String>,
    /// Whether it writes to a terminal, with one stream for all.
    pub(super) tty: bool,
}

/// Everything that runs for a project.
pub(super) async fn project(client: &Client, project: &ProjectName) -> Result<Observed, EngineError> {
    let taken_at = system::now();
    let mut instances: Vec<Instance> =
        containers(client, project, &[]).await?.into_iter().map(|container| container.instance).collect();
    instances.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Observed { taken_at, instances })
}

/// The ids of the images that the instances of a project were made of.
pub(super) async fn images(client: &Client, project: &ProjectName) -> Result<Vec<String>, EngineError> {
    let found = containers(client, project, &[]).await?;
    Ok(found.into_iter().filter_map(|container| container.image).collect())
}

/// The container of one instance.
pub(super) async fn find(
    client: &Client,
    project: &ProjectName,
    id: &InstanceId,
) -> Result<Option<Container>, EngineError> {
    let (service, revision, slot) = (id.service.to_string(), id.revision.to_string(), id.slot.to_string());
    let wanted = [(labels::SERVICE, &*service), (labels::REVISION, &*revision), (labels::SLOT, &*slot)];
    let found = containers(client, project, &wanted).await?;
    Ok(found.into_iter().find(|container| &container.instance.id == id))
}

/// The containers of a project that have these labels too.
pub(super) async fn containers(
    client: &Client,
    project: &ProjectName,
    also: &[(&str, &str)],
) -> Result<Vec<Container>, EngineError> {
    let wanted = [&[(labels::PROJECT, project.as_str())], also].concat();
    let attempt = format!("list the containers of `{project}`");
    let list = list::containers(client, &labels::filter(&wanted), attempt).await?;
    let ids = list.into_iter().map(|container| container.id);
    let looks = stream::iter(ids).map(|id| look(client, id)).buffer_unordered(AT_ONCE);
    let looks: Vec<Result<Option<Container>, EngineError>> = looks.collect().await;
    looks.into_iter().filter_map(Result::transpose).collect()
}

async fn look(client: &Client, id: String) -> Result<Option<Container>, EngineError> {
    match client.api.inspect_container(&id, None::<InspectContainerOptions>).await {
        Ok(seen) => Ok(container(seen, client)),
        // It went between the list and the look.
        Err(error) if is_status(&error, 404) => Ok(None),
        Err(error) => Err(refused(format!("look at container `{id}`"))(error)),
    }
}

/// A container as an instance; `None` when it does not carry our labels, or is being removed.
fn container(seen: ContainerInspectResponse, client: &Client) -> Option<Container> {
    let config = seen.config.unwrap_or_default();
    let labels = config.labels.unwrap_or_default();
    let state = seen.state.unwrap_or_default();
    if state.status == Some(Status::REMOVING) {
        return None;
    }
    let label = |key: &str| labels.get(key).map(String::as_str);
    let kind = match label(labels::KIND)? {
        "job" => InstanceKind::Job,
        _ => InstanceKind::Replica,
    };
    let now = instance_state(&state);
    let instance = Instance {
        id: InstanceId {
            service: ServiceName::new(label(labels::SERVICE)?).ok()?,
            revision: RevisionId(label(labels::REVISION)?.to_owned()),
            slot: Slot(label(labels::SLOT)?.parse::<NonZeroU32>().ok()?),
        },
        release: ReleaseNumber(label(labels::RELEASE)?.parse().ok()?),
        kind,
        state: now,
        addresses: addresses(&labels),
        created_at: seen.created.as_deref().and_then(time).unwrap_or(Timestamp::UNIX_EPOCH),
        started_at: state.started_at.as_deref().and_then(time),
        restarts: seen.restart_count.and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
        exit: exit(&state, now, &labels),
        process: state
            .pid
            .filter(|_| now == InstanceState::Running && client.is_here)
            .and_then(|pid| u32::try_from(pid).ok())
            .filter(|pid| *pid > 0),
        limits: client.limits.clone(),
    };
    Some(Container { id: seen.id?, labels, instance, image: seen.image, tty: config.tty == Some(true) })
}

fn instance_state(state: &ContainerState) -> InstanceState {
    match state.status {
        Some(Status::CREATED) => InstanceState::Created,
        Some(Status::RUNNING | Status::PAUSED | Status::STOPPING) => InstanceState::Running,
        Some(Status::RESTARTING) => InstanceState::Waiting,
        Some(Status::EXITED) => InstanceState::Exited,
        _ => InstanceState::Lost,
    }
}

fn addresses(labels: &HashMap<String, String>) -> Vec<(u16, SocketAddr)> {
    let Some(address) = labels.get(labels::ADDRESS).and_then(|text| text.parse::<IpAddr>().ok()) else {
        return Vec::new();
    };
    let ports = labels.get(labels::PORTS).map(String::as_str).unwrap_or_default().split(',');
    ports.filter_map(|port| port.parse().ok()).map(|port| (port, SocketAddr::new(address, port))).collect()
}

/// How it ended last, when it does not run now.
fn exit(state: &ContainerState, now: InstanceState, labels: &HashMap<String, String>) -> Option<Exit> {
    /// What shells and engines add to the number of a signal.
    const BY_SIGNAL: i32 = 128;
    if !matches!(now, InstanceState::Exited | InstanceState::Waiting | InstanceState::Lost) {
        return None;
    }
    let at = state.finished_at.as_deref().and_then(time)?;
    let code = state.exit_code.and_then(|code| i32::try_from(code).ok()).unwrap_or(-1);
    let ran = state.started_at.as_deref().and_then(time).map(|started| at.duration_since(started));
    let deadline = labels.get(labels::DEADLINE).and_then(|text| text.parse::<i128>().ok());
    Some(Exit {
        code,
        signal: (BY_SIGNAL + 1..BY_SIGNAL + 65).contains(&code).then_some(code - BY_SIGNAL),
        out_of_memory: state.oom_killed == Some(true),
        timed_out: ran.zip(deadline).is_some_and(|(ran, deadline)| ran.as_millis() >= deadline),
        at,
    })
}

/// A time as the daemon writes it; its year 1 stands for never.
fn time(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().filter(|at| *at > Timestamp::UNIX_EPOCH)
}
