//! Where the agent keeps its files: its lock, its status, its log. The crate's one door to the disk.
#![allow(clippy::disallowed_methods, reason = "this is the crate's rim: the one file that touches the disk")]

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{AgentError, Status};

/// A log so long is put aside; there is one older one at most.
const MOST_LOG_BYTES: u64 = 1 << 20;
/// Files of facts are small.
const MOST_FACT_BYTES: u64 = 1 << 20;

/// The folder `<state>/agent`.
#[derive(Debug, Clone)]
pub struct Place {
    folder: PathBuf,
}

/// Who watches a state folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its process.
    pub process: u32,
    /// Its program and version.
    pub program: String,
    /// Whether it stays when there is nothing to watch: something else starts it.
    pub stays: bool,
}

impl Place {
    /// The agent's folder in a state folder.
    pub fn new(state: &Path) -> Self {
        Self { folder: state.join("agent") }
    }

    /// The log.
    pub fn log(&self) -> PathBuf {
        self.folder.join("agent.log")
    }

    /// A file for what its starter wants it to know.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Takes the lock for `tenant`; `None` when another agent has it. The kernel frees it when its process ends.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn lock(&self, tenant: &Tenant) -> Result<Option<File>, AgentError> {
        let path = self.lock_path();
        let failed = |cause| AgentError::Folder { path: path.clone(), cause };
        self.make()?;
        let mut file = open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        let text = serde_json::to_vec(tenant).unwrap_or_default();
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(&text)).map_err(failed)?;
        Ok(Some(file))
    }

    /// Who watches now; `None` when nobody does. Changes nothing.
    pub fn tenant(&self) -> Option<Tenant> {
        let file = OpenOptions::new().read(true).write(true).open(self.lock_path()).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {}
            _ => return None,
        }
        let mut text = String::new();
        (&file).take(MOST_FACT_BYTES).read_to_string(&mut text).ok()?;
        let unknown = || Tenant { process: 0, program: String::new(), stays: false };
        Some(serde_json::from_str(&text).unwrap_or_else(|_| unknown()))
    }

    /// What the agent told last.
    pub fn status(&self) -> Option<Status> {
        serde_json::from_slice(&read(&self.status_path()).ok()?).ok()
    }

    /// Tells how it is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn tell(&self, status: &Status) -> Result<(), AgentError> {
        self.write("status.json", &serde_json::to_vec(status).unwrap_or_default())
    }

    /// Writes a file in the folder whole, for its owner alone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, contents: &[u8]) -> Result<(), AgentError> {
        let path = self.file(name);
        let beside = path.with_extension(format!("new-{}", std::process::id()));
        self.make()?;
        let written = (|| {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
            file.write_all(contents)?;
            std::fs::rename(&beside, &path)
        })();
        if written.is_err() {
            let _ = std::fs::remove_file(&beside);
        }
        written.map_err(|cause| AgentError::Folder { path, cause })
    }

    /// Removes a file in the folder, if it is there.
    pub fn remove(&self, name: &str) {
        let _ = std::fs::remove_file(self.file(name));
    }

    /// A file in the folder; `None` when it is not there or cannot be read.
    pub fn read(&self, name: &str) -> Option<Vec<u8>> {
        read(&self.file(name)).ok()
    }

    /// A line in the log. A log that cannot be written must not stop the healing.
    pub fn note(&self, at: Timestamp, text: &str) {
        let path = self.log();
        let Ok(mut log) = OpenOptions::new().append(true).create(true).mode(0o600).open(&path) else {
            return;
        };
        let _ = writeln!(log, "{} {text}", at.strftime("%Y-%m-%dT%H:%M:%SZ"));
        if log.metadata().is_ok_and(|data| data.len() > MOST_LOG_BYTES) {
            let _ = std::fs::rename(&path, path.with_extension("log.1"));
        }
    }

    fn make(&self) -> Result<(), AgentError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        made.map_err(|cause| AgentError::Folder { path: self.folder.clone(), cause })
    }

    fn lock_path(&self) -> PathBuf {
        self.folder.join("agent.lock")
    }

    fn status_path(&self) -> PathBuf {
        self.folder.join("status.json")
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_FACT_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
