//! The thing that runs for a replica.

use std::net::SocketAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{InstanceId, ReleaseNumber};

/// The thing that runs for a replica, or ran for a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Which one.
    pub id: InstanceId,
    /// The release that made it.
    pub release: ReleaseNumber,
    /// Replica or job.
    pub kind: InstanceKind,
    /// What it does now.
    pub state: InstanceState,
    /// Where requests reach it: the port inside, and the address outside. Fixed for the life of the instance.
    pub addresses: Vec<(u16, SocketAddr)>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last started.
    pub started_at: Option<Timestamp>,
    /// How often it was started again by itself.
    pub restarts: u32,
    /// How it last ended.
    pub exit: Option<Exit>,
    /// Process id of its main process while it runs, where there is one on this machine.
    pub process: Option<u32>,
    /// How its limits are kept, in a few words: `cgroup v2`, `rlimit`, `none`.
    pub limits: String,
}

/// Replica or job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceKind {
    /// Meant to run on.
    Replica,
    /// Meant to end.
    Job,
}

/// What an instance does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceState {
    /// Made, not started yet.
    Created,
    /// Its main process runs.
    Running,
    /// It ended and will be started again after a pause.
    Waiting,
    /// It ended and will not be started again.
    Exited,
    /// What watched over it is gone, and it with it.
    Lost,
}

/// How an instance ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The exit code; 128 + signal when a signal ended it.
    pub code: i32,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether it was ended for want of memory.
    pub out_of_memory: bool,
    /// Whether it was stopped because its deadline passed.
    pub timed_out: bool,
    /// When.
    pub at: Timestamp,
}

impl Exit {
    /// Whether it ended well.
    pub fn success(&self) -> bool {
        self.code == 0 && !self.timed_out
    }
}
