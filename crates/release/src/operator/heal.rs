//! Healing: back to where the store says that the project is already.

use crate::heal::{Cure, Standing, heal_plan};
use crate::operator::{Operator, Outcome};
use crate::{DeploymentKind, DeploymentState, Redactor, ReleaseError, Rolling, Way};

/// Healings that stay in the history; a broken instance makes a few hundred of them a day.
const KEPT_HEALINGS: u32 = 200;

impl Operator<'_> {
    /// What should run and what is; `None` when nothing should run, or a person is to decide what: a paused change
    /// stays as it stands.
    ///
    /// # Errors
    /// When engine, gateway or store cannot be read.
    pub async fn standing(&self) -> Result<Option<Standing>, ReleaseError> {
        let Some(current) = self.store.current()? else { return Ok(None) };
        if self.store.paused()?.is_some() {
            return Ok(None);
        }
        let goal = self.goal(Some(&current), Way::Forward)?;
        Ok(Some(Standing { target: goal.target, revisions: goal.revisions, world: self.world().await? }))
    }

    /// Brings instances back, and with none named only lets the gateway send to what is well. It never goes to
    /// another release, and what fails is not undone: it was broken before.
    ///
    /// # Errors
    /// When it could not begin.
    pub async fn heal(&self, cures: &[Cure]) -> Result<Outcome, ReleaseError> {
        let from = self.store.current()?;
        let Some((release, _)) = from.clone() else { return Ok(Outcome::Nothing { release: None }) };
        let mut goal = self.goal(from.as_ref(), Way::Forward)?;
        // How many new instances of a rollout may fail says nothing about those that are brought back.
        for wanted in &mut goal.target.services {
            wanted.rolling = Rolling::default();
        }
        let plan = heal_plan(&goal.target, &self.world().await?, cures);
        if plan.is_empty() {
            return Ok(Outcome::Nothing { release: Some(release) });
        }
        let change =
            self.store.begin(DeploymentKind::Heal, from.as_ref(), from.as_ref(), &plan, &self.owner)?;
        let done = self.carry_out(change, &plan, &goal, &self.interrupt).await;
        let outcome = match done {
            Ok(_) => {
                self.finish(change, DeploymentState::Done, &from)?;
                Outcome::Done { release: Some(release), failed: Vec::new() }
            }
            Err(failure) => {
                let redactor = Redactor::of(goal.revisions.values());
                self.store.note_failure(change, &redactor.redact(&failure.to_string()), None)?;
                self.finish(change, DeploymentState::RolledBack, &from)?;
                Outcome::RolledBack { failure, release: Some(release), bundle: None }
            }
        };
        self.store.forget_healings_but(KEPT_HEALINGS)?;
        Ok(outcome)
    }
}
