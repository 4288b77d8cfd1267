//! Plain processes on this machine: each instance is held by a small detached shim, so that it outlives the command
//! that started it.

mod artifacts;
mod build;
mod ensure;
mod exec;
mod facts;
mod folder;
mod inside;
mod limits;
mod losses;
mod observe;
mod ports;
mod questions;
mod restart;
mod shim;
mod spec;
mod stop;
mod usage;
mod volumes;
mod who;
mod writing;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use seaworthy_project::{Loss, Project, ProjectName, Service};

use crate::process::folder::Folders;
use crate::seal::SealKey;
use crate::{
    Artifact, Engine, EngineError, Exec, ExecStreams, Exit, Facts, Inspection, Instance, InstanceEvent,
    InstanceId, LogCursor, LogLine, Observed, Probe, ProbeOutcome, Revision, Slot, Usage, event, system,
};

pub use shim::shim_main;

/// A program and what comes before its own arguments.
#[derive(Debug, Clone)]
pub struct Program {
    /// The file.
    pub path: PathBuf,
    /// The first arguments.
    pub arguments: Vec<String>,
}

/// What the engine is given of the world around it.
#[derive(Debug, Clone)]
pub struct ProcessOptions {
    /// Its own folder.
    pub state: PathBuf,
    /// A folder in memory, for secrets as files; they never reach a disk where there is one.
    pub runtime: PathBuf,
    /// The program that plays the shim; the instance's folder is put behind its arguments.
    pub program: Program,
    /// Seals what instances are started with.
    pub key: SealKey,
    /// `PATH`, for programs named without a slash, and for instances.
    pub search_path: String,
    /// `HOME`, for builds.
    pub home: Option<PathBuf>,
}

/// The engine of plain processes.
pub struct Process {
    options: ProcessOptions,
    folders: Folders,
}

impl Process {
    /// An engine that keeps its state where `options` says. Nothing is touched before it is needed.
    pub fn new(options: ProcessOptions) -> Self {
        let folders = Folders::new(&options.state, &options.runtime);
        Self { options, folders }
    }
}

#[async_trait]
impl Engine for Process {
    fn name(&self) -> &'static str {
        "process"
    }

    fn losses(&self, project: &Project) -> Vec<Loss> {
        losses::of(project)
    }

    async fn inspect(&self, project: &Project, service: &Service) -> Result<Inspection, EngineError> {
        artifacts::inspect(&project.directory, service, &self.options.search_path)
    }

    async fn build(
        &self,
        project: &Project,
        service: &Service,
        output: &mut (dyn for<'line> FnMut(&'line str) + Send),
    ) -> Result<(), EngineError> {
        build::run(project, service, &self.options, output).await
    }

    async fn observe(&self, project: &ProjectName) -> Result<Observed, EngineError> {
        observe::project(&self.folders, project)
    }

    async fn prepare(&self, revision: &Revision) -> Result<(), EngineError> {
        artifacts::keep(&self.folders, revision, &self.options.search_path)?;
        volumes::make(&self.folders, revision)
    }

    async fn ensure(&self, revision: &Revision, slot: Slot) -> Result<Instance, EngineError> {
        ensure::instance(&self.options, &self.folders, revision, slot).await
    }

    async fn run_once(&self, revision: &Revision, deadline: Duration) -> Result<Exit, EngineError> {
        ensure::job(&self.options, &self.folders, revision, deadline).await
    }

    async fn probe(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
        probe: &Probe,
    ) -> Result<ProbeOutcome, EngineError> {
        questions::ask(&self.options, &self.folders, project, instance, probe).await
    }

    async fn remove(&self, project: &ProjectName, instance: &InstanceId) -> Result<(), EngineError> {
        stop::remove(&self.folders, project, instance).await
    }

    async fn logs(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
        cursor: LogCursor,
        limit: usize,
    ) -> Result<(Vec<LogLine>, LogCursor), EngineError> {
        let folder = self.folders.instance(project, instance);
        if !folder.is_dir() {
            return Err(EngineError::NoInstance { instance: instance.to_string() });
        }
        system::attempt(writing::read(&folder, cursor, limit), || format!("read the log of {instance}"))
    }

    async fn facts(&self, revision: &Revision, instance: &InstanceId) -> Result<Facts, EngineError> {
        facts::of(&self.options, &self.folders, revision, instance)
    }

    async fn describe(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
    ) -> Result<serde_json::Value, EngineError> {
        observe::describe(&self.folders.instance(project, instance), instance)
    }

    async fn usage(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
    ) -> Result<Option<Usage>, EngineError> {
        usage::of(&self.folders.instance(project, instance), instance)
    }

    async fn exec(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
        exec: &Exec,
        streams: ExecStreams,
    ) -> Result<i32, EngineError> {
        exec::run(&self.options, &self.folders.instance(project, instance), instance, exec, streams).await
    }

    async fn events(
        &self,
        project: &ProjectName,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        tell: &mut (dyn FnMut(InstanceEvent) -> bool + Send),
    ) -> Result<(), EngineError> {
        event::looked(|| observe::project(&self.folders, project), since, until, tell).await
    }

    async fn volumes(&self, project: &ProjectName) -> Result<Vec<String>, EngineError> {
        volumes::of(&self.folders, project)
    }

    async fn purge(&self, project: &ProjectName, volumes: bool) -> Result<(), EngineError> {
        for instance in observe::project(&self.folders, project)?.instances {
            stop::remove(&self.folders, project, &instance.id).await?;
        }
        for folder in [self.folders.project(project), self.folders.memory(project)] {
            system::attempt(system::remove_tree(&folder), || format!("remove `{}`", folder.display()))?;
        }
        if volumes { volumes::remove(&self.folders, project) } else { Ok(()) }
    }

    async fn prune(&self, project: &ProjectName, keep: &[Artifact]) -> Result<(), EngineError> {
        artifacts::prune(&self.folders, project, keep)
    }
}
