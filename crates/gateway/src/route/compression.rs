//! Which answers are made shorter on their way, as it is told and kept in the snapshot.

use serde::{Deserialize, Serialize};

/// An answer has to be so long before it pays, unless said otherwise.
pub const LEAST_BYTES: u64 = 1024;

/// Compression of answers (gzip, br and zstd, as the client can).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Compression {
    /// The shortest answer, where its length is said.
    pub min_bytes: u64,
    /// Types such as `text/html`, `text/*` or `*+json`; none is those of which it is known that it pays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
}

impl Default for Compression {
    fn default() -> Self {
        Self { min_bytes: LEAST_BYTES, types: Vec::new() }
    }
}
