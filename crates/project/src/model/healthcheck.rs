//! `healthcheck` (Compose Specification, "healthcheck").

use std::time::Duration;

/// How the health of a service is tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healthcheck {
    /// The test; `None` when only intervals are given and the test comes with the image.
    pub test: Option<HealthTest>,
    /// `interval`; the engine's default is 30 s.
    pub interval: Option<Duration>,
    /// `timeout`; the engine's default is 30 s.
    pub timeout: Option<Duration>,
    /// `retries`; the engine's default is 3.
    pub retries: Option<u32>,
    /// `start_period`.
    pub start_period: Option<Duration>,
    /// `start_interval`.
    pub start_interval: Option<Duration>,
}

/// The test of a health check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthTest {
    /// `NONE`, or `disable: true`.
    Disabled,
    /// `CMD`: words, run as they are.
    Command(Vec<String>),
    /// `CMD-SHELL`, or a string: run by the shell.
    Shell(String),
}
