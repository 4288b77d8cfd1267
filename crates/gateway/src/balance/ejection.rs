//! Leaving a backend out that answers, but as a sick one does; each time in a row for twice as long.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::route::Ejection;

/// The longest that a backend is left out.
const LONGEST: Duration = Duration::from_secs(300);

/// What is known of one backend.
#[derive(Debug)]
pub(crate) struct Ejected {
    limits: Ejection,
    began: Instant,
    in_a_row: AtomicU32,
    times: AtomicU32,
    /// Until when it is left out, and how long that is, in milliseconds; the first since `began`.
    until_ms: AtomicU64,
    length_ms: AtomicU64,
}

impl Ejected {
    pub(crate) fn new(limits: Ejection) -> Self {
        Self {
            limits,
            began: Instant::now(),
            in_a_row: AtomicU32::new(0),
            times: AtomicU32::new(0),
            until_ms: AtomicU64::new(0),
            length_ms: AtomicU64::new(0),
        }
    }

    /// Whether it is left out now.
    pub(crate) fn is_out(&self, now: Instant) -> bool {
        let until = self.until_ms.load(Ordering::Relaxed);
        until > 0 && self.millis(now) < until
    }

    /// It answered as a well one does.
    pub(crate) fn well(&self) {
        if self.in_a_row.load(Ordering::Relaxed) > 0 {
            self.in_a_row.store(0, Ordering::Relaxed);
        }
    }

    /// It answered as a sick one does; how long it is left out, when it is from now on.
    pub(crate) fn sick(&self, now: Instant) -> Option<Duration> {
        let in_a_row = self.in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
        if self.limits.after == 0 || in_a_row < self.limits.after || self.is_out(now) {
            return None;
        }
        let (now, until) = (self.millis(now), self.until_ms.load(Ordering::Relaxed));
        // One that did well for as long as it had been left out begins anew.
        let relapsed = until > 0 && now.saturating_sub(until) < self.length_ms.load(Ordering::Relaxed);
        let times = if relapsed { self.times.load(Ordering::Relaxed) + 1 } else { 0 };
        let length = Duration::from_millis(self.limits.for_ms);
        let length = length.saturating_mul(1_u32.checked_shl(times).unwrap_or(u32::MAX)).min(LONGEST);
        let length_ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        self.times.store(times, Ordering::Relaxed);
        self.length_ms.store(length_ms, Ordering::Relaxed);
        self.until_ms.store(now.saturating_add(length_ms), Ordering::Relaxed);
        self.in_a_row.store(0, Ordering::Relaxed);
        Some(length)
    }

    /// Never zero, which stands for none.
    fn millis(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_left_out_longer_each_time_and_forgiven_in_the_end() {
        let seconds = Duration::from_secs;
        let ejected = Ejected::new(Ejection { after: 2, for_ms: 10_000 });
        let mut now = ejected.began;
        assert_eq!((ejected.sick(now), ejected.is_out(now)), (None, false));
        ejected.well();
        assert_eq!(ejected.sick(now), None, "not in a row");
        for length in [10, 20, 40, 80, 160, 300, 300] {
            assert_eq!(ejected.sick(now), Some(seconds(length)));
            assert!(ejected.is_out(now));
            assert_eq!((ejected.sick(now), ejected.sick(now)), (None, None), "what was still in flight");
            now += seconds(length) + Duration::from_millis(1);
            assert!(!ejected.is_out(now));
            ejected.well();
            assert_eq!(ejected.sick(now), None);
        }
        now += seconds(300);
        assert_eq!(ejected.sick(now), Some(seconds(10)));
        let never = Ejected::new(Ejection { after: 0, for_ms: 10_000 });
        assert!((0..100).all(|_| never.sick(now).is_none()));
    }
}
