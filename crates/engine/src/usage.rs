//! What an instance uses.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an instance uses at a moment. What counts up, counts from its start; what the engine cannot tell is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// When it was taken.
    pub taken_at: Timestamp,
    /// Processor time used so far, in nanoseconds.
    pub cpu_nanos: u64,
    /// Memory in use, without what is only cached.
    pub memory_bytes: u64,
    /// The most it may use.
    pub memory_limit_bytes: Option<u64>,
    /// Received over the network so far.
    pub received_bytes: Option<u64>,
    /// Sent over the network so far.
    pub sent_bytes: Option<u64>,
    /// Read from disks so far.
    pub read_bytes: Option<u64>,
    /// Written to disks so far.
    pub written_bytes: Option<u64>,
    /// Processes and threads.
    pub pids: u64,
}

impl Usage {
    /// Processor time since an earlier moment, in hundredths of one processor; nothing when it was started again.
    pub fn cpu_percent_since(&self, earlier: &Self) -> Option<f64> {
        let passed = Duration::try_from(self.taken_at.duration_since(earlier.taken_at)).ok()?;
        let used = Duration::from_nanos(self.cpu_nanos.checked_sub(earlier.cpu_nanos)?);
        (!passed.is_zero()).then(|| used.as_secs_f64() / passed.as_secs_f64() * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(second: i64, cpu_nanos: u64) -> Usage {
        Usage {
            taken_at: Timestamp::from_second(second).unwrap(),
            cpu_nanos,
            memory_bytes: 0,
            memory_limit_bytes: None,
            received_bytes: None,
            sent_bytes: None,
            read_bytes: None,
            written_bytes: None,
            pids: 1,
        }
    }

    #[test]
    fn a_busy_processor_is_a_hundred_percent() {
        assert_eq!(usage(2, 3_000_000_000).cpu_percent_since(&usage(1, 2_000_000_000)), Some(100.0));
        assert_eq!(usage(4, 500_000_000).cpu_percent_since(&usage(2, 0)), Some(25.0));
    }

    #[test]
    fn what_was_started_again_has_no_share_yet() {
        assert_eq!(usage(2, 1).cpu_percent_since(&usage(1, 2)), None);
        assert_eq!(usage(1, 2).cpu_percent_since(&usage(1, 2)), None);
    }
}
