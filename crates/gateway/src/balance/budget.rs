//! The retry budget: what is sent a second time is a share of what is sent at all, so that a sick service is not asked
//! twice as much by everybody.

use std::sync::atomic::{AtomicU64, Ordering};

/// What one retry costs; a request brings in its hundredths.
const RETRY: u64 = 100;
/// Retries that are free at first, and the most that are saved up.
const AT_FIRST: u64 = 10 * RETRY;
const MOST: u64 = 100 * RETRY;

/// What is left, in hundredths of a retry.
#[derive(Debug)]
pub(crate) struct Budget(AtomicU64);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU64::new(AT_FIRST))
    }
}

impl Budget {
    /// A request came.
    pub(crate) fn earn(&self, percent: u32) {
        // A request more or less, where two meet, is no matter.
        let left = self.0.load(Ordering::Relaxed);
        if left < MOST {
            self.0.fetch_add(u64::from(percent), Ordering::Relaxed);
        }
    }

    /// Whether a request may be sent a second time; then it is paid.
    pub(crate) fn pay(&self, percent: u32) -> bool {
        let paid = |left: u64| left.checked_sub(RETRY);
        percent > 0 && self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, paid).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_more_than_its_share_is_sent_again(percent in 0_u32..=100, wishes in proptest::collection::vec(any::<bool>(), 0..2_000)) {
            let budget = Budget::default();
            let mut retries = 0_u64;
            for (requests, wish) in (1_u64..).zip(wishes) {
                budget.earn(percent);
                retries += u64::from(wish && budget.pay(percent));
                prop_assert!(retries * 100 <= requests * u64::from(percent) + AT_FIRST);
            }
        }
    }
}
