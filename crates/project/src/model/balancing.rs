//! `x-seaworthy.route`, as far as it says how requests are spread over instances, and what happens when none is there.

use std::time::Duration;

/// What is absent is `None`, and the gateway's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Balancing {
    /// `wait`: how long requests wait while no instance is there to take them; zero is not at all.
    pub wait: Option<Duration>,
    /// `queue`: how many requests may wait at a time.
    pub queue: Option<u32>,
}
