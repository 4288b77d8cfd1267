//! Where settings come from.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// No setting is longer; a larger file is not a setting but a mistake in the path.
pub(crate) const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Where settings come from: variables, and files that variables name.
pub trait Source {
    /// The variable `name`, if it is set.
    ///
    /// # Errors
    /// When it is set but not text.
    fn variable(&self, name: &str) -> Result<Option<String>, Unreadable>;

    /// The text of the file at `path`, of 64 KiB at most.
    ///
    /// # Errors
    /// When it cannot be read, is too large or not text.
    fn file(&self, path: &Path) -> Result<String, Unreadable>;
}

/// Why a variable or a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is not UTF-8.
    #[error("is not valid UTF-8 text")]
    NotText,
    /// It is larger than any setting.
    #[error("is larger than {MAX_FILE_BYTES} bytes")]
    TooLarge,
    /// The file could not be opened or read.
    #[error("could not be read")]
    File(#[source] io::Error),
}

/// Settings given by hand, for tests and for programs that bring their own.
#[derive(Debug, Clone, Default)]
pub struct Values {
    variables: BTreeMap<String, String>,
    files: BTreeMap<PathBuf, String>,
}

impl Values {
    /// No settings at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a variable more.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// With a file more.
    pub fn with_file(mut self, path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }
}

impl Source for Values {
    fn variable(&self, name: &str) -> Result<Option<String>, Unreadable> {
        Ok(self.variables.get(name).cloned())
    }

    fn file(&self, path: &Path) -> Result<String, Unreadable> {
        let missing = || Unreadable::File(io::Error::from(io::ErrorKind::NotFound));
        self.files.get(path).cloned().ok_or_else(missing)
    }
}
