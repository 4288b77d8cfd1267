//! What can go wrong around a release, a variant per attempt.

use std::io;
use std::path::PathBuf;

use seaworthy_engine::EngineError;
use seaworthy_engine::EngineError as KeyError;
use seaworthy_project::{Problem, Span};

use crate::{LockError, PlanError, StoreError, TrafficError};

/// What can go wrong around a release. `Display` never repeats the cause; walk `source()`.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The state folder cannot be used.
    #[error("the state folder `{}` cannot be written", path.display())]
    StateFolder {
        /// Where.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
    /// The disk is full.
    #[error("the disk of the state folder `{}` is full: {free} bytes are free, {needed} are needed", path.display())]
    DiskFull {
        /// Where.
        path: PathBuf,
        /// Bytes free.
        free: u64,
        /// Bytes needed.
        needed: u64,
    },
    /// The sealing key cannot be used.
    #[error("the key of the state folder cannot be used")]
    Key(#[source] KeyError),
    /// The sealing key is gone, but what it sealed is there.
    #[error("the key `{}` is gone, but projects are kept beside it", path.display())]
    KeyGone {
        /// Where it should be.
        path: PathBuf,
    },
    /// A job cannot be scaled, stopped or started.
    #[error("service `{service}` is a job: it runs once per release")]
    IsJob {
        /// The service.
        service: String,
    },
    /// Somebody else holds the lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The state of the project cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The gateway refused.
    #[error(transparent)]
    Traffic(#[from] TrafficError),
    /// There can be no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A secret or config file cannot be kept.
    #[error("{what} `{name}` cannot be read from `{}`: {reason}", path.display())]
    File {
        /// `secret` or `config`.
        what: &'static str,
        /// Its key.
        name: String,
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
        /// Where in the user's files.
        span: Span,
    },
    /// A value that must be there is not.
    #[error("{what} `{name}` comes from variable `{variable}`, which is not set")]
    Variable {
        /// `secret` or `config`.
        what: &'static str,
        /// Its key.
        name: String,
        /// The variable.
        variable: String,
        /// Where in the user's files.
        span: Span,
    },
    /// Part of the project is not carried by this engine.
    #[error("{message}")]
    Unsupported {
        /// What, as a sentence without its full stop.
        message: String,
        /// What to do.
        hint: String,
        /// Where in the user's files.
        span: Option<Span>,
    },
    /// A kept release cannot be read.
    #[error("release {release} cannot be read: {reason}")]
    Record {
        /// Which one.
        release: u32,
        /// Why.
        reason: String,
    },
    /// A kept release no longer loads.
    #[error("release {release} cannot be loaded by this version of the program")]
    Reload {
        /// Which one.
        release: u32,
        /// What is wrong in it.
        problems: Vec<Problem>,
    },
    /// There is no such release.
    #[error("there is no release {wanted}")]
    NoRelease {
        /// As the user would say it.
        wanted: String,
    },
    /// Nothing was deployed yet.
    #[error("project `{project}` was never deployed here")]
    NeverDeployed {
        /// The project.
        project: String,
    },
    /// The plan that was agreed to is not the plan any more.
    #[error("what runs changed while the plan was shown: nothing was done")]
    Moved,
    /// A change is paused half-way.
    #[error("the {what} is paused half-way")]
    Paused {
        /// What it was.
        what: String,
    },
    /// There is no such service.
    #[error("the release has no service `{service}`")]
    NoService {
        /// The service.
        service: String,
    },
    /// The project was deployed on another engine.
    #[error("project `{project}` runs on engine `{recorded}`, not on `{asked}`")]
    OtherEngine {
        /// The project.
        project: String,
        /// Where it runs.
        recorded: String,
        /// What was asked for.
        asked: String,
    },
    /// The project was deployed in another environment, whose name with its own makes the same name.
    #[error("project `{project}` runs in environment `{recorded}`, and this is `{asked}`")]
    OtherEnvironment {
        /// The project.
        project: String,
        /// What it was deployed in.
        recorded: String,
        /// What was asked for.
        asked: String,
    },
    /// An unfinished change could be neither finished nor undone.
    #[error("what was left unfinished could not be settled: {reason}")]
    Unsettled {
        /// Why.
        reason: String,
    },
    /// A failure bundle could not be written.
    #[error("the failure bundle cannot be written to `{}`", path.display())]
    Bundle {
        /// Where.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
}

impl ReleaseError {
    /// What to do next, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::StateFolder { cause, .. } if cause.kind() == io::ErrorKind::StorageFull => {
                "free some space, or set `SEAWORTHY_STATE` to a folder on another disk".into()
            }
            Self::StateFolder { cause, .. } if cause.kind() == io::ErrorKind::AlreadyExists => {
                "there is something of that name that is no folder: move it away, or set `SEAWORTHY_STATE` to another"
                    .into()
            }
            Self::StateFolder { .. } => {
                "set `SEAWORTHY_STATE` to a folder that you may write, or run as the user who owns it".into()
            }
            Self::DiskFull { .. } => {
                "free some space, or set `SEAWORTHY_STATE` to a folder on another disk".into()
            }
            Self::IsJob { .. } => "name services that are meant to run on".into(),
            Self::KeyGone { .. } | Self::Key(_) => {
                "put the key back from a backup; what it sealed cannot be read without it".into()
            }
            Self::Lock(error) => error.hint(),
            Self::Store(error) => return error.hint(),
            Self::Engine(error) => return error.hint().map(str::to_owned),
            Self::Traffic(error) => return error.hint(),
            Self::Plan(PlanError::TooMany { .. }) => "see whether a digit is too many".into(),
            Self::Plan(PlanError::OneWriter { service, .. }) => {
                format!(
                    "set `deploy.replicas: 1` for `{service}`, or let its replicas share their data another way"
                )
            }
            Self::File { .. } => "create the file, or point the entry at the right one".into(),
            Self::Variable { variable, .. } => {
                format!("set `{variable}` in the shell or in an environment file")
            }
            Self::Unsupported { hint, .. } => hint.clone(),
            Self::NoRelease { .. } => "`seaworthy history` lists the releases that are kept".into(),
            Self::NeverDeployed { .. } => {
                "run `seaworthy deploy`; check `-e`, `-p` and `SEAWORTHY_STATE` if it should be here".into()
            }
            Self::Moved => "run the command again and look at the new plan".into(),
            Self::Paused { .. } => {
                "`seaworthy deploy` goes on with it, `seaworthy rollback` goes back".into()
            }
            Self::NoService { .. } => "`seaworthy config --services` lists them".into(),
            Self::OtherEngine { recorded, .. } => {
                format!("use `--engine {recorded}`; to move, run `seaworthy --engine {recorded} down` first")
            }
            Self::OtherEnvironment { recorded, .. } => {
                format!("use `-e {recorded}`; if this is another project, give it another name with `-p` or `name:`")
            }
            Self::Record { .. } | Self::Reload { .. } => {
                "roll back to another release, or deploy again".into()
            }
            Self::Unsettled { .. } => "mend the cause and run the command again: it tries anew".into(),
            Self::Bundle { .. } => return None,
        })
    }

    /// Where in the user's files, if it is about one.
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::File { span, .. } | Self::Variable { span, .. } => Some(*span),
            Self::Unsupported { span, .. } => *span,
            Self::Engine(EngineError::NotRunnable { span, .. } | EngineError::Artifact { span, .. }) => *span,
            _ => None,
        }
    }
}
