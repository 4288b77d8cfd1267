//! An engine in memory, for tests: it keeps the contract, lives by tokio's clock, and fails when it is told to.
//!
//! # Settings
//! * What instances do is set per artifact digest: [`Fake::behave`] takes a [`Behaviour`] (time to ready or never,
//!   end after a while, crash loop, flapping, duration and exit code of a job, lines to log).
//! * What a service runs is set per service: [`Fake::set_artifact`], [`Fake::set_unbuilt`],
//!   [`Fake::lose_artifact`].
//! * Verbs fail by [`Fake::fail_at`] (at the nth call from now) and [`Fake::fail_always`], in the manner of a
//!   [`Fault`]: refused, done with its answer lost, or hanging.
//! * What is told of an instance is what was promised, unless [`Fake::tell_facts`] says otherwise.
//! * Single instances end by [`Fake::end`] and are lost by [`Fake::lose`].
//!
//! # Evidence
//! Every call is kept with a flag whether it may change anything: [`Fake::calls`], [`Fake::mutating_calls`].
//!
//! Time is `tokio::time`, so a test may pause it; timestamps count from the start of the year 2026. Each instance has
//! an address on 127.0.0.1 where nobody listens.

mod behaviour;
mod beside;
mod call;
mod instances;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use seaworthy_project::model::healthcheck::Healthcheck;
use seaworthy_project::{Loss, Project, ProjectName, Service, ServiceName};
use tokio::time::Instant;

pub use behaviour::Behaviour;
pub use call::{Call, Fault, Verb};

use crate::{
    Artifact, Engine, EngineError, Exec, ExecStreams, Exit, Facts, Inspection, Instance, InstanceEvent,
    InstanceId, LogCursor, LogLine, Observed, Probe, ProbeOutcome, Revision, Slot, Stranger, Usage, event,
};
use call::{Record, after, before};
use instances::{FakeInstance, gone};

/// An engine in memory.
pub struct Fake {
    state: Mutex<State>,
    began: Instant,
}

#[derive(Default)]
struct State {
    record: Record,
    behaviours: BTreeMap<String, Behaviour>,
    /// What a service runs; `None` until it is built.
    artifacts: BTreeMap<ServiceName, Option<Artifact>>,
    built: BTreeMap<ServiceName, Artifact>,
    healths: BTreeMap<ServiceName, Healthcheck>,
    strangers: Vec<Stranger>,
    lost: BTreeSet<String>,
    kept: BTreeSet<(ProjectName, String)>,
    volumes: BTreeMap<ProjectName, BTreeSet<String>>,
    instances: BTreeMap<(ProjectName, String), FakeInstance>,
    ports_given: u16,
    /// What is told of instances instead of what was promised, by their names.
    facts: BTreeMap<String, Facts>,
}

impl Default for Fake {
    fn default() -> Self {
        Self::new()
    }
}

impl Fake {
    /// An engine on which nothing runs.
    pub fn new() -> Self {
        Self { state: Mutex::default(), began: Instant::now() }
    }

    /// Sets how instances of an artifact behave from their next start on.
    pub fn behave(&self, digest: &str, behaviour: Behaviour) {
        self.state().behaviours.insert(digest.to_owned(), behaviour);
    }

    /// Sets what a service would run if it were deployed now.
    pub fn set_artifact(&self, service: &ServiceName, artifact: Artifact) {
        self.state().artifacts.insert(service.clone(), Some(artifact));
    }

    /// Makes a service one that must be built first, which gives `artifact`.
    pub fn set_unbuilt(&self, service: &ServiceName, artifact: Artifact) {
        let mut state = self.state();
        state.artifacts.insert(service.clone(), None);
        state.built.insert(service.clone(), artifact);
    }

    /// Gives what a service runs a health check of its own.
    pub fn set_health(&self, service: &ServiceName, health: Healthcheck) {
        self.state().healths.insert(service.clone(), health);
    }

    /// Lets something run that another tool made.
    pub fn set_strangers(&self, strangers: Vec<Stranger>) {
        self.state().strangers = strangers;
    }

    /// Makes an artifact disappear: it can be neither prepared nor, where not kept yet, started.
    pub fn lose_artifact(&self, digest: &str) {
        self.state().lost.insert(digest.to_owned());
    }

    /// Lets the `nth` call of a verb from now on fail; 1 is the next.
    pub fn fail_at(&self, verb: Verb, nth: u32, fault: Fault) {
        self.state().record.plan(verb, Some(nth), fault);
    }

    /// Lets every call of a verb fail until [`Fake::heal`].
    pub fn fail_always(&self, verb: Verb, fault: Fault) {
        self.state().record.plan(verb, None, fault);
    }

    /// Takes back all faults that have not struck yet.
    pub fn heal(&self) {
        self.state().record.heal();
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<Call> {
        self.state().record.calls().to_vec()
    }

    /// The calls so far that may have changed anything.
    pub fn mutating_calls(&self) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.mutates).collect()
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        self.state().record.forget();
    }

    /// Ends the main process of an instance with that code, as its last end. Does nothing when there is none.
    pub fn end(&self, project: &ProjectName, instance: &InstanceId, code: i32) {
        let elapsed = self.began.elapsed();
        if let Some(found) = self.state().find(project, instance) {
            found.end(elapsed, code);
        }
    }

    /// Makes an instance lost, as when its machine lost power. Does nothing when there is none.
    pub fn lose(&self, project: &ProjectName, instance: &InstanceId) {
        if let Some(found) = self.state().find(project, instance) {
            found.lost = true;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, verb: Verb, subject: impl ToString) -> Option<Fault> {
        self.state().record.note(verb, subject.to_string())
    }

    /// The moment that lies so long after this engine was made.
    fn timestamp(elapsed: Duration) -> Timestamp {
        let year_2026 = Timestamp::from_second(1_767_225_600).expect("the year 2026 is in range");
        year_2026.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }
}

impl State {
    fn find(&mut self, project: &ProjectName, instance: &InstanceId) -> Option<&mut FakeInstance> {
        self.instances.get_mut(&(project.clone(), instance.to_string()))
    }

    fn in_use(&self, digest: &str) -> bool {
        self.instances.values().any(|instance| instance.digest == digest)
    }
}

#[async_trait]
impl Engine for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn losses(&self, _project: &Project) -> Vec<Loss> {
        Vec::new()
    }

    async fn inspect(&self, _project: &Project, service: &Service) -> Result<Inspection, EngineError> {
        let fault = self.note(Verb::Inspect, &service.name.value);
        before(Verb::Inspect, fault).await?;
        let set = self.state().artifacts.get(&service.name.value).cloned();
        let health = self.state().healths.get(&service.name.value).cloned();
        let builds = service.build.is_some() || self.state().built.contains_key(&service.name.value);
        let artifact = set.unwrap_or_else(|| Some(instances::default_artifact(service)));
        after(Verb::Inspect, fault, Inspection { artifact, builds, health, losses: Vec::new(), image: None })
    }

    async fn build(
        &self,
        _project: &Project,
        service: &Service,
        output: &mut (dyn for<'line> FnMut(&'line str) + Send),
    ) -> Result<(), EngineError> {
        let fault = self.note(Verb::Build, &service.name.value);
        before(Verb::Build, fault).await?;
        output("built");
        let mut state = self.state();
        if let Some(artifact) = state.built.get(&service.name.value).cloned() {
            state.artifacts.insert(service.name.value.clone(), Some(artifact));
        }
        after(Verb::Build, fault, ())
    }

    async fn observe(&self, project: &ProjectName) -> Result<Observed, EngineError> {
        let fault = self.note(Verb::Observe, project);
        before(Verb::Observe, fault).await?;
        after(Verb::Observe, fault, self.look(project))
    }

    async fn prepare(&self, revision: &Revision) -> Result<(), EngineError> {
        let fault = self.note(Verb::Prepare, &revision.service.name.value);
        before(Verb::Prepare, fault).await?;
        let mut state = self.state();
        let digest = &revision.artifact.digest;
        let kept = state.kept.iter().any(|(_, kept)| kept == digest);
        if !kept && state.lost.contains(digest) {
            return Err(gone(revision, "was not found", "Build or deploy it again."));
        }
        state.kept.insert((revision.project.clone(), digest.clone()));
        let names =
            revision.volumes.iter().filter(|volume| !volume.external).map(|volume| volume.name.clone());
        state.volumes.entry(revision.project.clone()).or_default().extend(names);
        after(Verb::Prepare, fault, ())
    }

    async fn ensure(&self, revision: &Revision, slot: Slot) -> Result<Instance, EngineError> {
        let subject = format!("{}.{}.{slot}", revision.service.name.value, revision.id);
        let fault = self.note(Verb::Ensure, subject);
        before(Verb::Ensure, fault).await?;
        let made = self.make(revision, slot)?;
        after(Verb::Ensure, fault, made)
    }

    async fn run_once(&self, revision: &Revision, deadline: Duration) -> Result<Exit, EngineError> {
        let fault = self.note(Verb::RunOnce, &revision.service.name.value);
        before(Verb::RunOnce, fault).await?;
        let exit = self.run_job(revision, deadline).await?;
        after(Verb::RunOnce, fault, exit)
    }

    async fn probe(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
        probe: &Probe,
    ) -> Result<ProbeOutcome, EngineError> {
        let fault = self.note(Verb::Probe, instance);
        before(Verb::Probe, fault).await?;
        let elapsed = self.began.elapsed();
        let outcome = match self.state().find(project, instance) {
            Some(found) => found.answer(elapsed, probe),
            None => return Err(EngineError::NoInstance { instance: instance.to_string() }),
        };
        after(Verb::Probe, fault, outcome)
    }

    async fn remove(&self, project: &ProjectName, instance: &InstanceId) -> Result<(), EngineError> {
        let fault = self.note(Verb::Remove, instance);
        before(Verb::Remove, fault).await?;
        self.state().instances.remove(&(project.clone(), instance.to_string()));
        after(Verb::Remove, fault, ())
    }

    async fn logs(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
        cursor: LogCursor,
        limit: usize,
    ) -> Result<(Vec<LogLine>, LogCursor), EngineError> {
        let fault = self.note(Verb::Logs, instance);
        before(Verb::Logs, fault).await?;
        let read = match self.state().find(project, instance) {
            Some(found) => found.read(cursor, limit),
            None => return Err(EngineError::NoInstance { instance: instance.to_string() }),
        };
        after(Verb::Logs, fault, read)
    }

    async fn facts(&self, revision: &Revision, instance: &InstanceId) -> Result<Facts, EngineError> {
        let fault = self.note(Verb::Facts, instance);
        before(Verb::Facts, fault).await?;
        let facts = self.facts_of(revision, instance)?;
        after(Verb::Facts, fault, facts)
    }

    async fn describe(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
    ) -> Result<serde_json::Value, EngineError> {
        let fault = self.note(Verb::Describe, instance);
        before(Verb::Describe, fault).await?;
        let told = serde_json::json!(self.shown(project, instance)?);
        after(Verb::Describe, fault, told)
    }

    async fn usage(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
    ) -> Result<Option<Usage>, EngineError> {
        let fault = self.note(Verb::Usage, instance);
        before(Verb::Usage, fault).await?;
        let usage = self.usage_of(project, instance)?;
        after(Verb::Usage, fault, usage)
    }

    async fn exec(
        &self,
        project: &ProjectName,
        instance: &InstanceId,
        exec: &Exec,
        streams: ExecStreams,
    ) -> Result<i32, EngineError> {
        let fault = self.note(Verb::Exec, instance);
        before(Verb::Exec, fault).await?;
        let code = self.run_beside(project, instance, exec, streams).await?;
        after(Verb::Exec, fault, code)
    }

    async fn events(
        &self,
        project: &ProjectName,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        tell: &mut (dyn FnMut(InstanceEvent) -> bool + Send),
    ) -> Result<(), EngineError> {
        let fault = self.note(Verb::Events, project);
        before(Verb::Events, fault).await?;
        let look = || Ok(self.look(project));
        event::looked(look, since, until, tell).await?;
        after(Verb::Events, fault, ())
    }

    async fn volumes(&self, project: &ProjectName) -> Result<Vec<String>, EngineError> {
        let fault = self.note(Verb::Volumes, project);
        before(Verb::Volumes, fault).await?;
        let names = self.state().volumes.get(project).map(|names| names.iter().cloned().collect());
        after(Verb::Volumes, fault, names.unwrap_or_default())
    }

    async fn purge(&self, project: &ProjectName, volumes: bool) -> Result<(), EngineError> {
        let fault = self.note(Verb::Purge, project);
        before(Verb::Purge, fault).await?;
        let mut state = self.state();
        state.instances.retain(|(owner, _), _| owner != project);
        if volumes {
            state.volumes.remove(project);
        }
        after(Verb::Purge, fault, ())
    }

    async fn strangers(&self, _project: &ProjectName) -> Result<Vec<Stranger>, EngineError> {
        Ok(self.state().strangers.clone())
    }

    async fn remove_stranger(&self, _project: &ProjectName, name: &str) -> Result<(), EngineError> {
        self.state().strangers.retain(|stranger| stranger.name != name);
        Ok(())
    }

    async fn prune(&self, project: &ProjectName, keep: &[Artifact]) -> Result<(), EngineError> {
        let fault = self.note(Verb::Prune, project);
        before(Verb::Prune, fault).await?;
        let mut state = self.state();
        let mut kept = std::mem::take(&mut state.kept);
        kept.retain(|(owner, digest)| {
            owner != project || keep.iter().any(|artifact| &artifact.digest == digest) || state.in_use(digest)
        });
        state.kept = kept;
        after(Verb::Prune, fault, ())
    }
}
