//! A release on disk: its own type, versioned, sealed as a whole.

use indexmap::IndexMap;
use jiff::Timestamp;
use seaworthy_engine::{Artifact, ReleaseNumber};
use seaworthy_project::{EnvironmentName, ProjectName, Sensitive, ServiceName, load_resolved, write_json};
use serde::{Deserialize, Serialize};

use crate::{Origin, Release, ReleaseError, Store, StoreError};

const VERSION: u32 = 1;

/// What is sealed of a release. Contents of files are blobs, named by fingerprint.
#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    version: u32,
    created_at: Timestamp,
    tool: String,
    origin: Origin,
    name: ProjectName,
    environment: EnvironmentName,
    directory: std::path::PathBuf,
    project: serde_json::Value,
    pub(crate) artifacts: IndexMap<ServiceName, Artifact>,
    pub(crate) files: IndexMap<String, String>,
    losses: Vec<String>,
}

impl Record {
    pub(crate) fn write(release: &Release, store: &Store) -> Result<Vec<u8>, StoreError> {
        let files = release
            .files
            .iter()
            .map(|(name, contents)| Ok((name.clone(), store.keep_blob(contents.reveal().as_bytes())?)))
            .collect::<Result<_, StoreError>>()?;
        let record = Self {
            version: VERSION,
            created_at: release.created_at,
            tool: release.tool.clone(),
            origin: release.origin.clone(),
            name: release.project.name.clone(),
            environment: release.project.environment.clone(),
            directory: release.project.directory.clone(),
            project: write_json(&release.project),
            artifacts: release.artifacts.clone(),
            files,
            losses: release.losses.clone(),
        };
        Ok(serde_json::to_vec(&record).unwrap_or_default())
    }

    /// Only what can be read without loading the project again.
    pub(crate) fn open(bytes: &[u8], number: ReleaseNumber) -> Result<Self, ReleaseError> {
        let unreadable = |reason: String| ReleaseError::Record { release: number.0, reason };
        let record: Self = serde_json::from_slice(bytes).map_err(|error| unreadable(error.to_string()))?;
        if record.version == VERSION {
            Ok(record)
        } else {
            Err(unreadable(format!("it has version {}, this program knows {VERSION}", record.version)))
        }
    }

    pub(crate) fn read(bytes: &[u8], number: ReleaseNumber, store: &Store) -> Result<Release, ReleaseError> {
        let record = Self::open(bytes, number)?;
        let loaded =
            load_resolved(&record.project.to_string(), &record.name, &record.environment, &record.directory);
        let Some(project) = loaded.project else {
            return Err(ReleaseError::Reload { release: number.0, problems: loaded.problems });
        };
        let mut files = IndexMap::new();
        for (name, fingerprint) in record.files {
            let contents = String::from_utf8(store.blob(&fingerprint)?)
                .map_err(|error| ReleaseError::Record { release: number.0, reason: error.to_string() })?;
            files.insert(name, Sensitive::new(contents));
        }
        Ok(Release {
            number,
            created_at: record.created_at,
            tool: record.tool,
            origin: record.origin,
            project,
            artifacts: record.artifacts,
            files,
            losses: record.losses,
        })
    }
}
