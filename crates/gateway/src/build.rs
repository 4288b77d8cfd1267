//! Which program a process is: its version and its very file, so that one that was replaced is told from its successor.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::rim;

/// A program as it lies on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// The version it calls itself.
    pub version: String,
    /// The file's device and number there.
    pub file: (u64, u64),
    /// When the file was last written, in nanoseconds since 1970.
    pub written_ns: i64,
}

impl Build {
    /// The program of this process; the file that was started, whatever has its name by now.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn own() -> std::io::Result<Self> {
        let (file, written_ns) = rim::own_program()?;
        Ok(Self { version: env!("CARGO_PKG_VERSION").to_owned(), file, written_ns })
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.version)
    }
}
