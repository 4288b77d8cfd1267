//! One service as of one release: what an engine runs.

use std::path::PathBuf;

use seaworthy_project::model::resource::{Network, Volume};
use seaworthy_project::{ProjectName, Sensitive, Service};

use crate::{Artifact, InstanceKind, ReleaseNumber, RevisionId};

/// One service as of one release, with everything an engine needs to run it.
#[derive(Debug, Clone)]
pub struct Revision {
    /// The project.
    pub project: ProjectName,
    /// The project folder, absolute.
    pub directory: PathBuf,
    /// The release that made it.
    pub release: ReleaseNumber,
    /// Its identity.
    pub id: RevisionId,
    /// The resolved service.
    pub service: Service,
    /// Replica or job.
    pub kind: InstanceKind,
    /// What it runs.
    pub artifact: Artifact,
    /// The contents of the secrets and configs it is given.
    pub files: Vec<GrantedFile>,
    /// The named volumes it mounts, by the key its mounts use.
    pub volumes: Vec<Volume>,
    /// The networks it is connected to.
    pub networks: Vec<Network>,
}

/// A secret or config as a file.
#[derive(Debug, Clone)]
pub struct GrantedFile {
    /// Where the service expects it, absolute.
    pub target: String,
    /// Permission bits; 0400 when absent.
    pub mode: Option<u32>,
    /// Who owns it, as a number, when the file says so.
    pub uid: Option<u32>,
    /// Which group owns it, as a number, when the file says so.
    pub gid: Option<u32>,
    /// What is in it; text or bytes, so kept as bytes behind a redacting type by whoever holds it.
    pub contents: Sensitive,
}
