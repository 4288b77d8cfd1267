//! Containers of a Docker Engine, through its API: one container for each instance, told apart by labels.

mod archive;
mod bounds;
mod build;
mod client;
mod create;
mod credentials;
mod describe;
mod digest;
mod drift;
mod ensure;
mod events;
mod exec;
mod facts;
mod files;
mod images;
mod ingress;
mod keys;
mod labels;
mod list;
mod locks;
mod logs;
mod losses;
mod observe;
mod options;
mod place;
mod pull;
mod questions;
mod remove;
mod resources;
mod strangers;
mod transport;
mod usage;
mod written;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use seaworthy_project::{Loss, Project, ProjectName, Service};
use tokio::sync::OnceCell;

use crate::docker::client::Client;
use crate::{
    Artifact, Engine, EngineError, Exec, ExecStreams, Exit, Facts, Inspection, Instance, InstanceEvent,
    InstanceId, LogCursor, LogLine, Observed, Probe, ProbeOutcome, Revision, Slot, Stranger, Usage, Written,
};

pub use options::DockerOptions;
pub use place::{DockerPlace, DockerVariables, SshPlace, TlsPlace};

/// The engine of containers.
pub struct DockerEngine {
    options: DockerOptions,
    client: OnceCell<Client>,
}

impl DockerEngine {
    /// An engine over the daemon that `options` names. Nothing is asked before it is needed.
    pub fn new(options: DockerOptions) -> Self {
        Self { options, client: OnceCell::new() }
    }

    /// Asks the daemon what it is: its version and that of its API.
    ///
    /// # Errors
    /// When it does not answer, or may not be used.
    pub async fn version(&self) -> Result<String, EngineError> {
        let client = self.client().await?;
        let version = client.api.version().await.map_err(client::refused("ask for the version"))?;
        let number = version.version.unwrap_or_else(|| "of unknown version".to_owned());
        Ok(format!("Docker {number}, API {}, {}", client.version, client.limits))
    }

    /// The image of a service with the digest that its registry has for it now: `docker.io/library/nginx:1.27@sha256:…`.
    ///
    /// # Errors
    /// When the daemon or the registry does not answer, or does not know the image.
    pub async fn pinned(&self, service: &Service, image: &str) -> Result<String, EngineError> {
        digest::pinned(self.client().await?, &self.options, service, image).await
    }

    async fn client(&self) -> Result<&Client, EngineError> {
        self.client.get_or_try_init(|| Client::connect(&self.options)).await
    }
}

#[async_trait]
impl Engine for DockerEngine {
    fn name(&self) -> &'static str {
        "docker"
    }

    fn losses(&self, project: &Project) -> Vec<Loss> {
        losses::of(project)
    }

    async fn inspect(&self, project: &Project, service: &Service) -> Result<Inspection, EngineError> {
        if service.is_published() && !self.options.place.is_here() {
            return Err(EngineError::NotRunnable {
                service: service.name.value.to_string(),
                reason: "publishes a port, and the engine is on another machine than the gateway".to_owned(),
                hint: "run seaworthy on that machine, next to the engine and the gateway".to_owned(),
                span: Some(service.name.span),
            });
        }
        let client = self.client().await?;
        bounds::look(client, service)?;
        drift::look(client, project, service).await?;
        images::inspect(client, project, service).await
    }

    async fn build(
        &self,
        project: &Project,
        service: &Service,
        output: &mut (dyn for<'line> FnMut(&'line str) + Send),
    ) -> Result<(), EngineError> {
        let client = self.client().await?;
        if service.build.is_some() {
            return build::run(client, &self.options, project, service, output).await;
        }
        pull::run(client, &self.options, project, service, output).await
    }

    async fn observe(&self, project: &ProjectName) -> Result<Observed, EngineError> {
        observe::project(self.client().await?, project).await
    }

    async fn prepare(&self, revision: &Revision) -> Result<(), EngineError> {
        let client = self.client().await?;
        images::keep(client, revision).await?;
        let lock = locks::networks(&self.options, &revision.project).await?;
        resources::make_networks(client, revision).await?;
        drop(lock);
        resources::make_volumes(client, revision).await
    }

    async fn ensure(&self, revision: &Revision, slot: Slot) -> Result<Instance, EngineError> {
        ensure::instance(self.client().await?, &self.options, revision, slot).await
    }

    async fn run_once(&self, revision: &Revision, deadline: Duration) -> Result<Exit, EngineError> {
        ensure::job(self.client().await?, &self.options, revision, deadline).await
    }

    async fn probe(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
        probe: &Probe,
    ) -> Result<ProbeOutcome, EngineError> {
        questions::ask(self.client().await?, project, instance, probe).await
    }

    async fn remove(&self, project: &ProjectName, instance: &InstanceId) -> Result<(), EngineError> {
        remove::instance(self.client().await?, &self.options, project, instance).await
    }

    async fn logs(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
        cursor: LogCursor,
        limit: usize,
    ) -> Result<(Vec<LogLine>, LogCursor), EngineError> {
        let client = self.client().await?;
        let found = observe::find(client, project, instance).await?;
        let found = found.ok_or_else(|| EngineError::NoInstance { instance: instance.to_string() })?;
        logs::read(client, &found, cursor, limit).await
    }

    async fn facts(&self, revision: &Revision, instance: &InstanceId) -> Result<Facts, EngineError> {
        facts::of(self.client().await?, &self.options, revision, instance).await
    }

    async fn describe(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
    ) -> Result<serde_json::Value, EngineError> {
        describe::instance(self.client().await?, project, instance).await
    }

    async fn usage(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
    ) -> Result<Option<Usage>, EngineError> {
        usage::of(self.client().await?, project, instance).await
    }

    async fn exec(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
        exec: &Exec,
        streams: ExecStreams,
    ) -> Result<i32, EngineError> {
        exec::run(self.client().await?, project, instance, exec, streams).await
    }

    async fn written(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
    ) -> Result<Option<Vec<Written>>, EngineError> {
        written::by(self.client().await?, project, instance).await.map(Some)
    }

    async fn events(
        &self,
        project: &ProjectName,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        tell: &mut (dyn FnMut(InstanceEvent) -> bool + Send),
    ) -> Result<(), EngineError> {
        events::read(self.client().await?, project, since, until, tell).await
    }

    async fn volumes(&self, project: &ProjectName) -> Result<Vec<String>, EngineError> {
        resources::volumes(self.client().await?, project).await
    }

    async fn purge(&self, project: &ProjectName, volumes: bool) -> Result<(), EngineError> {
        remove::project(self.client().await?, &self.options, project, volumes).await
    }

    async fn strangers(&self, project: &ProjectName) -> Result<Vec<Stranger>, EngineError> {
        strangers::of(self.client().await?, project).await
    }

    async fn remove_stranger(&self, project: &ProjectName, name: &str) -> Result<(), EngineError> {
        strangers::remove(self.client().await?, project, name).await
    }

    async fn prune(&self, project: &ProjectName, keep: &[Artifact]) -> Result<(), EngineError> {
        images::prune(self.client().await?, project, keep).await
    }
}
