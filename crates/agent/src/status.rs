//! What the agent tells of itself, for whoever asks.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the agent tells of itself; kept in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The version of this form.
    pub version: u32,
    /// Its process.
    pub process: u32,
    /// Since when it watches.
    pub since: Timestamp,
    /// When it last wrote this.
    pub looked_at: Timestamp,
    /// The projects it watches.
    pub projects: Vec<ProjectStatus>,
}

/// What it tells of one project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectStatus {
    /// The project.
    pub project: String,
    /// What it saw last, in a few words.
    pub seen: String,
    /// Why it could not look, if it could not.
    pub trouble: Option<String>,
    /// How many times it brought something back since it started.
    pub healings: u64,
    /// What it did last.
    pub last: Option<Healed>,
}

/// One healing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Healed {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub cause: String,
    /// Whether it is back.
    pub done: bool,
}
