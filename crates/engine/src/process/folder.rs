//! Where things are kept, and the facts of an instance on disk.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use seaworthy_project::ProjectName;
use serde::{Deserialize, Serialize};

use crate::process::who::Who;
use crate::{EngineError, Exit, InstanceId, InstanceKind, InstanceState, ReleaseNumber, system};

const VERSION: u32 = 1;
/// A file of facts is small.
const MOST_BYTES: u64 = 1 << 20;

/// The variable that tells to which making of which instance a process belongs. Nothing else names it for sure:
/// process ids come again, and a process may leave its session and group.
pub(super) const MARK: &str = "SEAWORTHY_MARK";

/// Where things are kept.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    state: PathBuf,
    runtime: PathBuf,
}

/// What an instance is: written once, when it is made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Made {
    pub(super) version: u32,
    pub(super) id: InstanceId,
    pub(super) release: ReleaseNumber,
    pub(super) kind: InstanceKind,
    pub(super) addresses: Vec<(u16, SocketAddr)>,
    pub(super) created_at: Timestamp,
    /// The program it runs, as a path below the kept artifacts.
    pub(super) artifact: String,
    /// How long its stop may take, in seconds.
    pub(super) grace_s: f64,
    /// Stands in the environment of all its processes, as [`MARK`], so that each of them can be found.
    pub(super) mark: String,
}

/// How it is: written by its shim at each change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Now {
    pub(super) version: u32,
    pub(super) shim: Who,
    pub(super) state: InstanceState,
    pub(super) process: Option<Who>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) restarts: u32,
    pub(super) exit: Option<Exit>,
    pub(super) limits: String,
    /// Why the program could not be started, if it could not.
    pub(super) trouble: Option<String>,
}

impl Folders {
    pub(super) fn new(state: &Path, runtime: &Path) -> Self {
        Self { state: state.to_owned(), runtime: runtime.to_owned() }
    }

    pub(super) fn state(&self) -> &Path {
        &self.state
    }

    /// Whether a folder is this engine's, or holds it within the state folder.
    pub(super) fn is_ours(&self, folder: &Path) -> bool {
        let top = self.state.parent().unwrap_or(&self.state);
        folder.starts_with(top) || folder.starts_with(&self.runtime)
    }

    /// Where the instances of all projects are.
    pub(super) fn instances(&self) -> PathBuf {
        self.state.join("instances")
    }

    pub(super) fn project(&self, project: &ProjectName) -> PathBuf {
        self.instances().join(project.as_str())
    }

    pub(super) fn instance(&self, project: &ProjectName, id: &InstanceId) -> PathBuf {
        self.project(project).join(id.to_string())
    }

    /// Where a project's secrets as files are, in memory.
    pub(super) fn memory(&self, project: &ProjectName) -> PathBuf {
        self.runtime.join(project.as_str())
    }

    pub(super) fn files(&self, project: &ProjectName, id: &InstanceId) -> PathBuf {
        self.memory(project).join(id.to_string())
    }

    /// Each project keeps its own programs, so that one can drop what it no longer needs.
    pub(super) fn artifacts(&self, project: &ProjectName) -> PathBuf {
        self.state.join("artifacts").join(project.as_str())
    }

    pub(super) fn volumes(&self) -> PathBuf {
        self.state.join("volumes")
    }

    /// The folder of a volume.
    ///
    /// # Errors
    /// When the name would lead out of the folder of volumes.
    pub(super) fn volume(&self, name: &str) -> Result<PathBuf, EngineError> {
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
            let path = self.volumes().display().to_string();
            let reason =
                format!("no volume in it can have the name `{name}`: use letters, digits, `-` and `_`");
            return Err(EngineError::State { path, reason });
        }
        Ok(self.volumes().join(name))
    }

    /// Where a project's claims on volumes are: a file for each, with the name of the volume. A volume may have any
    /// name, so its owner cannot be told from that.
    pub(super) fn claims(&self, project: &ProjectName) -> PathBuf {
        self.all_claims().join(project.as_str())
    }

    pub(super) fn all_claims(&self) -> PathBuf {
        self.state.join("claims")
    }

    /// The file whose lock keeps two commands from the same instance.
    pub(super) fn instance_lock(&self, project: &ProjectName, id: &InstanceId) -> PathBuf {
        self.project(project).join(format!(".lock-{id}"))
    }
}

impl Made {
    /// The name of its control groups, which are those of the whole machine.
    pub(super) fn group(&self) -> String {
        format!("{}.{}", self.id, self.mark)
    }

    pub(super) fn version() -> u32 {
        VERSION
    }

    pub(super) fn read(folder: &Path) -> Result<Option<Self>, EngineError> {
        read(&folder.join("instance.json"))
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), EngineError> {
        write(&folder.join("instance.json"), self)
    }
}

impl Now {
    pub(super) fn version() -> u32 {
        VERSION
    }

    pub(super) fn read(folder: &Path) -> Result<Option<Self>, EngineError> {
        read(&folder.join("state.json"))
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), EngineError> {
        write(&folder.join("state.json"), self)
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, EngineError> {
    let unreadable = |reason: String| EngineError::State { path: path.display().to_string(), reason };
    let bytes = system::attempt(system::read(path, MOST_BYTES), || format!("read `{}`", path.display()))?;
    let Some(bytes) = bytes else { return Ok(None) };
    let facts: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    // First of all: another version may have other fields.
    match facts.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) => {
            return Err(unreadable(format!("it has version {version}, this program knows {VERSION}")));
        }
        None => return Err(unreadable("it does not say its version".to_owned())),
    }
    serde_json::from_value(facts).map(Some).map_err(|error| unreadable(error.to_string()))
}

fn write<T: Serialize>(path: &Path, facts: &T) -> Result<(), EngineError> {
    let text = serde_json::to_vec(facts).unwrap_or_default();
    system::attempt(system::write_whole(path, &text, 0o600), || format!("write `{}`", path.display()))
}
