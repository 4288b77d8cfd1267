//! Fault points: a test can have the program killed after any line of the journal.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Called after each line of the journal is on disk. Does nothing unless a test says so.
#[derive(Clone, Default)]
pub struct FaultPoint {
    kill_after: Option<Arc<AtomicU32>>,
}

impl FaultPoint {
    /// Kills this process with SIGKILL once `lines` lines are on disk. Only debug builds obey.
    pub fn kill_after(lines: u32) -> Self {
        Self { kill_after: Some(Arc::new(AtomicU32::new(lines))) }
    }

    /// A line is on disk.
    pub(crate) fn passed(&self) {
        if !cfg!(debug_assertions) {
            return;
        }
        if let Some(left) = &self.kill_after
            && left.fetch_sub(1, Ordering::SeqCst) == 1
        {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGKILL);
        }
    }
}
