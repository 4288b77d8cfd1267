//! What happened to instances.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{EngineError, Exit, Instance, InstanceId, Observed};

/// Something that happened to an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceEvent {
    /// When.
    pub at: Timestamp,
    /// To which one.
    pub instance: InstanceId,
    /// What.
    pub what: Happened,
    /// The exit code, where it ended.
    pub code: Option<i32>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Happened {
    /// It was made.
    Made,
    /// Its main process started.
    Started,
    /// Its health check said yes after a no.
    Healthy,
    /// Its health check said no for too often.
    Unhealthy,
    /// The kernel ended something in it for want of memory.
    OutOfMemory,
    /// Its main process ended.
    Ended,
    /// It was removed.
    Removed,
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Made => "made",
            Self::Started => "started",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::OutOfMemory => "out of memory",
            Self::Ended => "ended",
            Self::Removed => "removed",
        })
    }
}

/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);

/// Carries out [`crate::Engine::events`] by looking again and again.
pub(crate) async fn looked(
    look: impl Fn() -> Result<Observed, EngineError> + Send + Sync,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    tell: &mut (dyn FnMut(InstanceEvent) -> bool + Send),
) -> Result<(), EngineError> {
    let mut looks = Looks::default();
    loop {
        let observed = look()?;
        let reached = until.is_some_and(|until| observed.taken_at >= until);
        for event in looks.take(observed) {
            let wanted =
                since.is_none_or(|since| event.at >= since) && until.is_none_or(|until| event.at <= until);
            if wanted && !tell(event) {
                return Ok(());
            }
        }
        if reached {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Tells what happened from looks at what is: for engines that keep no account of it. What began and ended between
/// two looks is not seen.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    known: BTreeMap<InstanceId, Instance>,
}

impl Looks {
    /// What happened since the look before; at the first look, all that instances still tell.
    pub(crate) fn take(&mut self, observed: Observed) -> Vec<InstanceEvent> {
        let mut events = Vec::new();
        let now: BTreeMap<InstanceId, Instance> =
            observed.instances.into_iter().map(|instance| (instance.id.clone(), instance)).collect();
        for (id, instance) in &now {
            let mut tell = |at: Timestamp, what, exit: Option<Exit>| {
                events.push(InstanceEvent {
                    at,
                    instance: id.clone(),
                    what,
                    code: exit.map(|exit| exit.code),
                });
            };
            let before = self.known.get(id);
            if before.is_none_or(|before| before.created_at != instance.created_at) {
                tell(instance.created_at, Happened::Made, None);
            }
            if let Some(at) = instance.started_at
                && before.and_then(|before| before.started_at) != Some(at)
            {
                tell(at, Happened::Started, None);
            }
            if let Some(exit) = instance.exit
                && before.and_then(|before| before.exit) != Some(exit)
            {
                if exit.out_of_memory {
                    tell(exit.at, Happened::OutOfMemory, None);
                }
                tell(exit.at, Happened::Ended, Some(exit));
            }
        }
        for id in self.known.keys().filter(|id| !now.contains_key(*id)) {
            events.push(InstanceEvent {
                at: observed.taken_at,
                instance: id.clone(),
                what: Happened::Removed,
                code: None,
            });
        }
        self.known = now;
        events.sort_by(|one, other| {
            (one.at, one.what, &one.instance).cmp(&(other.at, other.what, &other.instance))
        });
        events
    }
}
