//! `deploy` (Compose Deploy Specification).

use std::time::Duration;

use crate::{Bytes, Cpus, Spanned};

/// How a service is deployed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deploy {
    /// `replicas`, or the service's `scale`.
    pub replicas: Option<Spanned<u32>>,
    /// `resources.limits`.
    pub limits: Resources,
    /// `resources.reservations`.
    pub reservations: Resources,
    /// `update_config`.
    pub update: Option<Update>,
    /// `rollback_config`.
    pub rollback: Option<Update>,
    /// `restart_policy`.
    pub restart: Option<RestartPolicy>,
}

/// `resources.limits` or `resources.reservations`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resources {
    /// `cpus`.
    pub cpus: Option<Spanned<Cpus>>,
    /// `memory`.
    pub memory: Option<Spanned<Bytes>>,
    /// `pids`.
    pub pids: Option<Spanned<i64>>,
}

/// `update_config` or `rollback_config`; what is absent is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Update {
    /// `parallelism`: how many instances at a time; 0 is all.
    pub parallelism: Option<u32>,
    /// `delay` between groups.
    pub delay: Option<Duration>,
    /// `monitor`: how long a new instance must stay ready.
    pub monitor: Option<Duration>,
    /// `order`.
    pub order: Option<Order>,
    /// `failure_action`: `continue`, `rollback` or `pause`.
    pub failure_action: Option<String>,
    /// `max_failure_ratio`: the share of new instances that may fail before the action is taken, in millionths.
    pub max_failure_millionths: Option<u32>,
}

/// `order` of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// New instances first, then the old ones go.
    StartFirst,
    /// Old instances go first.
    StopFirst,
}

/// `restart_policy`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RestartPolicy {
    /// `condition`: `none`, `on-failure` or `any`.
    pub condition: Option<String>,
    /// `delay` between attempts.
    pub delay: Option<Duration>,
    /// `max_attempts`.
    pub max_attempts: Option<u32>,
    /// `window` that decides whether an attempt succeeded.
    pub window: Option<Duration>,
}
