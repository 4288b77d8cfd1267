//! What is, as the planner sees it.

use std::collections::BTreeSet;

use seaworthy_engine::{InstanceId, Observed, ReleaseNumber, Stranger};
use seaworthy_gateway::route::RouteSet;
use seaworthy_project::ServiceName;

use crate::Target;

/// What is now: what the engine and the gateway report, and what the store remembers.
#[derive(Debug, Clone)]
pub struct World {
    /// What runs.
    pub observed: Observed,
    /// What the gateway serves for this project; `None` when it has nothing of it.
    pub serving: Option<RouteSet>,
    /// Instances that were seen ready for their whole minimum time.
    pub proven: BTreeSet<InstanceId>,
    /// Jobs that ended well, by release.
    pub jobs_done: BTreeSet<(ReleaseNumber, ServiceName)>,
    /// What another tool made under the project's name.
    pub strangers: Vec<Stranger>,
    /// What was last reached, for telling causes.
    pub current: Option<Target>,
}
