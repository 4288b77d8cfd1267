//! What every command that changes things goes through: settle, plan, ask, carry out, and go back if it fails.

mod go;
mod heal;
mod prune;
mod settle;
mod verbs;
mod verify;

use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;
use seaworthy_engine::{Engine, InstanceId, ReleaseNumber, Revision};
use seaworthy_project::{ProjectName, ServiceName};

use crate::controller::Controller;
use crate::{
    Clock, Failure, Interrupt, Owner, Plan, Progress, Release, ReleaseError, Settings, Store, Target,
    Traffic, Way, World,
};

pub use settle::Settled;

/// Operates one project. Whoever makes one for changing things holds the project's lock.
pub struct Operator<'a> {
    /// The project.
    pub project: ProjectName,
    /// Where it runs.
    pub engine: &'a dyn Engine,
    /// How requests are moved.
    pub traffic: &'a dyn Traffic,
    /// What is remembered.
    pub store: &'a Store,
    /// The time of day.
    pub clock: &'a dyn Clock,
    /// Who is told.
    pub progress: &'a dyn Progress,
    /// Whether somebody wants it to stop.
    pub interrupt: Arc<Interrupt>,
    /// Who changes things.
    pub owner: Owner,
}

/// How a command that changes things ended.
#[derive(Debug)]
pub enum Outcome {
    /// There was nothing to do.
    Nothing {
        /// What runs.
        release: Option<ReleaseNumber>,
    },
    /// The plan was declined.
    Declined,
    /// The goal is reached.
    Done {
        /// What runs now.
        release: Option<ReleaseNumber>,
        /// New instances that failed, as the settings allow, and why. They get no requests.
        failed: Vec<(InstanceId, String)>,
    },
    /// It failed, and all stays as it stands, because `failure_action` says `pause`.
    Paused {
        /// What failed.
        failure: Box<Failure>,
        /// What ran before.
        from: Option<ReleaseNumber>,
        /// What was to run.
        to: Option<ReleaseNumber>,
        /// The failure bundle.
        bundle: Option<PathBuf>,
    },
    /// It failed, and all is as before.
    RolledBack {
        /// What failed.
        failure: Box<Failure>,
        /// What runs; `None` when nothing ran before.
        release: Option<ReleaseNumber>,
        /// The failure bundle.
        bundle: Option<PathBuf>,
    },
    /// It failed, and the way back failed too.
    Broken {
        /// What failed.
        failure: Box<Failure>,
        /// Why the way back failed.
        rollback: String,
        /// The failure bundle.
        bundle: Option<PathBuf>,
    },
}

/// A goal with all that is needed to get there.
pub(crate) struct Goal {
    pub(crate) end: Option<(ReleaseNumber, Settings)>,
    pub(crate) target: Target,
    pub(crate) revisions: IndexMap<ServiceName, Revision>,
}

impl Operator<'_> {
    /// What is now, with what was reached last for telling causes.
    ///
    /// # Errors
    /// When engine, gateway or store cannot be read.
    pub async fn world(&self) -> Result<World, ReleaseError> {
        let current = match self.store.current()? {
            Some((release, settings)) => {
                Some(self.store.release(release)?.target(&settings, self.store.key(), Way::Forward))
            }
            None => None,
        };
        Ok(World {
            observed: self.engine.observe(&self.project).await?,
            serving: self.traffic.serving(&self.project).await?,
            proven: self.store.proven()?,
            jobs_done: self.store.jobs_done()?,
            strangers: self.engine.strangers(&self.project).await?,
            current,
        })
    }

    /// What a plan to this release would do now. Changes nothing.
    ///
    /// # Errors
    /// When there can be no plan.
    pub async fn preview(&self, draft: crate::Draft) -> Result<Plan, ReleaseError> {
        let goal = self.deploy_goal(draft).await?.0;
        Ok(self.checked_plan(&goal).await?.0)
    }

    pub(crate) fn goal(
        &self,
        end: Option<&(ReleaseNumber, Settings)>,
        way: Way,
    ) -> Result<Goal, ReleaseError> {
        let Some((number, settings)) = end else {
            return Ok(Goal { end: None, target: Target::default(), revisions: IndexMap::new() });
        };
        let release = self.store.release(*number)?;
        let target = self.target(&release, settings, way);
        let revisions = release.revisions(&target);
        Ok(Goal { end: Some((*number, settings.clone())), target, revisions })
    }

    /// What should run of a release, on this engine.
    pub(crate) fn target(&self, release: &Release, settings: &Settings, way: Way) -> Target {
        let mut target = release.target(settings, self.store.key(), way);
        if self.engine.name() == "process" {
            // No name leads to an instance there.
            target.service_notes.values_mut().for_each(|notes| notes.callers.clear());
        }
        target
    }

    pub(crate) fn controller<'b>(&'b self, interrupt: &'b Interrupt) -> Controller<'b> {
        Controller {
            project: &self.project,
            engine: self.engine,
            traffic: self.traffic,
            store: self.store,
            clock: self.clock,
            progress: self.progress,
            interrupt,
        }
    }
}
