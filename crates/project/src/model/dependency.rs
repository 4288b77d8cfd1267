//! `depends_on` (Compose Specification, "depends_on").

use crate::{ServiceName, Spanned};

/// One entry of `depends_on`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The service it waits for.
    pub service: Spanned<ServiceName>,
    /// What it waits for.
    pub condition: Condition,
    /// Whether the condition was written, and not only the default of the short form.
    pub explicit: bool,
    /// `required`: whether its absence is an error.
    pub required: bool,
    /// `restart`: whether a restart of the dependency restarts this service too.
    pub restart: bool,
}

/// `condition` of a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// `service_started`.
    Started,
    /// `service_healthy`.
    Healthy,
    /// `service_completed_successfully`.
    Completed,
}
