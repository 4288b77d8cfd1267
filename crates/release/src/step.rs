//! The few things a plan can say.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use seaworthy_engine::{InstanceId, ReleaseNumber, RevisionId};
use seaworthy_project::ServiceName;
use serde::{Deserialize, Serialize};

/// The ordered steps from what is observed to what is wanted. Carrying it out leaves nothing to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The release it leads to; `None` leads to nothing running.
    pub release: Option<ReleaseNumber>,
    /// What changes, a line per service, in the order of the target.
    pub changes: Vec<Change>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// What the reader should know: losses, migrations, callers.
    pub notes: Vec<String>,
}

/// What changes for one service, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The service.
    pub service: ServiceName,
    /// Why: `new`, `image digest changed`, `env LOG_LEVEL changed (value not shown)`.
    pub cause: String,
    /// Whether requests can fail meanwhile.
    pub gap: Gap,
}

/// Whether a service is without an instance for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// It is not.
    None,
    /// It is, for this reason.
    Expected(String),
}

/// One item of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// Why.
    pub cause: String,
    /// Whether it opens a gap.
    pub gap: Gap,
    /// How it is taken back, as words.
    pub reversal: String,
}

/// What a step does. Each may be repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Keep what a revision runs, make its volumes.
    Prepare {
        /// The service.
        service: ServiceName,
        /// The revision.
        revision: RevisionId,
    },
    /// Run a job to its end.
    RunOnce {
        /// The service.
        service: ServiceName,
        /// The revision.
        revision: RevisionId,
    },
    /// Make an instance run.
    Ensure {
        /// Which one.
        instance: InstanceId,
    },
    /// Wait until instances are ready, and stay so for their minimum time; all of them at once.
    AwaitReady {
        /// Which ones, by their timers.
        waits: Vec<Readiness>,
    },
    /// Let time pass before the next group of instances is replaced.
    Wait {
        /// Whose.
        service: ServiceName,
        /// How long.
        time: Duration,
    },
    /// Give the gateway the project's whole route set, with these backends, and wait for its acknowledgement.
    Admit {
        /// The backends of every routed service after this step; a service left out loses its route.
        serving: BTreeMap<ServiceName, Vec<InstanceId>>,
    },
    /// Wait until requests in flight to instances that left the gateway are done.
    Drain {
        /// Which ones.
        instances: Vec<InstanceId>,
        /// How long at most.
        limit: Duration,
    },
    /// Stop and remove what another tool made under the project's name.
    RemoveOrphan {
        /// As its engine calls it.
        name: String,
    },
    /// Stop and remove an instance.
    Remove {
        /// Which one.
        instance: InstanceId,
    },
}

/// Instances that are waited for with the same timers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Which ones.
    pub instances: Vec<InstanceId>,
    /// How long each may take.
    pub ready_deadline: Duration,
    /// How long each must stay ready.
    pub min_healthy: Duration,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The same without the wished delays between groups.
    pub(crate) fn without_delays(mut self) -> Self {
        self.steps.retain(|step| !matches!(step.action, Action::Wait { .. }));
        self
    }

    /// Whether any service is without an instance for a while.
    pub fn has_gap(&self) -> bool {
        self.changes.iter().any(|change| change.gap != Gap::None)
    }
}

impl Action {
    /// The service it is about, where it is about one.
    pub fn service(&self) -> Option<&ServiceName> {
        match self {
            Self::Prepare { service, .. } | Self::RunOnce { service, .. } => Some(service),
            Self::Ensure { instance } | Self::Remove { instance } => Some(&instance.service),
            Self::AwaitReady { waits } => waits.first()?.instances.first().map(|instance| &instance.service),
            Self::Drain { instances, .. } => instances.first().map(|instance| &instance.service),
            Self::Wait { service, .. } => Some(service),
            Self::Admit { .. } | Self::RemoveOrphan { .. } => None,
        }
    }

    /// The verb, for logs and machine formats.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Prepare { .. } => "prepare",
            Self::RunOnce { .. } => "run-once",
            Self::Ensure { .. } => "ensure",
            Self::AwaitReady { .. } => "await-ready",
            Self::Wait { .. } => "wait",
            Self::Admit { .. } => "admit",
            Self::Drain { .. } => "drain",
            Self::RemoveOrphan { .. } => "remove-orphan",
            Self::Remove { .. } => "remove",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |instances: &[InstanceId]| {
            instances.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::Prepare { service, revision } => write!(f, "prepare {service} ({revision})"),
            Self::RunOnce { service, revision } => write!(f, "run job {service} ({revision})"),
            Self::Ensure { instance } => write!(f, "start {instance}"),
            Self::AwaitReady { waits } => {
                let texts: Vec<String> = waits.iter().map(ToString::to_string).collect();
                write!(f, "wait until {}", texts.join(", and "))
            }
            Self::Wait { service, time } => {
                write!(f, "wait {} s before the next group of {service}", time.as_secs_f64())
            }
            Self::Admit { serving } if serving.is_empty() => f.write_str("take all routes from the gateway"),
            Self::Admit { serving } => {
                let routes = serving.iter().map(|(service, instances)| match instances.as_slice() {
                    [] => format!("{service} → nothing"),
                    instances => format!("{service} → {}", list(instances)),
                });
                write!(f, "send requests: {}", routes.collect::<Vec<_>>().join("; "))
            }
            Self::Drain { instances, limit } => {
                write!(
                    f,
                    "let {} finish requests in flight (at most {} s)",
                    list(instances),
                    limit.as_secs_f64()
                )
            }
            Self::RemoveOrphan { name } => write!(f, "stop and remove container {name}"),
            Self::Remove { instance } => write!(f, "stop {instance}"),
        }
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list: Vec<String> = self.instances.iter().map(ToString::to_string).collect();
        write!(
            f,
            "{} ready for {} s (at most {} s)",
            are(&list.join(", "), list.len()),
            self.min_healthy.as_secs_f64(),
            self.ready_deadline.as_secs_f64()
        )
    }
}

fn are(list: &str, count: usize) -> String {
    format!("{list} {}", if count == 1 { "is" } else { "are" })
}
