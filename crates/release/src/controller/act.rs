//! What each step does.

use std::collections::BTreeMap;

use seaworthy_engine::{InstanceId, Revision};
use seaworthy_gateway::route::RouteSet;
use seaworthy_project::ServiceName;

use crate::controller::walk::Walk;
use crate::controller::{Controller, Stop, Undertaking, ended};
use crate::routes::route_set;
use crate::{Action, Event, ReleaseError, Target, TrafficError};

impl Controller<'_> {
    pub(super) async fn act(
        &self,
        action: &Action,
        undertaking: &Undertaking<'_>,
        walk: &mut Walk,
    ) -> Result<(), Stop> {
        match action {
            Action::Prepare { service, .. } => {
                Ok(self.engine.prepare(self.revision(undertaking, service)?).await?)
            }
            Action::RunOnce { service, .. } => self.run_once(undertaking, service).await,
            Action::Ensure { instance } => match self.start(instance, undertaking).await {
                Ok(_) => Ok(()),
                Err(stop) => self.tolerated(instance, stop, undertaking, walk),
            },
            Action::AwaitReady { waits } => {
                let ready = self.await_ready(waits, undertaking, walk).await?;
                Ok(self.store.prove(&ready)?)
            }
            Action::Admit { serving } => {
                let left = walk.without_failed(serving).map_err(|service| Stop::Unready {
                    reason: format!("none of the new instances of `{service}` got ready"),
                    seen: walk.failed.clone().into_iter().filter(|(id, _)| id.service == service).collect(),
                })?;
                self.admit(undertaking.target, &left).await
            }
            Action::Wait { time, .. } => self.wait(*time, walk).await,
            Action::Drain { instances, limit } => {
                let left = self.traffic.drain(self.project, instances, *limit).await?;
                if left > 0 {
                    let seconds = limit.as_secs_f64();
                    self.progress.tell(Event::Note(format!(
                        "{left} requests or connections took longer than {seconds} s: they end with their instance"
                    )));
                }
                Ok(())
            }
            Action::RemoveOrphan { name } => Ok(self.engine.remove_stranger(self.project, name).await?),
            Action::Remove { instance } => {
                self.store.unprove(instance)?;
                Ok(self.engine.remove(self.project, instance).await?)
            }
        }
    }

    /// Whether the plan goes on without an instance that failed, and if so, tells it.
    pub(super) fn goes_on_without(
        &self,
        target: &Target,
        id: &InstanceId,
        reason: &str,
        walk: &mut Walk,
    ) -> bool {
        let goes_on = walk.tolerates(target, id, reason);
        if goes_on {
            self.progress.tell(Event::Note(format!(
                "going on without {id}, as `update_config` of `{}` allows: {reason}",
                id.service
            )));
        }
        goes_on
    }

    async fn run_once(&self, undertaking: &Undertaking<'_>, service: &ServiceName) -> Result<(), Stop> {
        let revision = self.revision(undertaking, service)?;
        let limit = undertaking.target.get(service).map(|wanted| wanted.timers.job_deadline);
        let limit = limit.unwrap_or_default();
        let exit = tokio::select! {
            exit = self.engine.run_once(revision, limit) => exit?,
            () = self.interrupt.wait() => return Err(Stop::Interrupted),
        };
        if exit.success() {
            return Ok(self.store.job_done(revision.release, service)?);
        }
        let reason = match exit.timed_out {
            true => format!("job `{service}` did not end within {} s", limit.as_secs_f64()),
            false => format!("job `{service}` {}", ended(&exit, revision)),
        };
        let slot = seaworthy_engine::Slot::first(1).next();
        let seen =
            slot.map(|slot| InstanceId { service: service.clone(), revision: revision.id.clone(), slot });
        Err(Stop::Unready { seen: seen.map(|id| (id, reason.clone())).into_iter().collect(), reason })
    }

    async fn admit(
        &self,
        target: &Target,
        serving: &BTreeMap<ServiceName, Vec<InstanceId>>,
    ) -> Result<(), Stop> {
        let observed = self.engine.observe(self.project).await?;
        let before = self.traffic.serving(self.project).await?.unwrap_or_default();
        let set: RouteSet = route_set(target, serving, &observed, &before)
            .map_err(|instance| TrafficError::NoAddress { instance: instance.to_string() })?;
        let served = self.traffic.put(self.project, &set).await?;
        if served == set.hash() {
            Ok(())
        } else {
            Err(TrafficError::NotTaken { given: set.hash(), served }.into())
        }
    }

    pub(super) fn revision<'b>(
        &self,
        undertaking: &'b Undertaking<'_>,
        service: &ServiceName,
    ) -> Result<&'b Revision, Stop> {
        let revision = undertaking.revisions.get(service);
        revision.ok_or_else(|| Stop::Error(ReleaseError::NoService { service: service.to_string() }))
    }
}
