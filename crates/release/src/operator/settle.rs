//! Settling what a dead owner left unfinished: before the first `Admit` it is undone, after it finished.

use seaworthy_engine::ReleaseNumber;

use crate::operator::{Goal, Operator};
use crate::{Action, Deployment, DeploymentKind, DeploymentState, Event, Interrupt, ReleaseError, Way, plan};

/// What was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// What it was: `deploy of release 4`.
    pub what: String,
    /// Whether it was finished; else it was undone.
    pub finished: bool,
    /// What runs now.
    pub release: Option<ReleaseNumber>,
}

impl Operator<'_> {
    /// Settles an unfinished change, if there is one. The caller holds the lock, so its owner is dead.
    ///
    /// # Errors
    /// When it can be neither finished nor undone; it stays unfinished, and the next command tries again.
    pub async fn settle(&self) -> Result<Option<Settled>, ReleaseError> {
        let Some(change) = self.store.unfinished()? else { return Ok(None) };
        // A healing leads to where it began; whatever it left is seen by the next plan.
        if change.kind == DeploymentKind::Heal {
            self.store.note_failure(change.id, "it was cut off", None)?;
            self.finish(change.id, DeploymentState::Undone, &change.from)?;
            return Ok(None);
        }
        let what = describe(&change);
        let finish = change.reason.is_none() && self.admitted(&change)?;
        self.progress.tell(Event::Settling { what: what.clone(), finish });
        if finish {
            let way = if change.kind == DeploymentKind::Rollback { Way::Back } else { Way::Forward };
            let goal = self.goal(change.to.as_ref(), way)?;
            if self.reach(change.id, &goal).await.is_ok() {
                self.finish(change.id, DeploymentState::Finished, &goal.end)?;
                self.prune().await;
                return Ok(Some(Settled {
                    what,
                    finished: true,
                    release: goal.end.map(|(release, _)| release),
                }));
            }
            self.progress.tell(Event::Note(format!("the {what} cannot be finished: undoing it")));
            self.store.note_failure(change.id, "could not be finished after it was cut off", None)?;
        }
        let goal = self.goal(change.from.as_ref(), Way::Back)?;
        self.reach(change.id, &goal).await?;
        let state =
            if change.reason.is_some() { DeploymentState::RolledBack } else { DeploymentState::Undone };
        self.finish(change.id, state, &goal.end)?;
        self.prune().await;
        Ok(Some(Settled { what, finished: false, release: goal.end.map(|(release, _)| release) }))
    }

    async fn reach(&self, change: i64, goal: &Goal) -> Result<(), ReleaseError> {
        let plan = plan(&goal.target, &self.world().await?)?;
        let done = self.carry_out(change, &plan, goal, &Interrupt::default()).await;
        done.map(|_| ()).map_err(|failure| ReleaseError::Unsettled { reason: failure.to_string() })
    }

    /// Whether the gateway was asked to take a new set.
    fn admitted(&self, change: &Deployment) -> Result<bool, ReleaseError> {
        let lines = self.store.journal_of(change.id)?;
        Ok(lines.iter().any(|line| matches!(line.action, Action::Admit { .. })))
    }
}

/// A change as words: `deploy of release 4`.
pub(crate) fn describe(change: &Deployment) -> String {
    match &change.to {
        Some((release, _)) => format!("{} of release {release}", change.kind),
        None => change.kind.to_string(),
    }
}
