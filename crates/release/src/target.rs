//! What should run, reduced to what the planner needs.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use seaworthy_engine::{InstanceId, ReleaseNumber, RevisionId, Slot};
use seaworthy_project::ServiceName;
use seaworthy_project::model::settings::RunWhen;
use serde::{Deserialize, Serialize};

use crate::{Rolling, RouteWish, ServiceNotes, StopFirst, Timers, cause};

/// What an operator set by hand on top of a release.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Settings {
    /// Replicas by service, over what the release says.
    pub counts: BTreeMap<ServiceName, u32>,
    /// How often a service was restarted; part of its revisions, so that a restart is a rollout.
    pub generations: BTreeMap<ServiceName, u32>,
    /// Services that are stopped: they have no replicas until they are started, or deployed again.
    #[serde(default)]
    pub stopped: BTreeSet<ServiceName>,
}

/// What should run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// The release; `None` means that nothing should run.
    pub release: Option<ReleaseNumber>,
    /// Services and jobs in the order they are brought up.
    pub services: Vec<Wanted>,
    /// What the reader of a plan should know.
    pub notes: Vec<String>,
    /// Whether what another tool made under the project's name goes when the target is reached.
    pub remove_orphans: bool,
    /// What they should know of a service when that one changes.
    pub service_notes: BTreeMap<ServiceName, ServiceNotes>,
}

/// One service or job that should run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The service.
    pub service: ServiceName,
    /// Its revision.
    pub revision: RevisionId,
    /// What the revision is made of, each part as a fingerprint: for telling what changed.
    pub parts: IndexMap<String, String>,
    /// Replica or job.
    pub kind: WantedKind,
    /// How many; 1 for a job.
    pub replicas: u32,
    /// What must be ready, or ended well, before it is started.
    pub needs: Vec<ServiceName>,
    /// How its instances are replaced.
    pub rolling: Rolling,
    /// Why the old must go before the new may come.
    pub stop_first: Option<StopFirst>,
    /// The gateway routes that lead to it.
    pub routes: Vec<RouteWish>,
    /// The timers of its rollout.
    pub timers: Timers,
}

/// Replica or job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WantedKind {
    /// Meant to run on.
    Replica,
    /// Meant to end, once per release.
    Job(RunWhen),
}

impl Wanted {
    /// The instances wished for.
    pub fn instances(&self) -> impl Iterator<Item = InstanceId> {
        Slot::first(self.replicas).map(|slot| self.instance(slot))
    }

    /// The instance in a slot.
    pub fn instance(&self, slot: Slot) -> InstanceId {
        InstanceId { service: self.service.clone(), revision: self.revision.clone(), slot }
    }

    /// What differs from `older`, as words.
    pub fn cause(&self, older: Option<&Wanted>) -> String {
        cause::of(self, older)
    }
}

impl Target {
    /// The wish for one service.
    pub fn get(&self, service: &ServiceName) -> Option<&Wanted> {
        self.services.iter().find(|wanted| &wanted.service == service)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;

    /// A wish for one replica that needs others.
    pub(crate) fn wanted(name: &str, needs: &[&str]) -> Wanted {
        let name_of = |name: &str| ServiceName::new(name).expect("tests use good names");
        let second = Duration::from_secs(1);
        Wanted {
            service: name_of(name),
            revision: RevisionId("a".to_owned()),
            parts: IndexMap::new(),
            kind: WantedKind::Replica,
            replicas: 1,
            needs: needs.iter().map(|need| name_of(need)).collect(),
            rolling: Rolling::default(),
            stop_first: None,
            routes: Vec::new(),
            timers: Timers {
                ready_deadline: second,
                min_healthy: second,
                progress_deadline: second,
                drain: second,
                job_deadline: second,
            },
        }
    }
}
