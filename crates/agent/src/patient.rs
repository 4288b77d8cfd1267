//! What is known of one instance over time: its answers, and when it may be brought back again.

use std::time::Duration;

use jiff::Timestamp;
use seaworthy_release::LifeCheck;
use tokio::time::Instant;

use crate::Backoff;

/// One instance over time.
#[derive(Debug, Default)]
pub(crate) struct Patient {
    pub(crate) backoff: Backoff,
    asked: Option<Instant>,
    failures: u32,
    last_no: String,
    /// The start that the answers are about, and whether it was well once since then.
    started_at: Option<Timestamp>,
    was_well: bool,
    /// Since when that start is known.
    since: Option<Instant>,
}

impl Patient {
    /// Notes the start of its process; answers from before say nothing about this one.
    pub(crate) fn started(&mut self, at: Option<Timestamp>, now: Instant) {
        if self.since.is_none() || self.started_at != at {
            (self.started_at, self.since) = (at, Some(now));
            (self.failures, self.was_well, self.asked) = (0, false, None);
        }
    }

    /// Whether it is time to ask it again.
    pub(crate) fn is_to_be_asked(&self, check: &LifeCheck, now: Instant) -> bool {
        self.asked.is_none_or(|asked| now.saturating_duration_since(asked) >= check.interval)
    }

    /// Takes an answer in. While it starts, within `grace`, a no means nothing.
    pub(crate) fn answered(&mut self, ready: bool, detail: String, grace: Duration, now: Instant) {
        self.asked = Some(now);
        let starting =
            !self.was_well && self.since.is_some_and(|since| now.saturating_duration_since(since) < grace);
        match (ready, starting) {
            (true, _) => (self.failures, self.was_well) = (0, true),
            (false, true) => {}
            (false, false) => {
                self.failures = self.failures.saturating_add(1);
                self.last_no = detail;
            }
        }
    }

    /// What it said last, when it said no too often.
    pub(crate) fn unwell(&self, check: &LifeCheck) -> Option<String> {
        (self.failures >= check.retries).then(|| format!("{} ({} times)", self.last_no, self.failures))
    }
}

#[cfg(test)]
mod tests {
    use seaworthy_engine::Probe;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_no_counts_only_after_the_start_and_only_in_a_row() {
        let check = LifeCheck { probe: Probe::Running, interval: SECOND, retries: 2 };
        let began = Instant::now();
        let mut patient = Patient::default();
        let say = |patient: &mut Patient, second: u32, ready| {
            let now = began + SECOND * second;
            assert!(patient.is_to_be_asked(&check, now));
            patient.answered(ready, "503".to_owned(), 10 * SECOND, now);
            patient.unwell(&check)
        };
        patient.started(Some(Timestamp::UNIX_EPOCH), began);
        assert_eq!((0..9).find_map(|second| say(&mut patient, second, false)), None, "it starts");
        assert_eq!([say(&mut patient, 9, true), say(&mut patient, 10, false)], [None, None]);
        assert_eq!([say(&mut patient, 11, true), say(&mut patient, 12, false)], [None, None]);
        assert_eq!(say(&mut patient, 13, false).as_deref(), Some("503 (2 times)"));
        patient.started(None, began + SECOND * 14);
        assert_eq!(patient.unwell(&check), None, "another start, another story");
    }
}
