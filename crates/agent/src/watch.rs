//! The rounds over one project: look, and where something is not as it should be, carry out a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use seaworthy_engine::{InstanceId, InstanceState};
use seaworthy_release::{
    Clock, Cure, Deployment, Event, Interrupt, LifeCheck, Lock, LockError, Outcome, ReleaseError, Standing,
    unserved,
};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::patient::Patient;
use crate::{Backoff, Healed, Ward, ailments};

/// A change that was cut off is left to the next command for so long: somebody may be about to type it.
const SETTLE_AFTER: Duration = Duration::from_secs(60);
/// Between two looks whether a command waits.
const GIVE_WAY: Duration = Duration::from_millis(100);

/// What surrounds the watching.
pub struct Around<'a> {
    /// The time of day.
    pub clock: &'a dyn Clock,
    /// When the machine was started.
    pub booted: Option<Timestamp>,
    /// Says when to end.
    pub stop: watch::Receiver<bool>,
    /// Takes lines of the log.
    pub log: &'a (dyn Fn(&str) + Send + Sync),
}

/// What a round saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nothing should run.
    Nothing,
    /// Somebody changes something.
    Busy,
    /// A change was cut off a short while ago.
    Unfinished,
    /// A change is paused half-way: a person decides.
    Paused,
    /// All is as it should be.
    Well,
    /// Something is not, and is tried again after a pause.
    Waiting(Vec<String>),
    /// Something was done.
    Healed,
}

/// Watches one project.
#[derive(Default)]
pub struct Watcher {
    patients: BTreeMap<InstanceId, Patient>,
    routes: Backoff,
    settling: Backoff,
    /// How many times something was brought back.
    pub healings: u64,
    /// What was done last.
    pub last: Option<Healed>,
}

impl Watcher {
    /// One round.
    ///
    /// # Errors
    /// When it could not look, or a plan could not begin.
    pub async fn round(&mut self, ward: &Ward, around: &Around<'_>) -> Result<Seen, ReleaseError> {
        if Lock::holder(&ward.folder).is_some() {
            return Ok(Seen::Busy);
        }
        if let Some(change) = ward.store.unfinished()? {
            return self.settle(ward, around, &change).await;
        }
        if ward.store.paused()?.is_some() {
            return Ok(Seen::Paused);
        }
        let quiet = |_: Event| {};
        let standing = ward.operator(around.clock, &quiet, Arc::default()).standing().await?;
        let Some(standing) = standing else {
            self.patients.clear();
            return Ok(Seen::Nothing);
        };
        self.ask(ward, &standing).await;
        let ill = self.ill(&standing, around);
        let now = Instant::now();
        let unserved = unserved(&standing.target, &standing.world);
        if !unserved {
            self.routes.well(now);
        }
        if self.due(&ill, now).is_empty() && !(unserved && self.routes.is_due(now)) {
            let waiting: Vec<String> = ill.into_iter().map(|cure| cure.cause).collect();
            return Ok(if waiting.is_empty() { Seen::Well } else { Seen::Waiting(waiting) });
        }
        self.heal(ward, around).await
    }

    /// Asks those that run whether they are well, each as often as its check says.
    async fn ask(&mut self, ward: &Ward, standing: &Standing) {
        let now = Instant::now();
        let wished: BTreeSet<InstanceId> =
            standing.target.services.iter().flat_map(|wanted| wanted.instances()).collect();
        self.patients.retain(|id, _| wished.contains(id));
        let mut asked = Vec::new();
        for instance in standing.world.observed.instances.iter().filter(|one| wished.contains(&one.id)) {
            let Some(revision) = standing.revisions.get(&instance.id.service) else { continue };
            let patient = self.patients.entry(instance.id.clone()).or_default();
            patient.started(instance.started_at, now);
            let Some(check) = LifeCheck::of(&revision.service) else { continue };
            if instance.state == InstanceState::Running && patient.is_to_be_asked(&check, now) {
                asked.push((instance.id.clone(), check.probe));
            }
        }
        let answers = asked.iter().map(|(id, probe)| ward.engine.probe(&ward.project, id, probe));
        let answers = join_all(answers).await;
        for ((id, _), answer) in asked.iter().zip(answers) {
            let grace = standing.target.get(&id.service).map(|wanted| wanted.timers.ready_deadline);
            // An engine that cannot ask says nothing about the instance.
            if let (Some(patient), Ok(answer)) = (self.patients.get_mut(id), answer) {
                patient.answered(answer.ready, answer.detail, grace.unwrap_or_default(), Instant::now());
            }
        }
    }

    /// All that is not as it should be; notes for each instance how it was seen.
    fn ill(&mut self, standing: &Standing, around: &Around<'_>) -> Vec<Cure> {
        let mut unwell = BTreeMap::new();
        for (id, patient) in &self.patients {
            let check =
                standing.revisions.get(&id.service).and_then(|revision| LifeCheck::of(&revision.service));
            if let Some(what) = check.and_then(|check| patient.unwell(&check)) {
                unwell.insert(id.clone(), what);
            }
        }
        let ill = ailments(standing, around.booted, &unwell);
        let now = Instant::now();
        for id in standing.target.services.iter().flat_map(|wanted| wanted.instances()) {
            let sick = unwell.contains_key(&id) || ill.iter().any(|cure| cure.instance == id);
            let patient = self.patients.entry(id).or_default();
            if sick { patient.backoff.ill() } else { patient.backoff.well(now) }
        }
        ill
    }

    /// Those that may be brought back now.
    fn due(&self, ill: &[Cure], now: Instant) -> Vec<Cure> {
        let due = |cure: &&Cure| self.patients.get(&cure.instance).is_none_or(|one| one.backoff.is_due(now));
        ill.iter().filter(due).cloned().collect()
    }

    /// Looks again under the lock, and brings back what is due, service by service.
    async fn heal(&mut self, ward: &Ward, around: &Around<'_>) -> Result<Seen, ReleaseError> {
        let _lock = match Lock::take(&ward.folder, &ward.owner(around.clock.now())) {
            Ok(lock) => lock,
            Err(LockError::Held { .. }) => return Ok(Seen::Busy),
            Err(error) => return Err(error.into()),
        };
        if ward.store.unfinished()?.is_some() || ward.store.paused()?.is_some() {
            return Ok(Seen::Unfinished);
        }
        let interrupt = Arc::new(Interrupt::default());
        let listening = give_way(ward, around, interrupt.clone());
        let healed = async {
            let quiet = |_: Event| {};
            let standing = ward.operator(around.clock, &quiet, Arc::default()).standing().await?;
            let Some(standing) = standing else { return Ok(Seen::Nothing) };
            let ill = self.ill(&standing, around);
            let due = self.due(&ill, Instant::now());
            for wanted in &standing.target.services {
                let ours: Vec<Cure> =
                    due.iter().filter(|cure| cure.instance.service == wanted.service).cloned().collect();
                if !ours.is_empty() && !interrupt.is_raised() {
                    self.one_service(ward, around, &ours, &interrupt).await?;
                }
            }
            if due.is_empty() && unserved(&standing.target, &standing.world) {
                self.let_in(ward, around, &interrupt).await?;
            }
            Ok(Seen::Healed)
        };
        tokio::select! {
            seen = healed => seen,
            never = listening => never,
        }
    }

    async fn one_service(
        &mut self,
        ward: &Ward,
        around: &Around<'_>,
        cures: &[Cure],
        interrupt: &Arc<Interrupt>,
    ) -> Result<(), ReleaseError> {
        let quiet = |_: Event| {};
        let operator = ward.operator(around.clock, &quiet, interrupt.clone());
        let outcome = operator.heal(cures).await;
        let gave_way = matches!(&outcome, Ok(Outcome::RolledBack { failure, .. }) if failure.interrupted);
        if !gave_way {
            for cure in cures {
                let patient = self.patients.entry(cure.instance.clone()).or_default();
                patient.backoff.tried(Instant::now());
            }
        }
        let causes: Vec<&str> = cures.iter().map(|cure| cure.cause.as_str()).collect();
        self.told(ward, around, &causes.join("; "), outcome)
    }

    /// Lets the gateway send to what is well, and starts it if it is gone.
    async fn let_in(
        &mut self,
        ward: &Ward,
        around: &Around<'_>,
        interrupt: &Arc<Interrupt>,
    ) -> Result<(), ReleaseError> {
        self.routes.tried(Instant::now());
        let quiet = |_: Event| {};
        let outcome = ward.operator(around.clock, &quiet, interrupt.clone()).heal(&[]).await;
        self.told(ward, around, "the gateway did not send to what is well", outcome)
    }

    fn told(
        &mut self,
        ward: &Ward,
        around: &Around<'_>,
        cause: &str,
        outcome: Result<Outcome, ReleaseError>,
    ) -> Result<(), ReleaseError> {
        let project = &ward.project;
        let done = match &outcome {
            Ok(Outcome::Done { .. }) => {
                self.healings += 1;
                (around.log)(&format!("{project}: {cause}: it is back"));
                true
            }
            Ok(Outcome::RolledBack { failure, .. }) if failure.interrupted => {
                (around.log)(&format!("{project}: {cause}: left to a command that waits"));
                return Ok(());
            }
            Ok(Outcome::RolledBack { failure, .. }) => {
                (around.log)(&format!("{project}: {cause}: it could not be brought back: {failure}"));
                false
            }
            Ok(_) => return Ok(()),
            Err(error) => {
                (around.log)(&format!("{project}: {cause}: it could not be brought back: {error}"));
                false
            }
        };
        self.last = Some(Healed { at: around.clock.now(), cause: cause.to_owned(), done });
        outcome.map(|_| ())
    }

    /// Settles what was cut off a while ago, as the next command would.
    async fn settle(
        &mut self,
        ward: &Ward,
        around: &Around<'_>,
        change: &Deployment,
    ) -> Result<Seen, ReleaseError> {
        let lines = ward.store.journal_of(change.id)?;
        let last = lines.last().map_or(change.started_at, |line| line.at);
        let since: Duration = around.clock.now().duration_since(last).try_into().unwrap_or_default();
        let now = Instant::now();
        if since < SETTLE_AFTER || !self.settling.is_due(now) {
            return Ok(Seen::Unfinished);
        }
        let _lock = match Lock::take(&ward.folder, &ward.owner(around.clock.now())) {
            Ok(lock) => lock,
            Err(LockError::Held { .. }) => return Ok(Seen::Busy),
            Err(error) => return Err(error.into()),
        };
        self.settling.tried(now);
        let quiet = |_: Event| {};
        let settled = ward.operator(around.clock, &quiet, Arc::default()).settle().await?;
        if let Some(settled) = settled {
            let how = if settled.finished { "finished" } else { "undone" };
            let cause = format!("a {} was cut off", settled.what);
            (around.log)(&format!("{}: {cause}: it was {how}", ward.project));
            self.healings += 1;
            self.last = Some(Healed { at: around.clock.now(), cause, done: true });
        }
        Ok(Seen::Healed)
    }
}

/// Asks the healing to stop as soon as a command waits for the lock, or the agent is to end.
async fn give_way(ward: &Ward, around: &Around<'_>, interrupt: Arc<Interrupt>) -> Result<Seen, ReleaseError> {
    loop {
        if *around.stop.borrow() || Lock::is_waited_for(&ward.folder) {
            interrupt.raise();
        }
        tokio::time::sleep(GIVE_WAY).await;
    }
}
