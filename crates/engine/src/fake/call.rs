//! What was asked of the fake engine, and how it was told to fail.

use std::future;
use std::io;

use crate::EngineError;

/// A verb of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the method of the same name")]
pub enum Verb {
    Inspect,
    Build,
    Observe,
    Prepare,
    Ensure,
    RunOnce,
    Probe,
    Remove,
    Logs,
    Facts,
    Describe,
    Usage,
    Exec,
    Events,
    Volumes,
    Purge,
    Prune,
}

impl Verb {
    /// Whether a call may change anything that lasts.
    pub fn mutates(self) -> bool {
        use Verb::{Build, Ensure, Exec, Prepare, Prune, Purge, Remove, RunOnce};
        matches!(self, Build | Prepare | Ensure | RunOnce | Remove | Exec | Purge | Prune)
    }
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The verb.
    pub verb: Verb,
    /// What it was called with, in a few words: a service, an instance, a project.
    pub subject: String,
    /// Whether it may change anything that lasts.
    pub mutates: bool,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails and has done nothing.
    Refuse,
    /// It does its work, and then fails: the connection broke before the answer came.
    LoseAnswer,
    /// It does nothing and never returns.
    Hang,
}

/// Faults to come, and the calls so far.
#[derive(Default)]
pub(super) struct Record {
    calls: Vec<Call>,
    planned: Vec<Planned>,
}

struct Planned {
    verb: Verb,
    /// How many calls of the verb until it strikes; `None` strikes at every one.
    countdown: Option<u32>,
    fault: Fault,
}

impl Record {
    pub(super) fn plan(&mut self, verb: Verb, countdown: Option<u32>, fault: Fault) {
        self.planned.push(Planned { verb, countdown, fault });
    }

    pub(super) fn heal(&mut self) {
        self.planned.clear();
    }

    pub(super) fn forget(&mut self) {
        self.calls.clear();
    }

    pub(super) fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Notes a call and tells the fault it suffers.
    pub(super) fn note(&mut self, verb: Verb, subject: String) -> Option<Fault> {
        self.calls.push(Call { verb, subject, mutates: verb.mutates() });
        let mut strikes = None;
        self.planned.retain_mut(|planned| {
            if planned.verb != verb {
                return true;
            }
            match planned.countdown.as_mut() {
                None => strikes = strikes.or(Some(planned.fault)),
                Some(count) if *count > 1 => *count -= 1,
                Some(_) => {
                    strikes = strikes.or(Some(planned.fault));
                    return false;
                }
            }
            true
        });
        strikes
    }
}

/// What a struck call gives before its work is done.
pub(super) async fn before(verb: Verb, fault: Option<Fault>) -> Result<(), EngineError> {
    match fault {
        Some(Fault::Refuse) => Err(failure(verb)),
        Some(Fault::Hang) => future::pending().await,
        Some(Fault::LoseAnswer) | None => Ok(()),
    }
}

/// What a struck call gives after its work was done.
pub(super) fn after<T>(verb: Verb, fault: Option<Fault>, done: T) -> Result<T, EngineError> {
    if fault == Some(Fault::LoseAnswer) { Err(failure(verb)) } else { Ok(done) }
}

fn failure(verb: Verb) -> EngineError {
    let attempt = format!("{verb:?} as asked").to_lowercase();
    EngineError::System { attempt, cause: io::Error::other("the fake engine was told to fail") }
}
