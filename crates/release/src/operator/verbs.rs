//! The verbs: deploy, rollback, scale, restart, down. Each is a goal, and going there.

use std::collections::BTreeMap;

use seaworthy_engine::ReleaseNumber;
use seaworthy_project::ServiceName;

use crate::operator::settle::describe;
use crate::operator::{Goal, Operator, Outcome};
use crate::{DeploymentKind, Draft, Event, Plan, Release, ReleaseError, Settings, Target, Way};

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
            Some(release) => {
                self.store.keep_release(release)?;
                Ok(self.store.bind_environment(Some(&release.project.environment))?)
            }
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
        let end = self.end_of_rollback(release)?;
        let goal = self.goal(end.as_ref(), Way::Back)?;
        let release = end.as_ref().map(|(number, _)| self.store.release(*number)).transpose()?;
        if release.as_ref().is_some_and(Release::migrates) {
            self.progress.tell(Event::Note(
                "what jobs changed in the data stays: only code, configuration and environment go back"
                    .to_owned(),
            ));
        }
        let keep = || match &release {
            Some(release) => Ok(self.store.bind_environment(Some(&release.project.environment))?),
            None => Ok(()),
        };
        self.go(DeploymentKind::Rollback, goal, confirm, &keep).await
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
        if let Some(job) = counts.keys().find(|name| release.is_job(name)) {
            return Err(ReleaseError::IsJob { service: job.to_string() });
        }
        settings.counts.extend(counts.clone());
        settings.stopped.retain(|service| !counts.contains_key(service));
        let goal = self.goal(Some(&(number, settings)), Way::Forward)?;
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
        self.known(number, services.iter())?;
        let all = self.replicated(number, &[])?;
        for service in if services.is_empty() { &all } else { services } {
            *settings.generations.entry(service.clone()).or_default() += 1;
        }
        let goal = self.goal(Some(&(number, settings)), Way::Forward)?;
        self.go(DeploymentKind::Restart, goal, confirm, &|| Ok(())).await
    }

    /// Stops services (all when none is named): their instances go, their routes answer 503. It lasts until they are
    /// started or deployed again.
    ///
    /// # Errors
    /// When a service is not known or is a job, or it could not begin.
    pub async fn stop(
        &self,
        services: &[ServiceName],
        confirm: &mut dyn FnMut(&Plan) -> bool,
    ) -> Result<Outcome, ReleaseError> {
        let (number, mut settings) = self.running()?;
        let all = self.replicated(number, services)?;
        settings.stopped.extend(all);
        let goal = self.goal(Some(&(number, settings)), Way::Forward)?;
        self.go(DeploymentKind::Stop, goal, confirm, &|| Ok(())).await
    }

    /// Starts stopped services (all when none is named), with as many replicas as before.
    ///
    /// # Errors
    /// When a service is not known or is a job, or it could not begin.
    pub async fn start(
        &self,
        services: &[ServiceName],
        confirm: &mut dyn FnMut(&Plan) -> bool,
    ) -> Result<Outcome, ReleaseError> {
        let (number, mut settings) = self.running()?;
        let all = self.replicated(number, services)?;
        settings.stopped.retain(|service| !all.contains(service));
        let goal = self.goal(Some(&(number, settings)), Way::Forward)?;
        self.go(DeploymentKind::Start, goal, confirm, &|| Ok(())).await
    }

    /// The services that are named, or all that are no jobs.
    fn replicated(
        &self,
        number: ReleaseNumber,
        services: &[ServiceName],
    ) -> Result<Vec<ServiceName>, ReleaseError> {
        let release = self.known(number, services.iter())?;
        if let Some(job) = services.iter().find(|name| release.is_job(name)) {
            return Err(ReleaseError::IsJob { service: job.to_string() });
        }
        if !services.is_empty() {
            return Ok(services.to_vec());
        }
        Ok(release.project.services.keys().filter(|name| !release.is_job(name)).cloned().collect())
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
            self.store.bind_environment(None)?;
        }
        Ok(outcome)
    }

    /// The goal of a draft: what runs already when it is the same, else the next release.
    pub(crate) async fn deploy_goal(&self, draft: Draft) -> Result<(Goal, Option<Release>), ReleaseError> {
        let current = self.store.current()?;
        let generations =
            current.as_ref().map(|(_, settings)| settings.generations.clone()).unwrap_or_default();
        let settings = Settings { generations, ..Settings::default() };
        let remove_orphans = draft.remove_orphans;
        let release = draft.freeze(self.store.next_release()?, self.clock.now());
        let target = Target { remove_orphans, ..self.target(&release, &settings, Way::Forward) };
        // What was paused goes on as the release it was, so that its jobs are not run again.
        let paused = self.store.paused()?.and_then(|change| change.to).map(|(number, _)| number);
        for number in current.map(|(number, _)| number).into_iter().chain(paused) {
            let goal = self.goal(Some(&(number, settings.clone())), Way::Forward);
            if let Ok(mut goal) = goal
                && goal.target.services == target.services
            {
                goal.target.remove_orphans = remove_orphans;
                return Ok((goal, None));
            }
        }
        let revisions = release.revisions(&target);
        Ok((Goal { end: Some((release.number, settings)), target, revisions }, Some(release)))
    }

    fn running(&self) -> Result<(ReleaseNumber, Settings), ReleaseError> {
        if let Some(change) = self.store.paused()?
            && matches!(change.kind, DeploymentKind::Deploy | DeploymentKind::Rollback)
        {
            return Err(ReleaseError::Paused { what: describe(&change) });
        }
        let never = || ReleaseError::NeverDeployed { project: self.project.to_string() };
        self.store.current()?.ok_or_else(never)
    }

    /// Where a rollback leads: to the release asked for, to what ran before a change that is paused, else to the good
    /// release before the one that runs.
    fn end_of_rollback(
        &self,
        release: Option<ReleaseNumber>,
    ) -> Result<Option<(ReleaseNumber, Settings)>, ReleaseError> {
        if let (None, Some(paused)) = (release, self.store.paused()?) {
            return Ok(paused.from);
        }
        let current = self.store.current()?;
        let number = match release {
            Some(number) => number,
            None => self.release_before(current.as_ref().map(|(release, _)| *release))?,
        };
        let generations = current.map(|(_, settings)| settings.generations).unwrap_or_default();
        Ok(Some((number, Settings { generations, ..Settings::default() })))
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

    /// The newest good release older than the one that runs; the newest when none runs.
    fn release_before(&self, running: Option<ReleaseNumber>) -> Result<ReleaseNumber, ReleaseError> {
        let never = || ReleaseError::NeverDeployed { project: self.project.to_string() };
        let mut good = self.store.releases()?.into_iter().filter(|release| release.good);
        // What was taken down comes back as it was last.
        let Some(running) = running else {
            return good.next().map(|release| release.number).ok_or_else(never);
        };
        good.find(|release| release.number < running)
            .map(|release| release.number)
            .ok_or(ReleaseError::NoRelease { wanted: format!("before {running} that was ever good") })
    }
}
