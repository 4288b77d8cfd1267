//! Making an instance exist and run, and running a job to its end.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bollard::models::{ContainerCreateBody, NetworkConnectRequest};
use bollard::query_parameters::{
    CreateContainerOptions, CreateContainerOptionsBuilder, InspectContainerOptions, KillContainerOptions,
    StartContainerOptions,
};
use tokio::time::{Instant, sleep};

use crate::docker::client::{Client, is_status, message, refused};
use crate::docker::create::{self, Given, networking};
use crate::docker::observe::{self, Container};
use crate::docker::options::DockerOptions;
use crate::docker::{files, images, ingress, keys, labels, locks, remove};
use crate::{
    EngineError, Exit, Instance, InstanceId, InstanceKind, InstanceState, Revision, Slot, ports_of, system,
};

/// How often an address is chosen anew when somebody else took it in between.
const TRIES: usize = 5;
/// Between two looks at a job.
const JOB_LOOK: Duration = Duration::from_millis(100);

/// Makes the instance in a slot exist and run.
pub(super) async fn instance(
    client: &Client,
    options: &DockerOptions,
    revision: &Revision,
    slot: Slot,
) -> Result<Instance, EngineError> {
    let id = InstanceId { service: revision.service.name.value.clone(), revision: revision.id.clone(), slot };
    let _lock = locks::instance(options, &revision.project, &id).await?;
    match observe::find(client, &revision.project, &id).await? {
        Some(found) if runs(found.instance.state) => return Ok(found.instance),
        Some(found) if found.instance.state == InstanceState::Exited => {
            return begin_again(client, options, revision, &found).await;
        }
        // It was never started, or the daemon gave it up: whoever made it was cut off.
        Some(found) => remove::container(client, &found).await?,
        None => {}
    }
    begin(client, options, revision, &id, None).await
}

fn runs(state: InstanceState) -> bool {
    matches!(state, InstanceState::Running | InstanceState::Waiting)
}

/// Starts a container that ended, with its files where a restart of the machine took them away.
async fn begin_again(
    client: &Client,
    options: &DockerOptions,
    revision: &Revision,
    found: &Container,
) -> Result<Instance, EngineError> {
    let id = &found.instance.id;
    if !files::folder(options, &revision.project, id).is_dir() {
        let (image, _) = images::prepared(client, revision).await?;
        let places = files::write(options, revision, id)?;
        files::give(client, revision, &found.id, image.config.as_ref(), &places).await?;
    }
    let started = client.api.start_container(&found.id, None::<StartContainerOptions>).await;
    started.map_err(refused(format!("start {id}")))?;
    seen(client, revision, id).await
}

async fn seen(client: &Client, revision: &Revision, id: &InstanceId) -> Result<Instance, EngineError> {
    let found = observe::find(client, &revision.project, id).await?;
    found.map(|found| found.instance).ok_or_else(|| EngineError::NoInstance { instance: id.to_string() })
}

/// Makes and starts a container. One that cannot be started is not left behind.
async fn begin(
    client: &Client,
    options: &DockerOptions,
    revision: &Revision,
    id: &InstanceId,
    deadline: Option<Duration>,
) -> Result<Instance, EngineError> {
    let (image, image_name) = images::prepared(client, revision).await?;
    let places = files::write(options, revision, id)?;
    let mut given = Given {
        image: image_name,
        address: None,
        ingress: None,
        files: places.clone(),
        others: others(client, revision).await?,
        deadline,
        version: client.version,
    };
    let mut tries = 0;
    loop {
        tries += 1;
        let container = make(client, options, revision, id, &mut given).await?;
        let made = async {
            files::give(client, revision, &container, image.config.as_ref(), &places).await?;
            connect(client, revision, id, &given, &container).await
        };
        if let Err(error) = made.await {
            remove::by_id(client, &container).await?;
            let gone = matches!(&error, EngineError::Refused { reason, .. } if is_gone(reason, &given));
            if gone && tries < TRIES {
                continue;
            }
            return Err(error);
        }
        match client.api.start_container(&container, None::<StartContainerOptions>).await {
            Ok(()) => return seen(client, revision, id).await,
            Err(error) => {
                let text = message(&error);
                let passes = may_pass(&text) || is_gone(&text, &given);
                let passes = passes && given.address.is_some() && tries < TRIES;
                remove::by_id(client, &container).await?;
                if !passes {
                    return Err(refused(format!("start {id}"))(error));
                }
            }
        }
    }
}

/// Whether somebody who does not share our locks took the address, or made the ingress network, at the same moment.
fn may_pass(text: &str) -> bool {
    text.contains("Address already in use") || text.contains("is ambiguous")
}

/// Whether somebody who does not share our locks took the ingress network away, since nobody of theirs needed it.
fn is_gone(text: &str, given: &Given) -> bool {
    text.contains("not found") && given.ingress.as_ref().is_some_and(|network| text.contains(network))
}

/// Makes the container; its address is chosen and taken under one lock.
async fn make(
    client: &Client,
    options: &DockerOptions,
    revision: &Revision,
    id: &InstanceId,
    given: &mut Given,
) -> Result<String, EngineError> {
    let service = &revision.service;
    let mode = networking::mode(revision, given)?;
    let reachable = !ports_of(service).is_empty() && revision.kind == InstanceKind::Replica;
    let lock = match mode.as_deref() {
        None if reachable => {
            let lock = locks::addresses(options).await?;
            let place = ingress::place(client).await?;
            (given.address, given.ingress) = (Some(place.address), Some(place.network));
            Some(lock)
        }
        Some("host") => {
            given.address = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
            None
        }
        _ => None,
    };
    let name = create::name(revision, id);
    let body = create::body(revision, id, given)?;
    let platform = keys::text(&service.node, "platform").unwrap_or_default();
    let wished = CreateContainerOptionsBuilder::new().name(&name).platform(&platform).build();
    let made = created(client, id, &name, wished, body).await;
    drop(lock);
    made
}

async fn created(
    client: &Client,
    id: &InstanceId,
    name: &str,
    options: CreateContainerOptions,
    body: ContainerCreateBody,
) -> Result<String, EngineError> {
    match client.api.create_container(Some(options), body).await {
        Ok(made) => Ok(made.id),
        // Podman has no status of its own for it.
        Err(error) if is_status(&error, 409) || message(&error).contains("name is already in use") => {
            Err(taken(client, name, id, error).await)
        }
        Err(error) => Err(refused(format!("make {id}"))(error)),
    }
}

/// Whose container has the name.
async fn taken(client: &Client, name: &str, id: &InstanceId, error: bollard::errors::Error) -> EngineError {
    let seen = client.api.inspect_container(name, None::<InspectContainerOptions>).await;
    let Ok(seen) = seen else { return refused(format!("make {id}"))(error) };
    let labels = seen.config.and_then(|config| config.labels).unwrap_or_default();
    let owner = labels.get(labels::PROJECT).or(labels.get(labels::COMPOSE_PROJECT));
    let reason = match owner {
        Some(owner) => format!("is there already, and belongs to project `{owner}`"),
        None => "is there already, and was not made by seaworthy".to_owned(),
    };
    EngineError::Foreign {
        what: format!("container `{name}`"),
        reason,
        hint: format!(
            "remove it with `docker rm -f {name}` if nobody needs it, or rename it: `docker rename {name} …`"
        ),
    }
}

async fn connect(
    client: &Client,
    revision: &Revision,
    id: &InstanceId,
    given: &Given,
    container: &str,
) -> Result<(), EngineError> {
    for (network, endpoint) in networking::more(revision, id, given) {
        let request =
            NetworkConnectRequest { container: container.to_owned(), endpoint_config: Some(endpoint) };
        let connected = client.api.connect_network(&network, request).await;
        connected.map_err(refused(format!("connect {id} to the network `{network}`")))?;
    }
    Ok(())
}

/// The running containers of other services, for those that share something with them. The youngest counts.
async fn others(client: &Client, revision: &Revision) -> Result<HashMap<String, String>, EngineError> {
    let node = &revision.service.node;
    let shares = ["network_mode", "pid", "ipc"]
        .iter()
        .any(|key| keys::text(node, key).is_some_and(|mode| mode.starts_with("service:")));
    if !shares && keys::texts(node, "volumes_from").is_none() {
        return Ok(HashMap::new());
    }
    let mut found = observe::containers(client, &revision.project, &[]).await?;
    found.retain(|container| container.instance.state == InstanceState::Running);
    found.sort_by_key(|container| container.instance.created_at);
    Ok(found.into_iter().map(|container| (container.instance.id.service.to_string(), container.id)).collect())
}

/// Runs a job to its end, or to the deadline. A job that runs is waited for; one that ended well for this release is
/// not run again.
pub(super) async fn job(
    client: &Client,
    options: &DockerOptions,
    revision: &Revision,
    deadline: Duration,
) -> Result<Exit, EngineError> {
    let no_slot = || EngineError::NoInstance { instance: revision.service.name.value.to_string() };
    let slot = Slot::first(1).next().ok_or_else(no_slot)?;
    let id = InstanceId { service: revision.service.name.value.clone(), revision: revision.id.clone(), slot };
    let lock = locks::instance(options, &revision.project, &id).await?;
    let found = observe::find(client, &revision.project, &id).await?;
    let instance = match found {
        Some(found) if runs(found.instance.state) => found.instance,
        found => {
            if let Some(found) = found {
                let same = found.instance.release == revision.release;
                if let Some(exit) = found.instance.exit.filter(|exit| same && exit.success()) {
                    return Ok(exit);
                }
                remove::container(client, &found).await?;
            }
            begin(client, options, revision, &id, Some(deadline)).await?
        }
    };
    drop(lock);
    ended(client, revision, &id, instance, deadline).await
}

/// Waits until a job has ended; past its deadline, counted from its start, it is stopped.
async fn ended(
    client: &Client,
    revision: &Revision,
    id: &InstanceId,
    instance: Instance,
    deadline: Duration,
) -> Result<Exit, EngineError> {
    let ran = instance.started_at.map_or(Duration::ZERO, |started| {
        system::now().duration_since(started).try_into().unwrap_or(Duration::ZERO)
    });
    let until = Instant::now() + deadline.saturating_sub(ran);
    loop {
        let found = observe::find(client, &revision.project, id).await?;
        let found = found.ok_or_else(|| EngineError::NoInstance { instance: id.to_string() })?;
        if let (false, Some(exit)) = (runs(found.instance.state), found.instance.exit) {
            return Ok(exit);
        }
        if Instant::now() >= until {
            remove::stop(client, &found).await?;
            // A daemon that lost sight of it may not know that it ended.
            if let Err(error) = client.api.kill_container(&found.id, None::<KillContainerOptions>).await
                && !is_status(&error, 409)
                && !is_status(&error, 404)
                && !message(&error).contains("can only kill running containers")
            {
                return Err(refused(format!("kill {id}"))(error));
            }
        }
        sleep(JOB_LOOK.min(until.saturating_duration_since(Instant::now()).max(Duration::from_millis(10))))
            .await;
    }
}
