//! What should run, reduced to what the planner needs.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use seaworthy_engine::{InstanceId, ReleaseNumber, RevisionId, Slot};
use seaworthy_project::ServiceName;
use seaworthy_project::model::settings::RunWhen;
use serde::{Deserialize, Serialize};

use crate::{RouteWish, ServiceNotes, StopFirst, Timers};

/// What an operator set by hand on top of a release.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Settings {
    /// Replicas by service, over what the release says.
    pub counts: BTreeMap<ServiceName, u32>,
    /// How often a service was restarted; part of its revisions, so that a restart is a rollout.
    pub generations: BTreeMap<ServiceName, u32>,
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
    /// Instances replaced at a time, when the user wrote it; `None` swaps the whole set at once.
    pub group: Option<u32>,
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
        let Some(older) = older else { return "new".to_owned() };
        let keys: BTreeSet<&String> = self.parts.keys().chain(older.parts.keys()).collect();
        let changed: Vec<String> = keys
            .into_iter()
            .filter_map(|key| match (older.parts.get(key), self.parts.get(key)) {
                (Some(old), Some(new)) if old == new => None,
                (Some(_), Some(_)) => Some(format!("{key} changed")),
                (None, _) => Some(format!("{key} added")),
                (_, None) => Some(format!("{key} removed")),
            })
            .collect();
        if !changed.is_empty() {
            changed.join(", ")
        } else if self.replicas != older.replicas {
            format!("replicas {} → {}", older.replicas, self.replicas)
        } else if self.routes != older.routes {
            "route changed".to_owned()
        } else {
            "not as it should be".to_owned()
        }
    }
}

impl Target {
    /// The wish for one service.
    pub fn get(&self, service: &ServiceName) -> Option<&Wanted> {
        self.services.iter().find(|wanted| &wanted.service == service)
    }
}
