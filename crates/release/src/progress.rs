//! What a controller tells while it works.

use std::path::PathBuf;
use std::time::Duration;

use seaworthy_engine::{InstanceId, ReleaseNumber};

use crate::Step;

/// One thing to tell.
#[derive(Debug, Clone)]
pub enum Event {
    /// An unfinished change of a dead owner is being settled.
    Settling {
        /// What it was, as words: `deploy of release 4`.
        what: String,
        /// Whether it is finished (else it is undone).
        finish: bool,
    },
    /// A line of a build.
    Build {
        /// The service.
        service: String,
        /// The line.
        line: String,
    },
    /// A step begins.
    StepStarted {
        /// Its number, from 1.
        number: usize,
        /// How many there are.
        total: usize,
        /// The step.
        step: Step,
    },
    /// An instance that is waited for gave an answer that differs from the one before.
    Waiting {
        /// Which one.
        instance: InstanceId,
        /// What was seen.
        detail: String,
    },
    /// A step is done.
    StepDone {
        /// Its number, from 1.
        number: usize,
        /// How many there are.
        total: usize,
        /// The step.
        step: Step,
        /// How long it took.
        took: Duration,
    },
    /// A step failed.
    StepFailed {
        /// The step.
        step: Step,
        /// Why.
        reason: String,
    },
    /// What an instance that failed wrote last, secrets taken out.
    LastLines {
        /// Which one.
        instance: String,
        /// A few lines.
        lines: Vec<String>,
    },
    /// A failure bundle was written.
    Bundle {
        /// Where.
        path: PathBuf,
    },
    /// The way back begins.
    RollingBack {
        /// To which release; `None` is to nothing.
        to: Option<ReleaseNumber>,
    },
    /// Anything else worth a line.
    Note(String),
}

/// Whoever is told.
pub trait Progress: Send + Sync {
    /// Takes one thing told. Must not block for long.
    fn tell(&self, event: Event);
}

impl<F: Fn(Event) + Send + Sync> Progress for F {
    fn tell(&self, event: Event) {
        self(event);
    }
}
