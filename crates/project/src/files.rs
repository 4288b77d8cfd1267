//! The only door through which this crate sees files and variables.

use std::path::{Path, PathBuf};

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It is not there.
    #[error("no such file")]
    Missing,
    /// It is there but may not be read.
    #[error("permission denied")]
    Denied,
    /// It is a folder.
    #[error("is a folder")]
    Folder,
    /// It is larger than the limit given.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// Anything else, in the words of the operating system.
    #[error("{0}")]
    Other(String),
}

/// What the loader may ask of the world around it. Tests answer from memory.
pub trait Files {
    /// The bytes of a file, at most `limit` of them.
    ///
    /// # Errors
    /// When it cannot be read or is larger than `limit`.
    fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, FileError>;

    /// Whether a file (not a folder) is there.
    fn is_file(&self, path: &Path) -> bool;

    /// The names in a folder, sorted; empty when there is none.
    fn list(&self, folder: &Path) -> Vec<PathBuf>;

    /// Whether something of that name, a file or a folder, is in a folder. Whoever can tell without a list should.
    fn holds(&self, folder: &Path, name: &str) -> bool {
        self.list(folder).iter().any(|one| one.as_os_str() == name)
    }
}
