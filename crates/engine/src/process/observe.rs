//! What runs, as the folders and the kernel tell.

use std::path::Path;

use seaworthy_project::ProjectName;

use crate::process::folder::{Folders, Made, Now};
use crate::{EngineError, Instance, InstanceId, InstanceState, Observed, system};

/// Every instance of a project.
pub(super) fn project(folders: &Folders, project: &ProjectName) -> Result<Observed, EngineError> {
    let folder = folders.project(project);
    let names = system::attempt(system::names(&folder), || format!("list the instances of `{project}`"))?;
    let mut instances = Vec::new();
    for name in names {
        if let Some(instance) = instance(&folder.join(name))? {
            instances.push(instance);
        }
    }
    instances.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Observed { taken_at: system::now(), instances })
}

/// The instance in a folder; `None` when it is not made, or just being removed.
pub(super) fn instance(folder: &Path) -> Result<Option<Instance>, EngineError> {
    let Some(made) = Made::read(folder)? else { return Ok(None) };
    let now = Now::read(folder)?;
    let state = now.as_ref().map_or(InstanceState::Created, |now| match now.state {
        InstanceState::Exited => InstanceState::Exited,
        state if now.shim.runs() => state,
        _ => InstanceState::Lost,
    });
    let process = now.as_ref().and_then(|now| now.process.as_ref());
    Ok(Some(Instance {
        id: made.id,
        release: made.release,
        kind: made.kind,
        state,
        addresses: made.addresses,
        created_at: made.created_at,
        started_at: now.as_ref().and_then(|now| now.started_at),
        restarts: now.as_ref().map_or(0, |now| now.restarts),
        exit: now.as_ref().and_then(|now| now.exit),
        process: process.filter(|_| state == InstanceState::Running).map(|who| who.process),
        limits: now.map(|now| now.limits).unwrap_or_default(),
    }))
}

/// All that is kept of an instance; its variables are not among it.
pub(super) fn describe(folder: &Path, id: &InstanceId) -> Result<serde_json::Value, EngineError> {
    let made = Made::read(folder)?.ok_or_else(|| EngineError::NoInstance { instance: id.to_string() })?;
    let now = Now::read(folder)?;
    let trouble = now.as_ref().and_then(|now| now.trouble.clone());
    Ok(serde_json::json!({ "instance": instance(folder)?, "program": made.artifact, "trouble": trouble }))
}
