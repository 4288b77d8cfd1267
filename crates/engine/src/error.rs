//! What can go wrong in an engine, a variant per attempt.

use seaworthy_project::Span;

/// What can go wrong in an engine. `Display` never repeats the cause; walk `source()`.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The service does not say what this engine needs.
    #[error("service `{service}` {reason}")]
    NotRunnable {
        /// The service.
        service: String,
        /// Why, as the end of a sentence.
        reason: String,
        /// What to do.
        hint: String,
        /// Where in the user's files.
        span: Option<Span>,
    },
    /// What the service runs is gone or cannot be run.
    #[error("`{artifact}` of service `{service}` {reason}")]
    Artifact {
        /// The service.
        service: String,
        /// The artifact's name.
        artifact: String,
        /// Why, as the end of a sentence.
        reason: String,
        /// What to do.
        hint: String,
        /// Where in the user's files.
        span: Option<Span>,
    },
    /// Building failed.
    #[error("building service `{service}` failed: {reason}")]
    Build {
        /// The service.
        service: String,
        /// Why.
        reason: String,
    },
    /// The engine does not answer, or may not be used.
    #[error("{engine} cannot be used: {reason}")]
    Unreachable {
        /// The engine, as people call it.
        engine: String,
        /// Why.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// The engine answered, and refused.
    #[error("could not {attempt}: {reason}")]
    Refused {
        /// What was attempted, to stand after "could not".
        attempt: String,
        /// What the engine said.
        reason: String,
        /// What to do, where something is known to help.
        hint: Option<String>,
    },
    /// Something of that name is there, and is not ours to use.
    #[error("{what} {reason}")]
    Foreign {
        /// What, with its name.
        what: String,
        /// Why it cannot be used, as the end of a sentence.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// No such instance.
    #[error("there is no instance `{instance}`")]
    NoInstance {
        /// The instance.
        instance: String,
    },
    /// The operating system or the engine's own interface refused.
    #[error("could not {attempt}")]
    System {
        /// What was attempted, to stand after "could not".
        attempt: String,
        /// The cause.
        #[source]
        cause: std::io::Error,
    },
    /// A state on disk could not be understood.
    #[error("the state in `{path}` cannot be read: {reason}")]
    State {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

impl EngineError {
    /// What to do next, where there is something to say.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::NotRunnable { hint, .. }
            | Self::Artifact { hint, .. }
            | Self::Unreachable { hint, .. }
            | Self::Foreign { hint, .. } => Some(hint),
            Self::Refused { hint, .. } => hint.as_deref(),
            _ => None,
        }
    }
}
