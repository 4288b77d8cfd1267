//! Lines that instances wrote.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When it was written.
    pub at: Timestamp,
    /// Where to.
    pub stream: LogStream,
    /// The line, without its end; invalid UTF-8 is replaced.
    pub text: String,
}

/// Where a line was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Where to go on reading. Opaque to callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogCursor {
    /// From the first line kept.
    Start,
    /// From the last so many lines.
    Tail(usize),
    /// From a place an engine named.
    At(u64),
}

impl LogCursor {
    /// The last `lines` lines.
    pub fn tail(lines: usize) -> Self {
        Self::Tail(lines)
    }
}
