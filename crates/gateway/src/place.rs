//! Where the gateway keeps its files, and the lock that makes its supervisor the only one.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::GatewayError;
use crate::rim;

/// Above this size the supervisor's log is put aside at a start; it only holds starts and deaths.
const SUPERVISOR_LOG_BYTES: u64 = 1024 * 1024;

/// The folder `<state>/gateway`.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    state: PathBuf,
    folder: PathBuf,
}

impl Place {
    pub(crate) fn new(state: &Path) -> Self {
        Self { state: state.to_owned(), folder: state.join("gateway") }
    }

    pub(crate) fn state(&self) -> &Path {
        &self.state
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn admin(&self) -> PathBuf {
        self.folder.join("admin.sock")
    }

    /// The socket over which the supervisor is spoken to.
    pub(crate) fn control(&self) -> PathBuf {
        self.folder.join("supervisor.sock")
    }

    pub(crate) fn snapshot(&self) -> PathBuf {
        self.folder.join("snapshot.json")
    }

    pub(crate) fn maintenance(&self) -> PathBuf {
        self.folder.join("maintenance.json")
    }

    /// Where the files of a project are kept, by the hash of what is in them.
    pub(crate) fn files(&self, project: &str) -> PathBuf {
        self.folder.join("files").join(project)
    }

    /// Where a list of them is kept.
    pub(crate) fn file_list(&self, project: &str, hash: &str) -> PathBuf {
        self.files(project).join(format!("{hash}.json"))
    }

    pub(crate) fn sticky_key(&self) -> PathBuf {
        self.folder.join("sticky.key")
    }

    /// Where a self-signed certificate and its key are kept.
    pub(crate) fn self_signed(&self, host: Option<&str>) -> PathBuf {
        self.folder.join("certificates/self-signed").join(format!("{}.pem", host.unwrap_or("any")))
    }

    /// Where a certificate that an issuer gave, and its key, are kept.
    pub(crate) fn issued(&self, issuer: &str, host: &str) -> PathBuf {
        self.folder.join("certificates/acme").join(issuer).join(format!("{host}.pem"))
    }

    /// Where it stands when that issuer may be asked again.
    pub(crate) fn pace(&self, issuer: &str, host: &str) -> PathBuf {
        self.folder.join("certificates/acme").join(issuer).join(format!("{host}.pace"))
    }

    /// Where the account at an issuer is kept.
    pub(crate) fn account(&self, issuer: &str) -> PathBuf {
        self.folder.join("certificates/acme").join(issuer).join("@account.json")
    }

    pub(crate) fn access_log(&self) -> PathBuf {
        self.folder.join("access.log")
    }

    pub(crate) fn worker_log(&self) -> PathBuf {
        self.folder.join("gateway.log")
    }

    pub(crate) fn supervisor_log(&self) -> PathBuf {
        self.folder.join("supervisor.log")
    }

    /// Makes the folder, for its owner alone.
    pub(crate) fn make(&self) -> Result<(), GatewayError> {
        rim::private_folder(&self.folder)
            .map_err(GatewayError::io(format!("make the folder `{}`", self.folder.display())))
    }

    /// The file that the detached processes have as their standard output and error.
    pub(crate) fn open_supervisor_log(&self) -> Result<File, GatewayError> {
        let path = self.supervisor_log();
        let doing = || format!("open the log `{}`", path.display());
        let file = rim::append(&path).map_err(GatewayError::io(doing()))?;
        if file.metadata().is_ok_and(|data| data.len() > SUPERVISOR_LOG_BYTES) {
            rim::rename(&path, &path.with_extension("log.1")).map_err(GatewayError::io(doing()))?;
            return rim::append(&path).map_err(GatewayError::io(doing()));
        }
        Ok(file)
    }

    /// The supervisor's lock; `None` when another process holds it. The kernel frees it when the holder dies.
    pub(crate) fn lock(&self) -> Result<Option<File>, GatewayError> {
        let path = self.folder.join("supervisor.lock");
        let doing = format!("lock `{}`", path.display());
        let file = match rim::append(&path) {
            Ok(file) => file,
            Err(error) => return Err(GatewayError::io(doing)(error)),
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(GatewayError::io(doing)(error)),
        }
    }
}
