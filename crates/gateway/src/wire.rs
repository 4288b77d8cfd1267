//! What goes over the admin socket: one JSON request a line, one JSON answer a line. Version 2.

use std::net::SocketAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::build::Build;
use crate::confine::Confinement;
use crate::error::{GatewayError, with_cause};
use crate::maintenance::Maintenance;
use crate::route::{RouteSet, SetHash};

/// The version both sides speak.
pub(crate) const VERSION: u32 = 2;
/// The longest request or answer.
pub(crate) const MAX_LINE_BYTES: usize = 4 << 20;

/// A request with its version.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) version: u32,
    pub(crate) ask: Ask,
}

/// What may be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub(crate) enum Ask {
    Put { project: String, set: RouteSet },
    Get { project: String },
    Remove { project: String },
    Check { project: String, set: RouteSet },
    Maintain { project: String, maintenance: Option<Maintenance> },
    Maintained { project: String },
    Drain { project: String, backends: Vec<String>, limit_ms: u64 },
    SetAside { project: String, backends: Vec<String>, aside: bool },
    Status,
    Metrics,
    StopIfIdle,
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub(crate) enum Answer {
    Serving { hash: SetHash },
    Set { found: Option<(RouteSet, SetHash)> },
    Done,
    Maintained { found: Option<Maintenance> },
    Left { requests: u64 },
    Status { status: Status },
    Text { text: String },
    Stopping { stopping: bool },
    Refused { refusal: Refusal },
}

/// Why something was not done.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub(crate) enum Refusal {
    InUse { address: SocketAddr },
    Denied { address: SocketAddr },
    Unusable { address: SocketAddr, reason: String },
    Conflict { listen: SocketAddr, host: String, path: String, project: String, taken_by: String },
    Invalid { reason: String },
    Certificate { route: String, reason: String, hint: String },
    Version { speaks: u32 },
    Failed { reason: String },
    Stopping,
}

/// How the gateway is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// The worker's process.
    pub process: u32,
    /// When the worker started.
    pub started_at: Timestamp,
    /// The worker's program, where the system told.
    #[serde(default)]
    pub build: Option<Build>,
    /// What the worker gave up.
    #[serde(default)]
    pub confinement: Option<Confinement>,
    /// What went wrong with the snapshot at the start, if anything did.
    pub snapshot_problem: Option<String>,
    /// What is wrong with certificates, a sentence without its full stop each.
    #[serde(default)]
    pub certificate_problems: Vec<String>,
    /// The projects that have routes.
    pub projects: Vec<ProjectStatus>,
}

/// One project's part.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProjectStatus {
    /// Its name.
    pub project: String,
    /// The hash of the set served.
    pub hash: SetHash,
    /// Its backends.
    pub backends: Vec<BackendStatus>,
}

/// One backend.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BackendStatus {
    /// The route it belongs to.
    pub route: String,
    /// What it is called.
    pub id: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether it gets requests.
    pub well: bool,
    /// Whether it answered as a sick one does, and is left out for a while.
    #[serde(default)]
    pub left_out: bool,
    /// Whether somebody set it aside.
    #[serde(default)]
    pub set_aside: bool,
    /// Requests, or TCP connections, in flight.
    pub in_flight: u64,
}

impl From<GatewayError> for Refusal {
    fn from(error: GatewayError) -> Self {
        match error {
            GatewayError::AddressInUse { address } => Self::InUse { address },
            GatewayError::AddressDenied { address } => Self::Denied { address },
            GatewayError::AddressUnusable { address, reason } => Self::Unusable { address, reason },
            GatewayError::Conflict { listen, host, path, project, taken_by } => {
                Self::Conflict { listen, host, path, project, taken_by }
            }
            GatewayError::Invalid { reason } => Self::Invalid { reason },
            GatewayError::Certificate { route, reason, hint } => Self::Certificate { route, reason, hint },
            GatewayError::Stopping => Self::Stopping,
            other => Self::Failed { reason: with_cause(&other) },
        }
    }
}

impl From<Refusal> for GatewayError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::InUse { address } => Self::AddressInUse { address },
            Refusal::Denied { address } => Self::AddressDenied { address },
            Refusal::Unusable { address, reason } => Self::AddressUnusable { address, reason },
            Refusal::Conflict { listen, host, path, project, taken_by } => {
                Self::Conflict { listen, host, path, project, taken_by }
            }
            Refusal::Invalid { reason } => Self::Invalid { reason },
            Refusal::Certificate { route, reason, hint } => Self::Certificate { route, reason, hint },
            Refusal::Version { speaks } => Self::Version { theirs: speaks, ours: VERSION },
            Refusal::Failed { reason } => Self::Failed { reason },
            Refusal::Stopping => Self::Stopping,
        }
    }
}
