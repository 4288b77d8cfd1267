//! The isolated project while it runs: what a service needs is brought up once, each try is made and taken away.

use std::collections::BTreeMap;
use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;
use seaworthy_engine::{
    Engine, EngineError, Instance, InstanceId, InstanceKind, InstanceState, LogCursor, Probe, Revision,
    RevisionId, Slot,
};
use seaworthy_project::{Project, Service, ServiceName, load_resolved};
use tokio::time::{Instant, sleep};

use super::ProveError;
use super::exercise::{self, Exercise};
use super::isolate::Isolated;
use super::rights::Rights;
use super::search::Attempt;
use super::symptom::{Symptom, is_denial};
use crate::{Event, Interrupt, Progress, Redactor, Release};

/// Between two questions while an instance starts.
const INTERVAL: Duration = Duration::from_millis(250);
/// Lines of a log that are looked at.
const LOG_LINES: usize = 60;
/// How long a test of ours may take.
const ONE_ANSWER: Duration = Duration::from_secs(5);

/// What tells of one service whether it is healthy, and how long it may take.
#[derive(Debug, Clone)]
pub(super) struct Health {
    pub(super) probe: Probe,
    pub(super) kind: InstanceKind,
    /// How long it may take to get ready.
    pub(super) deadline: Duration,
    /// How long it must stay ready.
    pub(super) stay: Duration,
    pub(super) exercise: Option<Exercise>,
    /// Volumes that outlive a container: a service that has any is started on them a second time.
    pub(super) volumes: Vec<String>,
    pub(super) starts_twice: bool,
    /// Whether it ends by itself when it is told to: then it must go on doing so.
    pub(super) stops: bool,
}

/// The isolated project.
pub(super) struct World<'a> {
    pub(super) engine: &'a dyn Engine,
    pub(super) interrupt: &'a Interrupt,
    pub(super) progress: &'a dyn Progress,
    pub(super) isolated: &'a Isolated,
    pub(super) original: &'a Project,
    /// What it runs and is given; its project is replaced for every try.
    pub(super) release: Release,
    /// Services that run for others, and what they were proven with.
    pub(super) running: Vec<ServiceName>,
    pub(super) proven: BTreeMap<ServiceName, Rights>,
    pub(super) tries: u32,
}

/// A try that stands.
pub(super) struct Standing {
    pub(super) revision: Revision,
    pub(super) instance: InstanceId,
    /// How long it took to get ready.
    pub(super) took: Duration,
}

impl World<'_> {
    /// Runs a service once, and takes it away again. `look` may look at it before.
    pub(super) async fn attempt(
        &mut self,
        service: &ServiceName,
        health: &Health,
        rights: &Rights,
    ) -> Result<Attempt, ProveError> {
        let revision = self.revision(service, health, rights)?;
        let mut attempt = match self.stand(&revision, health).await? {
            Ok(_) => Attempt::default(),
            Err(attempt) => attempt,
        };
        let stopped = self.take_away(&revision).await?;
        if attempt.symptom.is_none() && health.stops && !stopped {
            let how = "it did not stop when it was told to, and had to be killed";
            attempt = Attempt { symptom: Some(Symptom::new(how, &[])), unexplained: true, ..attempt };
        }
        if attempt.symptom.is_some() || !health.starts_twice {
            return Ok(attempt);
        }
        // On what the first start left behind.
        let again = Health { exercise: None, ..health.clone() };
        let second = match self.stand(&revision, &again).await? {
            Ok(_) => Attempt::default(),
            Err(attempt) => Attempt {
                symptom: attempt
                    .symptom
                    .map(|symptom| Symptom { how: format!("started again, {}", symptom.how), ..symptom }),
                ..attempt
            },
        };
        self.take_away(&revision).await?;
        Ok(second)
    }

    /// What a service runs in a try: volumes of its own, so that no try sees what another one left: half of what a
    /// start makes may be there when it failed.
    pub(super) fn revision(
        &mut self,
        service: &ServiceName,
        health: &Health,
        rights: &Rights,
    ) -> Result<Revision, ProveError> {
        self.tries += 1;
        let json = self.isolated.with(service, rights, self.tries, health);
        let project = self.original;
        let loaded =
            load_resolved(&json.to_string(), &self.isolated.name, &project.environment, &project.directory);
        let Some(loaded_project) = loaded.project else {
            return Err(ProveError::Isolate { problems: loaded.problems });
        };
        let mut release = self.release.clone();
        release.project = loaded_project;
        let id = RevisionId(format!("try{}", self.tries));
        let known = release.project.services.get(service).cloned();
        let revision = known.and_then(|known| release.assembled(&known, id, health.kind));
        revision.ok_or_else(|| ProveError::NoImage { service: service.to_string() })
    }

    /// Starts an instance and waits until it is ready, stayed so, and was exercised.
    pub(super) async fn stand(
        &self,
        revision: &Revision,
        health: &Health,
    ) -> Result<Result<Standing, Attempt>, ProveError> {
        let begun = Instant::now();
        let instance = InstanceId {
            service: revision.service.name.value.clone(),
            revision: revision.id.clone(),
            slot: Slot(std::num::NonZeroU32::MIN),
        };
        if self.interrupt.is_raised() {
            return Err(ProveError::Interrupted);
        }
        self.engine.prepare(revision).await?;
        if health.kind == InstanceKind::Job {
            return self.job(revision, instance, health, begun).await;
        }
        if let Err(error) = self.engine.ensure(revision, only_slot()).await {
            return match error {
                // A container that cannot be started with these rights is an answer.
                EngineError::Refused { reason, .. } if !is_away(&reason) => Ok(Err(Attempt {
                    symptom: Some(Symptom::new(format!("it could not be started: {reason}"), &[])),
                    log: vec![reason],
                    unexplained: false,
                })),
                error => Err(error.into()),
            };
        }
        let seen = tokio::select! {
            seen = self.watch(revision, &instance, health) => seen?,
            () = self.interrupt.wait() => return Err(ProveError::Interrupted),
        };
        match seen {
            Ok(ready_at) => Ok(Ok(Standing { revision: revision.clone(), instance, took: ready_at - begun })),
            Err(how) => Ok(Err(self.failed(revision, &instance, how).await?)),
        }
    }

    async fn job(
        &self,
        revision: &Revision,
        instance: InstanceId,
        health: &Health,
        begun: Instant,
    ) -> Result<Result<Standing, Attempt>, ProveError> {
        let exit = tokio::select! {
            exit = self.engine.run_once(revision, health.deadline) => exit,
            () = self.interrupt.wait() => return Err(ProveError::Interrupted),
        };
        match exit {
            Ok(exit) if exit.success() => {
                Ok(Ok(Standing { revision: revision.clone(), instance, took: begun.elapsed() }))
            }
            Ok(exit) => {
                let how = format!("it ended with exit code {}", exit.code);
                Ok(Err(self.failed(revision, &instance, how).await?))
            }
            Err(EngineError::Refused { reason, .. }) if !is_away(&reason) => Ok(Err(Attempt {
                symptom: Some(Symptom::new(format!("it could not be started: {reason}"), &[])),
                log: vec![reason],
                unexplained: false,
            })),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks until it is ready and stayed so, then exercises it and asks once more. Answers when it got ready, or how
    /// it failed.
    async fn watch(
        &self,
        revision: &Revision,
        instance: &InstanceId,
        health: &Health,
    ) -> Result<Result<Instant, String>, ProveError> {
        let begun = Instant::now();
        let mut since: Option<Instant> = None;
        loop {
            let answer = self.engine.probe(&revision.project, instance, &health.probe).await?;
            let now = Instant::now();
            match (answer.ready, since) {
                (true, None) => since = Some(now),
                (true, Some(_)) => {}
                (false, _) => since = None,
            }
            if let Some(how) = self.ended(revision, instance).await? {
                return Ok(Err(how));
            }
            if let Some(since) = since.filter(|since| now - *since >= health.stay) {
                return Ok(match self.exercised(revision, instance, health).await? {
                    None => Ok(since),
                    Some(how) => Err(how),
                });
            }
            if since.is_none() && now - begun >= health.deadline {
                let seconds = health.deadline.as_secs();
                let how = format!("it was not ready within {seconds} s ({})", first_line(&answer.detail));
                return Ok(Err(how));
            }
            sleep(INTERVAL).await;
        }
    }

    /// How the exercise failed, or the instance after it.
    async fn exercised(
        &self,
        revision: &Revision,
        instance: &InstanceId,
        health: &Health,
    ) -> Result<Option<String>, ProveError> {
        let Some(exercise) = &health.exercise else { return Ok(None) };
        if let Some(how) = exercise::run(self.engine, revision, instance, exercise).await? {
            return Ok(Some(how));
        }
        if let Some(how) = self.ended(revision, instance).await? {
            return Ok(Some(format!("after its exercise {how}")));
        }
        let answer = self.engine.probe(&revision.project, instance, &health.probe).await?;
        Ok((!answer.ready)
            .then(|| format!("after its exercise it was not ready ({})", first_line(&answer.detail))))
    }

    async fn ended(&self, revision: &Revision, instance: &InstanceId) -> Result<Option<String>, ProveError> {
        let seen = self.engine.observe(&revision.project).await?;
        let seen = seen.instances.into_iter().find(|one| &one.id == instance);
        Ok(match seen {
            None => Some("it is gone".to_owned()),
            Some(Instance { state: InstanceState::Running | InstanceState::Created, .. }) => None,
            Some(Instance { exit: Some(exit), .. }) if exit.out_of_memory => {
                Some("it was killed for want of memory".to_owned())
            }
            Some(Instance { exit: Some(exit), .. }) => Some(format!("it ended with exit code {}", exit.code)),
            Some(_) => Some("it ended".to_owned()),
        })
    }

    async fn failed(
        &self,
        revision: &Revision,
        instance: &InstanceId,
        how: String,
    ) -> Result<Attempt, ProveError> {
        let redactor = Redactor::of([revision]);
        let read = self.engine.logs(&revision.project, instance, LogCursor::tail(LOG_LINES), LOG_LINES).await;
        let log: Vec<String> = match read {
            Ok((lines, _)) => lines.into_iter().map(|line| redactor.redact(&line.text)).collect(),
            Err(EngineError::NoInstance { .. }) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let mut clues = log.clone();
        clues.push(how.clone());
        let unexplained = !clues.iter().any(|line| is_denial(line));
        Ok(Attempt { symptom: Some(Symptom::new(redactor.redact(&how), &log)), log: clues, unexplained })
    }

    /// Takes a try away, however far it came. Answers whether it ended before it had to be killed.
    pub(super) async fn take_away(&self, revision: &Revision) -> Result<bool, ProveError> {
        let begun = Instant::now();
        let seen = self.engine.observe(&revision.project).await?;
        let ours = seen
            .instances
            .iter()
            .filter(|one| one.id.revision == revision.id && one.id.service == revision.service.name.value);
        for one in ours {
            self.engine.remove(&revision.project, &one.id).await?;
        }
        Ok(begun.elapsed() < revision.service.stop_grace())
    }

    /// Brings up all that a service needs, with what was proven of it. Answers what did not get ready, if anything.
    pub(super) async fn bring(
        &mut self,
        needed: &[ServiceName],
        healths: &IndexMap<ServiceName, Health>,
    ) -> Result<Option<String>, ProveError> {
        for name in needed {
            if self.running.contains(name) {
                continue;
            }
            let Some(health) = healths.get(name) else {
                return Ok(Some(format!("`{name}`, which it needs, cannot be tried")));
            };
            self.progress.tell(Event::Note(format!("{name}  is started: others need it")));
            let rights = self.proven.get(name).cloned().unwrap_or_default();
            let revision = self.revision(name, health, &rights)?;
            let health = Health { exercise: None, stay: ONE_ANSWER.min(health.stay), ..health.clone() };
            if let Err(attempt) = self.stand(&revision, &health).await? {
                self.take_away(&revision).await?;
                let why = attempt.symptom.map_or_else(String::new, |symptom| symptom.to_string());
                return Ok(Some(format!("`{name}`, which it needs, was not healthy: {why}")));
            }
            self.running.push(name.clone());
        }
        Ok(None)
    }
}

fn only_slot() -> Slot {
    Slot(std::num::NonZeroU32::MIN)
}

/// Whether it is the daemon that failed, and not what was tried.
fn is_away(reason: &str) -> bool {
    ["closed the connection", "did not answer in time", "no space left"]
        .iter()
        .any(|word| reason.contains(word))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// A release that stands for the isolated project; what it runs and is given does not change from try to try.
pub(super) fn release(
    project: &Project,
    artifacts: IndexMap<ServiceName, seaworthy_engine::Artifact>,
    files: IndexMap<String, seaworthy_project::Sensitive>,
) -> Release {
    Release {
        number: crate::ReleaseNumber(1),
        created_at: Timestamp::UNIX_EPOCH,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        origin: crate::Origin::default(),
        project: project.clone(),
        artifacts,
        files,
        losses: Vec::new(),
    }
}

/// Volumes that outlive a container of the service and that nobody else mounts.
pub(super) fn own_volumes(project: &Project, service: &Service) -> Vec<String> {
    let mounted = |service: &Service| -> Vec<String> {
        let mounts = service.mounts.iter().filter_map(|mount| mount.value.source.clone());
        mounts.filter(|source| project.volumes.contains_key(source)).collect()
    };
    let others: Vec<String> =
        project.services().filter(|other| other.name.value != service.name.value).flat_map(mounted).collect();
    mounted(service).into_iter().filter(|volume| !others.contains(volume)).collect()
}
