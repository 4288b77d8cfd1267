//! Carries out a plan, step by step, with a line in the journal before and after each.

mod act;
mod await_ready;
mod interrupt;
mod readiness;
mod together;
mod walk;

use std::fmt;
use std::time::Duration;

use indexmap::IndexMap;
use seaworthy_engine::{Engine, Exit, InstanceId, Revision};
use seaworthy_project::{ProjectName, ServiceName};
use tokio::time::Instant;

use crate::controller::together::{Batch, startable};
use crate::controller::walk::Walk;
use crate::{Action, Clock, Event, Plan, Progress, ReleaseError, Step, Store, StoreError, Target, Traffic};

pub use interrupt::Interrupt;
pub use readiness::LifeCheck;
pub(crate) use readiness::question;

/// Carries out plans for one project. Decides nothing: the plan has decided.
pub struct Controller<'a> {
    /// The project.
    pub project: &'a ProjectName,
    /// Where it runs.
    pub engine: &'a dyn Engine,
    /// How requests are moved.
    pub traffic: &'a dyn Traffic,
    /// Where the journal is.
    pub store: &'a Store,
    /// The time of day.
    pub clock: &'a dyn Clock,
    /// Who is told.
    pub progress: &'a dyn Progress,
    /// Whether somebody wants it to stop.
    pub interrupt: &'a Interrupt,
}

/// What a plan is carried out with.
pub struct Undertaking<'a> {
    /// The change in the journal.
    pub change: i64,
    /// Steps the change has in the journal already.
    pub steps_before: usize,
    /// What the plan leads to.
    pub target: &'a Target,
    /// What the engine runs for it.
    pub revisions: &'a IndexMap<ServiceName, Revision>,
}

/// A plan that stopped half-way.
#[derive(Debug)]
pub struct Failure {
    /// The step that failed, or before which it was interrupted.
    pub step: Step,
    /// Why, in a sentence or two.
    pub reason: String,
    /// What to do, where something is known to help.
    pub hint: Option<String>,
    /// What was last seen of instances that did not get ready.
    pub seen: Vec<(InstanceId, String)>,
    /// Whether somebody asked it to stop.
    pub interrupted: bool,
    /// Whether the gateway was asked to take a new set before.
    pub admitted: bool,
    /// Whether all stays as it stands, because `failure_action` says `pause`.
    pub paused: bool,
}

impl Failure {
    /// What helps, where something is known to.
    pub fn hint(&self) -> Option<&'static str> {
        self.reason.contains(WANT_OF_MEMORY).then_some(
            "raise `deploy.resources.limits.memory`, or let the program use less: many take their share of the machine's memory, not of their limit",
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step.action, self.reason)
    }
}

/// What is said of what the kernel ended because its memory was used up.
const WANT_OF_MEMORY: &str = "was killed for want of memory";

/// How an instance of a revision ended, to stand after its name.
pub(crate) fn ended(exit: &Exit, revision: &Revision) -> String {
    if !exit.out_of_memory {
        return format!("ended with exit code {}", exit.code);
    }
    let limit = match revision.service.memory_limit() {
        Some(limit) => format!("limit {limit}"),
        None => "the machine has no more".to_owned(),
    };
    format!("{WANT_OF_MEMORY}: {limit} (exit code {})", exit.code)
}

/// Why a step failed.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Somebody asked.
    Interrupted,
    /// An instance is not as it must be.
    Unready { reason: String, seen: Vec<(InstanceId, String)> },
    /// Something refused.
    Error(ReleaseError),
}

impl<E: Into<ReleaseError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

impl Stop {
    fn late() -> Self {
        Self::Unready { reason: "the progress deadline passed".to_owned(), seen: Vec::new() }
    }
}

impl Controller<'_> {
    /// Carries out a plan. Answers which new instances failed that the settings allow to fail, and why.
    ///
    /// # Errors
    /// The step that failed and why. What was done stays done: going back is another plan.
    pub async fn execute(
        &self,
        plan: &Plan,
        undertaking: &Undertaking<'_>,
    ) -> Result<Vec<(InstanceId, String)>, Box<Failure>> {
        let mut walk = Walk::new(progress_deadline(undertaking.target));
        let total = plan.steps.len();
        let mut index = 0;
        while index < total {
            let together = startable(&plan.steps[index..]).max(1);
            let steps = &plan.steps[index..index + together];
            let done = match steps {
                [step] => self
                    .alone(step, index + 1, total, undertaking, &mut walk)
                    .await
                    .map_err(|stop| (step, stop)),
                steps => {
                    let batch = Batch { steps, first: index + 1, total };
                    self.start_together(batch, undertaking, &mut walk).await
                }
            };
            if let Err((step, stop)) = done {
                return Err(Box::new(self.failure(step, stop, undertaking.target, &walk)));
            }
            index += together;
        }
        Ok(walk.failed.into_iter().collect())
    }

    async fn alone(
        &self,
        step: &Step,
        number: usize,
        total: usize,
        undertaking: &Undertaking<'_>,
        walk: &mut Walk,
    ) -> Result<(), Stop> {
        let began = Instant::now();
        self.progress.tell(Event::StepStarted { number, total, step: step.clone() });
        if self.interrupt.is_raised() {
            return Err(Stop::Interrupted);
        }
        self.journalled(undertaking.steps_before + number, step, undertaking, walk).await?;
        self.progress.tell(Event::StepDone { number, total, step: step.clone(), took: began.elapsed() });
        Ok(())
    }

    async fn journalled(
        &self,
        number: usize,
        step: &Step,
        undertaking: &Undertaking<'_>,
        walk: &mut Walk,
    ) -> Result<(), Stop> {
        self.write(undertaking.change, number, "starting", step)?;
        walk.admitted |= matches!(step.action, Action::Admit { .. });
        let done = match &step.action {
            // A wished delay is no lack of progress.
            Action::Wait { time, .. } => self.wait(*time, walk).await,
            action => {
                // Whatever hangs, the change does not: past the deadline it goes back.
                let deadline = walk.deadline;
                match tokio::time::timeout_at(deadline, self.act(action, undertaking, walk)).await {
                    Ok(done) => done,
                    Err(_) => Err(Stop::late()),
                }
            }
        };
        let phase = if done.is_ok() { "done" } else { "failed" };
        self.write(undertaking.change, number, phase, step)?;
        done
    }

    async fn wait(&self, time: Duration, walk: &mut Walk) -> Result<(), Stop> {
        walk.deadline += time;
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.interrupt.wait() => Err(Stop::Interrupted),
        }
    }

    fn write(&self, change: i64, number: usize, phase: &str, step: &Step) -> Result<(), StoreError> {
        self.store.journal(change, number, phase, &step.action, self.clock.now())
    }

    fn failure(&self, step: &Step, stop: Stop, target: &Target, walk: &Walk) -> Failure {
        let hint = if let Stop::Error(error) = &stop { error.hint() } else { None };
        let (reason, seen, interrupted) = match stop {
            Stop::Interrupted => ("interrupted".to_owned(), Vec::new(), true),
            Stop::Unready { reason, seen } => (reason, seen, false),
            Stop::Error(error) => (with_causes(&error), Vec::new(), false),
        };
        self.progress.tell(Event::StepFailed { step: step.clone(), reason: reason.clone() });
        let paused = !interrupted && walk::pauses(target, &step.action, &seen);
        Failure { step: step.clone(), reason, hint, seen, interrupted, admitted: walk.admitted, paused }
    }
}

fn progress_deadline(target: &Target) -> Duration {
    const WITHOUT_SERVICES: Duration = Duration::from_secs(600);
    target.services.iter().map(|wanted| wanted.timers.progress_deadline).max().unwrap_or(WITHOUT_SERVICES)
}

/// An error and all its causes, as one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
