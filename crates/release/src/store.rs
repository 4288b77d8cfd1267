//! What is remembered of one project: releases, changes with their journal, jobs, settings. SQLite, one file.

mod blobs;
mod change;
mod error;
mod open;
mod releases;
mod remembered;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use seaworthy_engine::seal::SealKey;

use crate::FaultPoint;

pub use change::{Deployment, DeploymentKind, DeploymentState, JournalLine};
pub use error::StoreError;
pub use releases::ReleaseSummary;

/// The state of one project.
pub struct Store {
    connection: Mutex<Connection>,
    folder: PathBuf,
    key: SealKey,
    fault: FaultPoint,
}

impl Store {
    /// The folder of the project's state.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The key that seals what it keeps.
    pub fn key(&self) -> &SealKey {
        &self.key
    }

    /// The file that holds the state of a project.
    pub fn path_in(folder: &Path) -> PathBuf {
        folder.join("state.db")
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self) -> PathBuf {
        Self::path_in(&self.folder)
    }
}
