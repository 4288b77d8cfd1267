//! What a load told: numbers for the whole and for each phase.

use std::collections::BTreeMap;

use serde::Serialize;

/// What a load told.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// How it ended.
    pub ended: Ended,
    /// The whole of it.
    pub total: Numbers,
    /// Its phases, in order.
    pub phases: Vec<Phase>,
}

/// How a load ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// It was asked to.
    Stopped,
    /// It had sent as many requests as it may: what came after was not measured.
    RequestLimit,
    /// It had sent for as long as it may: what came after was not measured.
    TimeLimit,
}

/// A stretch of a load with a name.
#[derive(Debug, Clone, Serialize)]
pub struct Phase {
    /// As it was called.
    pub name: String,
    /// What was due in it.
    #[serde(flatten)]
    pub numbers: Numbers,
}

/// Counts and times.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Numbers {
    /// How long it was, in seconds.
    pub seconds: f64,
    /// Requests that were due, and so were sent.
    pub sent: u64,
    /// Those that got an answer that was expected.
    pub succeeded: u64,
    /// Those that did not.
    pub failed: u64,
    /// Why, and how often.
    pub failures: BTreeMap<String, u64>,
    /// Requests that found their kept connection closed before a byte was sent, and went by a new one. Not failures:
    /// every client does so, and the server had seen nothing.
    pub reconnected: u64,
    /// The longest time between two successful answers, in milliseconds. One that reaches from one phase into the next
    /// counts in the next whole, and in the earlier up to its end.
    pub longest_gap_ms: f64,
    /// Half of the answers came faster, in milliseconds from when the request was due.
    pub p50_ms: f64,
    /// 99 of 100 answers came faster.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}
