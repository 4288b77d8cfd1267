//! The verbs: deploy, rollback, scale, restart, down. Each is a goal, and going there.

use std::collections::BTreeMap;

use seaworthy_engine::ReleaseNumber;
use seaworthy_project::ServiceName;

use crate::operator::{Goal, Operator, Outcome};
use crate::{DeploymentKind, Draft, Event, Plan, Release, ReleaseError, Settings, Target};

impl Operator<'_> {
    /// Deploys a draft as the next release.
    ///
    /// # Errors
    /// When it could not begin; nothing was changed then.
    pub async fn deploy(
        &self,
        draft: Draft,
        confirm: &mut dyn FnMut(&Plan) -> bool,
    ) -> Result<Outcome, ReleaseError> {
        let (goal, release) = self.deploy_goal(draft).await?;
        let keep = || match &release {
            Some(release) => Ok(self.store.keep_release(release)?),
            None => Ok(()),
        };
        self.go(DeploymentKind::Deploy, goal, confirm, &keep).await
    }

    /// Goes back to a release; without a number, to the one that was good before the one that runs.
    ///
    /// # Errors
    /// When there is no such release, or it could not begin.
    pub async fn rollback(
        &self,
        release: Option<ReleaseNumber>,
        confirm: &mut dyn FnMut(&Plan) -> bool,
    ) -> Result<Outcome, ReleaseError> {
        let current = self.store.current()?;
        let running = current.as_ref().map(|(release, _)| *release);
        let number = match release {
            Some(number) => number,
            None => self.release_before(running)?,
        };
        let generations = current.map(|(_, settings)| settings.generations).unwrap_or_default();
        let settings = Settings { counts: BTreeMap::new(), generations };
        let goal = self.goal(Some(&(number, settings)))?;
        if self.store.release(number)?.migrates() {
            self.progress.tell(Event::Note(
                "what jobs changed in the data stays: only code, configuration and environment go back"
                    .to_owned(),
            ));
        }
        self.go(DeploymentKind::Rollback, goal, confirm, &|| Ok(())).await
    }

    /// Runs the same release with other counts.
    ///
    /// # Errors
    /// When a service is not known, or it could not begin.
    pub async fn scale(
        &self,
        counts: &BTreeMap<ServiceName, u32>,
        confirm: &mut dyn FnMut(&Plan) -> bool,
    ) -> Result<Outcome, ReleaseError> {
        let (number, mut settings) = self.running()?;
        let release = self.known(number, counts.keys())?;
        let is_job = |name: &&ServiceName| release.project.services[*name].settings.run.is_some();
        if let Some(job) = counts.keys().find(is_job) {
            return Err(ReleaseError::IsJob { service: job.to_string() });
        }
        settings.counts.extend(counts.clone());
        let goal = self.goal(Some(&(number, settings)))?;
        self.go(DeploymentKind::Scale, goal, confirm, &|| Ok(())).await
    }

    /// Replaces the instances of services (all when none is named) by new ones of the same.
    ///
    /// # Errors
    /// When a service is not known, or it could not begin.
    pub async fn restart(
        &self,
        services: &[ServiceName],
        confirm: &mut dyn FnMut(&Plan) -> bool,
    ) -> Result<Outcome, ReleaseError> {
        let (number, mut settings) = self.running()?;
        let release = self.known(number, services.iter())?;
        let all: Vec<ServiceName> = release
            .project
            .services()
            .filter(|service| service.settings.run.is_none())
            .map(|service| service.name.value.clone())
            .collect();
        for service in if services.is_empty() { &all } else { services } {
            *settings.generations.entry(service.clone()).or_default() += 1;
        }
        let goal = self.goal(Some(&(number, settings)))?;
        self.go(DeploymentKind::Restart, goal, confirm, &|| Ok(())).await
    }

    /// Takes everything down; volumes stay unless `volumes`.
    ///
    /// # Errors
    /// When it could not begin, or what is left could not be removed.
    pub async fn down(
        &self,
        volumes: bool,
        confirm: &mut dyn FnMut(&Plan) -> bool,
    ) -> Result<Outcome, ReleaseError> {
        let goal = Goal { end: None, target: Target::default(), revisions: indexmap::IndexMap::new() };
        let outcome = self.go(DeploymentKind::Down, goal, confirm, &|| Ok(())).await?;
        if matches!(outcome, Outcome::Done { .. } | Outcome::Nothing { .. }) {
            self.engine.purge(&self.project, volumes).await?;
            self.traffic.rest().await?;
            self.store.bind_engine(None)?;
        }
        Ok(outcome)
    }

    /// The goal of a draft: what runs already when it is the same, else the next release.
    pub(crate) async fn deploy_goal(&self, draft: Draft) -> Result<(Goal, Option<Release>), ReleaseError> {
        let current = self.store.current()?;
        let generations =
            current.as_ref().map(|(_, settings)| settings.generations.clone()).unwrap_or_default();
        let settings = Settings { counts: BTreeMap::new(), generations };
        let release = draft.freeze(self.store.next_release()?, self.clock.now());
        let target = self.target(&release, &settings);
        if let Some((number, _)) = current {
            let goal = self.goal(Some(&(number, settings.clone())));
            if let Ok(goal) = goal.as_ref()
                && goal.target.services == target.services
            {
                return goal_only(goal);
            }
        }
        let revisions = release.revisions(&target);
        Ok((Goal { end: Some((release.number, settings)), target, revisions }, Some(release)))
    }

    fn running(&self) -> Result<(ReleaseNumber, Settings), ReleaseError> {
        let never = || ReleaseError::NeverDeployed { project: self.project.to_string() };
        self.store.current()?.ok_or_else(never)
    }

    fn known<'b>(
        &self,
        number: ReleaseNumber,
        mut services: impl Iterator<Item = &'b ServiceName>,
    ) -> Result<Release, ReleaseError> {
        let release = self.store.release(number)?;
        match services.find(|service| !release.project.services.contains_key(*service)) {
            Some(service) => Err(ReleaseError::NoService { service: service.to_string() }),
            None => Ok(release),
        }
    }

    /// The newest good release older than the one that runs.
    fn release_before(&self, running: Option<ReleaseNumber>) -> Result<ReleaseNumber, ReleaseError> {
        let never = || ReleaseError::NeverDeployed { project: self.project.to_string() };
        let running = running.ok_or_else(never)?;
        let older =
            self.store.releases()?.into_iter().find(|release| release.good && release.number < running);
        older
            .map(|release| release.number)
            .ok_or(ReleaseError::NoRelease { wanted: format!("before {running} that was ever good") })
    }
}

fn goal_only(goal: &Goal) -> Result<(Goal, Option<Release>), ReleaseError> {
    let goal = Goal { end: goal.end.clone(), target: goal.target.clone(), revisions: goal.revisions.clone() };
    Ok((goal, None))
}
