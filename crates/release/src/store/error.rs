//! What can go wrong with the state of a project.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// What can go wrong with the state of a project.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It was written by a newer version of the program.
    #[error("the state file `{}` has version {found}, this program knows {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version known.
        known: i64,
    },
    /// It is damaged.
    #[error("the state file `{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// The disk is full.
    #[error("the disk is full while writing `{}`", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error("the state file `{}` cannot be written", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
    /// A sealed file cannot be opened.
    #[error("the sealed file `{}` cannot be opened", path.display())]
    Sealed {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: seaworthy_engine::seal::OpenError,
    },
    /// The state was written with another key.
    #[error("the state file `{}` belongs to another key than the one in the state folder", path.display())]
    OtherKey {
        /// The file.
        path: PathBuf,
    },
    /// A kept file is gone.
    #[error("the kept file `{}` is gone", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// SQLite refused.
    #[error("could not {attempt} in `{}`", path.display())]
    Database {
        /// What was attempted, to stand after "could not".
        attempt: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: rusqlite::Error,
    },
}

impl StoreError {
    pub(super) fn database(attempt: &'static str, path: &Path) -> impl FnOnce(rusqlite::Error) -> Self {
        let path = path.to_owned();
        move |cause| match cause.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::Damaged { path, reason: cause.to_string() }
            }
            _ => Self::Database { attempt, path, cause },
        }
    }

    pub(super) fn written(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Unwritable { path, cause },
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Newer { .. } => "use the newer program again; nothing was changed".into(),
            Self::Damaged { path, .. } | Self::Sealed { path, .. } | Self::Missing { path } => format!(
                "put `{}` back from a backup; what runs goes on running, and nothing was changed",
                path.parent().unwrap_or(path).display()
            ),
            Self::OtherKey { .. } => "put the key back that it was made with; nothing was changed".into(),
            Self::Full { .. } => "free some space and run the command again".into(),
            Self::Unwritable { .. } => {
                "check who owns the state folder, or set `SEAWORTHY_STATE` to another".into()
            }
            Self::Database { .. } => return None,
        })
    }
}
