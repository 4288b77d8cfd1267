//! What a failed command tells the user, and its exit code.

use std::fmt;

use seaworthy_project::{Problem, Sources, Span};
use seaworthy_release::{LockError, ReleaseError};

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// Findings, a failed check, or a plan that was declined.
    Findings,
    /// Could not run.
    CouldNotRun,
    /// Failed, and all is as before.
    RolledBack,
    /// Failed, and the way back failed too.
    Broken,
    /// Locked by another command.
    Locked,
    /// Interrupted.
    Interrupted,
    /// The exit code of a command that was run in an instance.
    Command(u8),
}

impl Exit {
    /// The exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => 1,
            Self::CouldNotRun => 2,
            Self::RolledBack => 3,
            Self::Broken => 4,
            Self::Locked => 5,
            Self::Interrupted => 130,
            Self::Command(code) => code,
        }
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct CommandError {
    /// The exit code.
    pub(crate) exit: Exit,
    /// Problems in the user's files, with the files; shown before the messages.
    pub(crate) problems: Vec<Problem>,
    /// The files that problems and places point into.
    pub(crate) sources: Sources,
    /// What went wrong, each with its causes, place and hint.
    pub(crate) messages: Vec<Message>,
}

/// One thing that went wrong.
#[derive(Debug)]
pub(crate) struct Message {
    /// What, with all causes, as one sentence without its full stop.
    pub(crate) text: String,
    /// Where in the user's files.
    pub(crate) span: Option<Span>,
    /// What to do next.
    pub(crate) hint: Option<String>,
}

impl CommandError {
    /// A message of our own, exit code 2.
    pub(crate) fn new(text: impl Into<String>, hint: Option<&str>) -> Self {
        let message = Message { text: text.into(), span: None, hint: hint.map(str::to_owned) };
        Self {
            exit: Exit::CouldNotRun,
            problems: Vec::new(),
            sources: Sources::default(),
            messages: vec![message],
        }
    }

    /// Problems in the user's files.
    pub(crate) fn problems(problems: Vec<Problem>, sources: Sources) -> Self {
        Self { exit: Exit::CouldNotRun, problems, sources, messages: Vec::new() }
    }

    /// Several errors about releases at once.
    pub(crate) fn releases(errors: Vec<ReleaseError>, sources: Sources) -> Self {
        let mut all = Self { exit: Exit::CouldNotRun, problems: Vec::new(), sources, messages: Vec::new() };
        for error in errors {
            let one = Self::from(error);
            all.exit = one.exit;
            all.messages.extend(one.messages);
        }
        all
    }

    /// The same error, with the files its places point into.
    pub(crate) fn with_sources(mut self, sources: &Sources) -> Self {
        self.sources = sources.clone();
        self
    }
}

impl From<ReleaseError> for CommandError {
    fn from(error: ReleaseError) -> Self {
        let exit = match &error {
            ReleaseError::Lock(LockError::Held { .. }) => Exit::Locked,
            ReleaseError::Unsettled { .. } => Exit::Broken,
            _ => Exit::CouldNotRun,
        };
        let message = Message { text: with_causes(&error), span: error.span(), hint: error.hint() };
        Self { exit, problems: Vec::new(), sources: Sources::default(), messages: vec![message] }
    }
}

macro_rules! through_release_error {
    ($($type:ty),*) => {$(
        impl From<$type> for CommandError {
            fn from(error: $type) -> Self {
                ReleaseError::from(error).into()
            }
        }
    )*};
}
through_release_error!(
    seaworthy_release::StoreError,
    seaworthy_release::LockError,
    seaworthy_release::TrafficError,
    seaworthy_engine::EngineError
);

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<&str> = self.messages.iter().map(|message| message.text.as_str()).collect();
        f.write_str(&texts.join("; "))
    }
}

/// An error and all its causes, as one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
