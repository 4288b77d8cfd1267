//! Where revisions run: the trait, its vocabulary, and the engines.

mod artifact;
#[cfg(feature = "test-util")]
pub mod contract;
pub mod docker;
mod error;
mod event;
mod exec;
mod facts;
#[cfg(feature = "test-util")]
pub mod fake;
mod identity;
mod instance;
mod kernel;
mod lines;
mod log;
mod observed;
mod ports;
mod probe;
pub mod process;
mod question;
mod restart;
mod revision;
pub mod seal;
mod system;
mod usage;
mod written;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use seaworthy_project::{Loss, Project, ProjectName, Service};

pub use artifact::{Artifact, ImageOrigin, Inspection};
pub use error::EngineError;
pub use event::{Happened, InstanceEvent};
pub use exec::{Exec, ExecControl, ExecStreams};
pub use facts::{Facts, Seen, SeenCapabilities, SeenFile, SeenMount, SeenUser, Ulimits};
pub use identity::{InstanceId, ReleaseNumber, RevisionId, Slot};
pub use instance::{Exit, Instance, InstanceKind, InstanceState};
pub use log::{LogCursor, LogLine, LogStream};
pub use observed::{Observed, Stranger};
pub use ports::ports_of;
pub use probe::{Probe, ProbeOutcome};
pub use process::Program;
pub use restart::restart_of;
pub use revision::{GrantedFile, Revision};
pub use usage::Usage;
pub use written::Written;

/// Where revisions run. An engine never decides what should run; every verb may be repeated.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Its name, as `--engine` takes it.
    fn name(&self) -> &'static str;

    /// What of the project it cannot express, and what happens instead. Pure.
    fn losses(&self, project: &Project) -> Vec<Loss>;

    /// What the service would run if it were deployed now. Changes nothing, builds nothing.
    async fn inspect(&self, project: &Project, service: &Service) -> Result<Inspection, EngineError>;

    /// Builds what the service runs from source, handing each line of output to `output`. Touches no instance.
    async fn build(
        &self,
        project: &Project,
        service: &Service,
        output: &mut (dyn for<'line> FnMut(&'line str) + Send),
    ) -> Result<(), EngineError>;

    /// What runs now for a project. Changes nothing.
    async fn observe(&self, project: &ProjectName) -> Result<Observed, EngineError>;

    /// Makes what a revision needs before its instances can start: the kept artifact, volumes, networks.
    /// Fails before anything is stopped when the artifact is gone.
    async fn prepare(&self, revision: &Revision) -> Result<(), EngineError>;

    /// Makes the instance of a prepared `revision` in `slot` exist and run. Calling it twice changes nothing;
    /// an instance that ended is started again.
    async fn ensure(&self, revision: &Revision, slot: Slot) -> Result<Instance, EngineError>;

    /// Runs a job of `revision` once, in slot 1, to its end or the deadline, whichever comes first; past the
    /// deadline it is stopped. The ended instance and its log are kept until [`Engine::remove`]. May be repeated: a
    /// job that runs already is waited for, one that ended well for the same release is not run again, one that
    /// failed is.
    async fn run_once(&self, revision: &Revision, deadline: Duration) -> Result<Exit, EngineError>;

    /// Asks an instance once. A `no` is an outcome, not an error.
    async fn probe(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
        probe: &Probe,
    ) -> Result<ProbeOutcome, EngineError>;

    /// Stops an instance (signal, grace, kill; as the revision it was made from says) and removes it with its log.
    /// One that is not there is removed already.
    async fn remove(&self, project: &ProjectName, instance: &InstanceId) -> Result<(), EngineError>;

    /// Lines of an instance's log from `cursor` on (at most `limit`), and where to go on.
    /// `LogCursor::tail(n)` starts at the last `n` lines.
    async fn logs(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
        cursor: LogCursor,
        limit: usize,
    ) -> Result<(Vec<LogLine>, LogCursor), EngineError>;

    /// What holds for an instance of `revision`, which says where to look and never what to find. Changes nothing. What
    /// cannot be looked at is told as such; nothing is seen of an instance that does not run.
    async fn facts(&self, revision: &Revision, instance: &InstanceId) -> Result<Facts, EngineError>;

    /// All that the engine says of an instance, in its own words, without the values of variables.
    async fn describe(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
    ) -> Result<serde_json::Value, EngineError>;

    /// What an instance uses now; `None` when it does not run.
    async fn usage(&self, project: &ProjectName, instance: &InstanceId)
    -> Result<Option<Usage>, EngineError>;

    /// Runs a command beside the main process of a running instance, as its user, with its variables and in its
    /// folder unless `exec` says otherwise. Gives its exit code; 128 + signal when a signal ended it.
    async fn exec(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
        exec: &Exec,
        streams: ExecStreams,
    ) -> Result<i32, EngineError>;

    /// What an instance wrote into its own root, sorted by path; `None` where the engine gives instances no root of
    /// their own. Changes nothing, and need not run.
    async fn written(
        &self,
        _project: &ProjectName,
        _instance: &InstanceId,
    ) -> Result<Option<Vec<Written>>, EngineError> {
        Ok(None)
    }

    /// What happened to the instances of a project from `since` on, as far back as the engine remembers, to `until`;
    /// without `until` it goes on as things happen, to when `tell` answers that nobody listens.
    async fn events(
        &self,
        project: &ProjectName,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        tell: &mut (dyn FnMut(InstanceEvent) -> bool + Send),
    ) -> Result<(), EngineError>;

    /// Names of the volumes it keeps for a project.
    async fn volumes(&self, project: &ProjectName) -> Result<Vec<String>, EngineError>;

    /// Removes everything left of a project but its volumes and its kept artifacts, which a rollback may still need;
    /// with `volumes`, the volumes made for it too, unless another project uses them.
    async fn purge(&self, project: &ProjectName, volumes: bool) -> Result<(), EngineError>;

    /// What runs under the project's name and was made by another tool, in the order of names. Changes nothing.
    async fn strangers(&self, _project: &ProjectName) -> Result<Vec<Stranger>, EngineError> {
        Ok(Vec::new())
    }

    /// Stops and removes one of [`Engine::strangers`]. One that is not there is removed already.
    async fn remove_stranger(&self, _project: &ProjectName, _name: &str) -> Result<(), EngineError> {
        Ok(())
    }

    /// Drops kept artifacts that none of `keep` names.
    async fn prune(&self, project: &ProjectName, keep: &[Artifact]) -> Result<(), EngineError>;
}
