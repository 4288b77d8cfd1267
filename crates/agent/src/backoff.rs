//! When something that failed may be tried again: pauses that double, and begin anew after a good while.

use std::time::Duration;

use tokio::time::Instant;

/// The pause after the first try.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause: what is broken costs twelve tries an hour, and what was mended is back within that time.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Well for so long, and pauses begin anew.
const STEADY: Duration = Duration::from_secs(600);

/// When one thing may be tried again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backoff {
    tries: u32,
    next: Option<Instant>,
    well_since: Option<Instant>,
}

impl Backoff {
    /// Whether it may be tried now. The first try comes at once.
    pub fn is_due(&self, now: Instant) -> bool {
        self.next.is_none_or(|next| now >= next)
    }

    /// How long until it may be tried again.
    pub fn left(&self, now: Instant) -> Duration {
        self.next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now))
    }

    /// It was tried; gives the pause before the next try.
    pub fn tried(&mut self, now: Instant) -> Duration {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.tries.min(16)).min(LONGEST_PAUSE);
        self.tries = self.tries.saturating_add(1);
        self.next = Some(now + pause);
        self.well_since = None;
        pause
    }

    /// It was seen well.
    pub fn well(&mut self, now: Instant) {
        let since = *self.well_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= STEADY {
            *self = Self { well_since: Some(since), ..Self::default() };
        }
    }

    /// It was seen ill.
    pub fn ill(&mut self) {
        self.well_since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let mut backoff = Backoff::default();
        let now = Instant::now();
        assert!(backoff.is_due(now));
        let pauses: Vec<u64> = (0..11).map(|_| backoff.tried(now).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert!(!backoff.is_due(now + Duration::from_secs(299)) && backoff.is_due(now + LONGEST_PAUSE));
    }

    #[test]
    fn only_a_good_while_without_a_break_lets_pauses_begin_anew() {
        let mut backoff = Backoff::default();
        let began = Instant::now();
        for _ in 0..5 {
            backoff.tried(began);
        }
        backoff.well(began);
        backoff.well(began + Duration::from_secs(599));
        backoff.ill();
        backoff.well(began + Duration::from_secs(601));
        assert_eq!(backoff.clone().tried(began).as_secs(), 32, "ten minutes were not without a break");
        backoff.well(began + Duration::from_secs(1201));
        assert_eq!(backoff.tried(began).as_secs(), 1);
    }

    proptest! {
        /// Whatever happens in whatever order: in an hour there are few tries.
        #[test]
        fn never_a_tight_loop(seen in proptest::collection::vec(0_u8..3, 1800)) {
            let mut backoff = Backoff::default();
            let began = Instant::now();
            let mut tries = 0;
            for (round, what) in seen.iter().enumerate() {
                let now = began + Duration::from_secs(2 * round as u64);
                match what {
                    0 => backoff.well(now),
                    1 => backoff.ill(),
                    _ if backoff.is_due(now) => {
                        tries += 1;
                        backoff.tried(now);
                    }
                    _ => {}
                }
            }
            prop_assert!(tries <= 24, "{} tries in an hour", tries);
        }
    }
}
