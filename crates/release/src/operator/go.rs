//! To a goal, and back if it cannot be reached.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use seaworthy_engine::{InstanceId, ReleaseNumber};
use seaworthy_gateway::route::RouteSet;
use tokio::time::Instant;

use crate::bundle::Evidence;
use crate::controller::{Undertaking, with_causes};
use crate::operator::{Goal, Operator, Outcome};
use crate::routes::route_set;
use crate::{
    DeploymentKind, DeploymentState, Event, Failure, Interrupt, Plan, Redactor, ReleaseError, Settings, Way,
    World, plan,
};

/// An answer that came later was a person's, and meanwhile things may have changed.
const AT_ONCE: Duration = Duration::from_millis(300);

type End = Option<(ReleaseNumber, Settings)>;

impl Operator<'_> {
    /// The plan to a goal, after the gateway was asked whether it would take the routes. Changes nothing.
    pub(crate) async fn checked_plan(&self, goal: &Goal) -> Result<(Plan, World), ReleaseError> {
        let world = self.world().await?;
        let plan = plan(&goal.target, &world)?;
        let routed = goal.target.services.iter().filter(|wanted| !wanted.routes.is_empty());
        let nobody: BTreeMap<_, _> = routed.map(|wanted| (wanted.service.clone(), Vec::new())).collect();
        let set = route_set(&goal.target, &nobody, &world.observed, &RouteSet::default()).unwrap_or_default();
        self.traffic.check(&self.project, &set).await?;
        Ok((plan, world))
    }

    /// Goes to a goal. `confirm` sees the plan first; `keep` is called once it is accepted, before the first step.
    pub(crate) async fn go(
        &self,
        kind: DeploymentKind,
        goal: Goal,
        confirm: &mut dyn FnMut(&Plan) -> bool,
        keep: &dyn Fn() -> Result<(), ReleaseError>,
    ) -> Result<Outcome, ReleaseError> {
        let from: End = self.store.current()?;
        let (plan, _) = self.checked_plan(&goal).await?;
        let reached = goal.end.as_ref().map(|(release, _)| *release);
        if plan.is_empty() && from == goal.end {
            return Ok(Outcome::Nothing { release: reached });
        }
        let asked = Instant::now();
        if !confirm(&plan) {
            return Ok(Outcome::Declined);
        }
        // Whoever thought about a plan agreed to that one, and not to what it would be by now.
        if asked.elapsed() >= AT_ONCE && self.checked_plan(&goal).await?.0 != plan {
            return Err(ReleaseError::Moved);
        }
        keep()?;
        self.store.bind_engine(Some(self.engine.name()))?;
        let change = self.store.begin(kind, from.as_ref(), goal.end.as_ref(), &plan, &self.owner)?;
        match self.carry_out(change, &plan, &goal, &self.interrupt).await {
            Ok(failed) => {
                self.finish(change, DeploymentState::Done, &goal.end)?;
                self.prune().await;
                Ok(Outcome::Done { release: reached, failed })
            }
            Err(failure) if failure.paused => self.pause(change, &plan, &goal, from, failure).await,
            Err(failure) if failure.interrupted && failure.admitted => {
                self.progress
                    .tell(Event::Note("interrupted after requests were moved: finishing first".to_owned()));
                self.finish_after_all(change, goal, from, failure).await
            }
            Err(failure) => self.go_back(change, &plan, &goal, from, failure).await,
        }
    }

    pub(crate) async fn carry_out(
        &self,
        change: i64,
        plan: &Plan,
        goal: &Goal,
        interrupt: &Interrupt,
    ) -> Result<Vec<(InstanceId, String)>, Box<Failure>> {
        let steps_before =
            self.store.journal_of(change).map_or(0, |lines| lines.last().map_or(0, |line| line.step));
        let undertaking =
            Undertaking { change, steps_before, target: &goal.target, revisions: &goal.revisions };
        self.controller(interrupt).execute(plan, &undertaking).await
    }

    /// The rest of a change that must not stop half-way.
    async fn finish_after_all(
        &self,
        change: i64,
        goal: Goal,
        from: End,
        interrupted: Box<Failure>,
    ) -> Result<Outcome, ReleaseError> {
        // Whoever asked it to stop does not want to see it wait.
        let plan = plan(&goal.target, &self.world().await?)?.without_delays();
        match self.carry_out(change, &plan, &goal, &Interrupt::default()).await {
            Ok(failed) => {
                self.finish(change, DeploymentState::Done, &goal.end)?;
                Ok(Outcome::Done { release: goal.end.map(|(release, _)| release), failed })
            }
            Err(failure) if failure.paused => self.pause(change, &plan, &goal, from, failure).await,
            Err(failure) => {
                let failure = Box::new(Failure { interrupted: interrupted.interrupted, ..*failure });
                self.go_back(change, &plan, &goal, from, failure).await
            }
        }
    }

    /// Leaves all as it stands: the next deploy of the same goes on, a rollback goes back.
    async fn pause(
        &self,
        change: i64,
        plan: &Plan,
        goal: &Goal,
        from: End,
        failure: Box<Failure>,
    ) -> Result<Outcome, ReleaseError> {
        let bundle = self.save_bundle(change, plan, goal, &failure).await;
        self.finish(change, DeploymentState::Paused, &from)?;
        let redactor = Redactor::of(goal.revisions.values());
        self.store.note_failure(change, &redactor.redact(&failure.to_string()), bundle.as_deref())?;
        let number = |end: &End| end.as_ref().map(|(release, _)| *release);
        Ok(Outcome::Paused { failure, from: number(&from), to: number(&goal.end), bundle })
    }

    /// Saves the evidence, then goes back to where the change began: another plan, by the same planner.
    pub(crate) async fn go_back(
        &self,
        change: i64,
        plan: &Plan,
        goal: &Goal,
        from: End,
        failure: Box<Failure>,
    ) -> Result<Outcome, ReleaseError> {
        let bundle = match failure.interrupted {
            true => None,
            false => self.save_bundle(change, plan, goal, &failure).await,
        };
        let redactor = Redactor::of(goal.revisions.values());
        self.store.note_failure(change, &redactor.redact(&failure.to_string()), bundle.as_deref())?;
        let release = from.as_ref().map(|(release, _)| *release);
        self.progress.tell(Event::RollingBack { to: release });
        let back = match self.goal(from.as_ref(), Way::Back) {
            Ok(back) => self.back(change, &back).await,
            Err(error) => Err(with_causes(&error)),
        };
        match back {
            Ok(()) => {
                self.finish(change, DeploymentState::RolledBack, &from)?;
                self.prune().await;
                if release.is_none() {
                    self.traffic.rest().await?;
                }
                Ok(Outcome::RolledBack { failure, release, bundle })
            }
            Err(rollback) => {
                self.finish(change, DeploymentState::Failed, &from)?;
                Ok(Outcome::Broken { failure, rollback, bundle })
            }
        }
    }

    /// Carries out the plan to an older goal; not to be interrupted.
    pub(crate) async fn back(&self, change: i64, back: &Goal) -> Result<(), String> {
        let world = self.world().await.map_err(|error| with_causes(&error))?;
        let plan = plan(&back.target, &world).map_err(|error| error.to_string())?;
        let done = self.carry_out(change, &plan, back, &Interrupt::default()).await;
        done.map(|_| ()).map_err(|failure| failure.to_string())
    }

    pub(crate) fn finish(
        &self,
        change: i64,
        state: DeploymentState,
        reached: &End,
    ) -> Result<(), ReleaseError> {
        let reached = reached.as_ref().map(|(release, settings)| (*release, settings));
        Ok(self.store.end(change, state, reached, self.clock.now())?)
    }

    async fn save_bundle(&self, change: i64, plan: &Plan, goal: &Goal, failure: &Failure) -> Option<PathBuf> {
        let redactor = Redactor::of(goal.revisions.values());
        let evidence = Evidence {
            project: &self.project,
            engine: self.engine,
            store: self.store,
            clock: self.clock,
            redactor: &redactor,
            change,
            plan,
            failure,
        };
        match evidence.save().await {
            Ok(bundle) => {
                for (instance, lines) in bundle.last_lines {
                    self.progress.tell(Event::LastLines { instance, lines });
                }
                self.progress.tell(Event::Bundle { path: bundle.path.clone() });
                Some(bundle.path)
            }
            Err(error) => {
                self.progress.tell(Event::Note(with_causes(&error)));
                None
            }
        }
    }
}
