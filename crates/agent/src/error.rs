//! What can go wrong in the agent, a variant per attempt.

use std::path::PathBuf;

/// What can go wrong in the agent.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Its folder cannot be used.
    #[error("could not use `{}`", path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: std::io::Error,
    },
    /// Another agent watches this state folder.
    #[error("another agent watches this state folder (process {process})")]
    Taken {
        /// Its process; 0 when it could not be read.
        process: u32,
    },
}
