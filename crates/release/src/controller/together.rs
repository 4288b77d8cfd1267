//! Instances that a plan starts one after the other are started a few at a time: nothing lies between them.

use futures_util::future::join_all;
use seaworthy_engine::{Instance, InstanceId};
use tokio::time::Instant;

use crate::controller::walk::Walk;
use crate::controller::{Controller, Stop, Undertaking, with_causes};
use crate::{Action, Event, Step};

/// How many instances are started at once: enough to hide the engine's latency, too few to drown a machine.
const AT_ONCE: usize = 4;

/// Which steps of a plan are taken together.
pub(super) struct Batch<'a> {
    pub(super) steps: &'a [Step],
    /// The number of the first among the steps of this plan, from 1.
    pub(super) first: usize,
    /// How many steps the plan has.
    pub(super) total: usize,
}

/// How many of the next steps start instances and can be taken together; 0 or 1 when they cannot.
pub(super) fn startable(steps: &[Step]) -> usize {
    steps.iter().take(AT_ONCE).take_while(|step| matches!(step.action, Action::Ensure { .. })).count()
}

impl Controller<'_> {
    /// Starts the instances of a batch at once. The journal says of each when it began and how it ended.
    ///
    /// # Errors
    /// The first step that failed and why; all have ended by then.
    pub(super) async fn start_together<'a>(
        &self,
        batch: Batch<'a>,
        undertaking: &Undertaking<'_>,
        walk: &mut Walk,
    ) -> Result<(), (&'a Step, Stop)> {
        let numbered = || batch.steps.iter().enumerate();
        let began = Instant::now();
        for (index, step) in numbered() {
            let number = batch.first + index;
            self.progress.tell(Event::StepStarted { number, total: batch.total, step: step.clone() });
            let stop = |stop| (step, stop);
            if self.interrupt.is_raised() {
                return Err(stop(Stop::Interrupted));
            }
            self.write(undertaking.change, undertaking.steps_before + number, "starting", step)
                .map_err(|error| stop(error.into()))?;
        }
        let deadline = walk.deadline;
        let instances = batch.steps.iter().filter_map(|step| match &step.action {
            Action::Ensure { instance } => Some(instance),
            _ => None,
        });
        let results = join_all(instances.map(|instance| async move {
            (instance, tokio::time::timeout_at(deadline, self.start(instance, undertaking)).await)
        }))
        .await;
        let mut failed = None;
        for ((index, step), (instance, result)) in numbered().zip(results) {
            let done = match result {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(stop)) => self.tolerated(instance, stop, undertaking, walk),
                Err(_) => Err(Stop::late()),
            };
            let phase = if done.is_ok() { "done" } else { "failed" };
            let number = batch.first + index;
            let written = self.write(undertaking.change, undertaking.steps_before + number, phase, step);
            match done.and(written.map_err(Stop::from)) {
                Ok(()) => self.progress.tell(Event::StepDone {
                    number,
                    total: batch.total,
                    step: step.clone(),
                    took: began.elapsed(),
                }),
                Err(stop) => failed = failed.or(Some((step, stop))),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    pub(super) async fn start(
        &self,
        instance: &InstanceId,
        undertaking: &Undertaking<'_>,
    ) -> Result<Instance, Stop> {
        let revision = self.revision(undertaking, &instance.service)?;
        Ok(self.engine.ensure(revision, instance.slot).await?)
    }

    /// Whether the plan goes on without an instance that could not be started.
    pub(super) fn tolerated(
        &self,
        instance: &InstanceId,
        stop: Stop,
        undertaking: &Undertaking<'_>,
        walk: &mut Walk,
    ) -> Result<(), Stop> {
        let Stop::Error(error) = &stop else { return Err(stop) };
        let reason = with_causes(error);
        match self.goes_on_without(undertaking.target, instance, &reason, walk) {
            true => Ok(()),
            false => Err(stop),
        }
    }
}
