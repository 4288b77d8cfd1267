//! What an engine reports now.

use jiff::Timestamp;
use seaworthy_project::ServiceName;
use serde::{Deserialize, Serialize};

use crate::Instance;

/// What an engine reports; may be stale, and says when it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// When it was taken.
    pub taken_at: Timestamp,
    /// Every instance of the project, jobs and ended ones among them, ordered by id.
    pub instances: Vec<Instance>,
}

/// Something that another tool made under the project's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stranger {
    /// As its engine calls it.
    pub name: String,
    /// Whether it runs.
    pub running: bool,
}

impl Observed {
    /// The instances of one service.
    pub fn of<'a>(&'a self, service: &'a ServiceName) -> impl Iterator<Item = &'a Instance> {
        self.instances.iter().filter(move |instance| &instance.id.service == service)
    }
}
