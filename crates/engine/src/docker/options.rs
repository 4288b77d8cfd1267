//! What the docker engine is given of the world around it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::docker::place::DockerPlace;
use crate::{EngineError, system};

/// The largest file of Docker's own configuration that is read.
pub(super) const MOST_BYTES: u64 = 1 << 20;

/// What the docker engine is given of the world around it.
#[derive(Debug, Clone)]
pub struct DockerOptions {
    /// Its own folder, for locks.
    pub state: PathBuf,
    /// A folder in memory, for secrets and configs as files.
    pub runtime: PathBuf,
    /// Where the daemon is.
    pub place: DockerPlace,
    /// Docker's own folder of settings: `$DOCKER_CONFIG`, else `~/.docker`.
    pub configuration: Option<PathBuf>,
    /// `PATH`, for the `docker` and `ssh` programs and credential helpers.
    pub search_path: String,
    /// `HOME`, for the same.
    pub home: Option<PathBuf>,
    /// How long the daemon may take to begin an answer.
    pub answer: Duration,
}

impl DockerOptions {
    /// How long the daemon may take to begin an answer when nothing is said.
    pub const ANSWER: Duration = Duration::from_secs(120);
}

/// `config.json` of Docker's folder of settings; `None` when there is none.
pub(super) fn settings(configuration: &Path) -> Result<Option<Value>, EngineError> {
    let path = configuration.join("config.json");
    let broken = |reason: String| EngineError::Unreachable {
        engine: "Docker".to_owned(),
        reason: format!("its settings `{}` {reason}", path.display()),
        hint: "correct the file, or name another folder of settings with `DOCKER_CONFIG`".to_owned(),
    };
    match system::read(&path, MOST_BYTES) {
        Err(error) => Err(broken(format!("cannot be read: {error}"))),
        Ok(None) => Ok(None),
        Ok(Some(bytes)) => {
            serde_json::from_slice(&bytes).map(Some).map_err(|error| broken(format!("are no JSON: {error}")))
        }
    }
}
