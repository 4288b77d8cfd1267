//! Which process: its number, when it started, and in which life of the machine; never by number alone.

use serde::{Deserialize, Serialize};

use crate::system;

/// A process that cannot be mistaken for another one that got its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Who {
    pub(super) process: u32,
    /// Clock ticks since boot, from `/proc/<pid>/stat`.
    pub(super) started: u64,
    /// `/proc/sys/kernel/random/boot_id`.
    pub(super) boot: String,
}

impl Who {
    /// The process with that number, if there is one.
    pub(super) fn of(process: u32) -> Option<Self> {
        Some(Self { process, started: started(process)?, boot: boot()? })
    }

    /// Whether it still runs; one that ended and was not reaped yet does not.
    pub(super) fn runs(&self) -> bool {
        boot().as_ref() == Some(&self.boot) && started(self.process) == Some(self.started)
    }
}

fn boot() -> Option<String> {
    system::kernel_text("/proc/sys/kernel/random/boot_id").map(|text| text.trim().to_owned())
}

fn started(process: u32) -> Option<u64> {
    let stat = system::kernel_text(&format!("/proc/{process}/stat"))?;
    // The name in parentheses may itself hold spaces and parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    // Field 22 of the whole line; the state is field 3.
    fields.nth(18)?.parse().ok()
}
