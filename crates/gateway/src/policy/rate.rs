//! How many requests each client may make: one number a client, the time at which its past requests are made good (GCRA).

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue, RETRY_AFTER};
use tokio::time::Instant;

use crate::route::RateLimit;

/// Parts of the memory, each behind a lock of its own.
const SHARDS: usize = 16;
/// Clients that are remembered in a part; where there are more, those who asked least are forgotten: 65,536 in all.
const MOST_CLIENTS: usize = 4_096;
/// IPv6 clients have whole networks of addresses: one is told from another by so many bits.
const IPV6_BITS: u32 = 64;

/// Counts the requests of a route's clients.
#[derive(Debug)]
pub(crate) struct Meter {
    /// The time that one request costs, in nanoseconds.
    cost: u64,
    burst: u32,
    header: Option<HeaderName>,
    began: Instant,
    hasher: RandomState,
    /// By client: when all its requests so far are made good, in nanoseconds since the meter began.
    clients: [Mutex<HashMap<u64, u64>>; SHARDS],
}

/// What a client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    limit: u32,
    remaining: u32,
    reset: Duration,
    /// When to come again, where it has to.
    pub(crate) retry_after: Option<Duration>,
}

impl Meter {
    pub(crate) fn new(limit: &RateLimit) -> Self {
        Self {
            cost: (limit.period_ms.saturating_mul(1_000_000) / u64::from(limit.requests.max(1))).max(1),
            burst: limit.burst.max(1),
            header: limit.header.as_ref().and_then(|name| HeaderName::from_str(name).ok()),
            began: Instant::now(),
            hasher: RandomState::new(),
            clients: Default::default(),
        }
    }

    /// Counts a request. A client without the header counts by its address.
    pub(crate) fn count(&self, client: IpAddr, headers: &HeaderMap) -> Told {
        let named = self.header.as_ref().and_then(|name| headers.get(name));
        // Keys are hashed with a secret of this process: nobody can aim at another client's.
        let key = match (named, client) {
            (Some(value), _) => self.hasher.hash_one((0, value.as_bytes())),
            (None, IpAddr::V4(address)) => self.hasher.hash_one((1, address.to_bits())),
            (None, IpAddr::V6(address)) => self.hasher.hash_one((2, address.to_bits() >> (128 - IPV6_BITS))),
        };
        let now = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.count_at(key, now)
    }

    fn count_at(&self, key: u64, now: u64) -> Told {
        let tolerance = self.cost.saturating_mul(u64::from(self.burst));
        let shard = usize::try_from(key % SHARDS as u64).unwrap_or_default();
        let Some(shard) = self.clients.get(shard) else { return self.told(0, None) };
        let mut clients = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let owed = clients.get(&key).map_or(0, |until| until.saturating_sub(now));
        if owed.saturating_add(self.cost) > tolerance {
            let wait = owed.saturating_add(self.cost) - tolerance;
            return self.told(owed, Some(Duration::from_nanos(wait)));
        }
        if clients.len() >= MOST_CLIENTS && !clients.contains_key(&key) {
            forget(&mut clients, now);
        }
        let owed = owed + self.cost;
        clients.insert(key, now.saturating_add(owed));
        self.told(owed, None)
    }

    fn told(&self, owed: u64, retry_after: Option<Duration>) -> Told {
        let spent = u32::try_from(owed.div_ceil(self.cost)).unwrap_or(u32::MAX);
        let remaining = self.burst.saturating_sub(spent);
        Told { limit: self.burst, remaining, reset: Duration::from_nanos(owed), retry_after }
    }
}

/// Makes room: those who owe nothing go; where all do, the half that owes least.
fn forget(clients: &mut HashMap<u64, u64>, now: u64) {
    clients.retain(|_, until| *until > now);
    if clients.len() < MOST_CLIENTS {
        return;
    }
    let mut times: Vec<u64> = clients.values().copied().collect();
    let (_, middle, _) = times.select_nth_unstable(MOST_CLIENTS / 2);
    let middle = *middle;
    clients.retain(|_, until| *until > middle);
}

impl Told {
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        headers.insert(HeaderName::from_static("ratelimit-limit"), self.limit.into());
        headers.insert(HeaderName::from_static("ratelimit-remaining"), self.remaining.into());
        headers.insert(HeaderName::from_static("ratelimit-reset"), seconds(self.reset));
        if let Some(after) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds(after));
        }
    }
}

/// In whole seconds, never too few.
fn seconds(time: Duration) -> HeaderValue {
    let more = u64::from(time.subsec_nanos() > 0);
    HeaderValue::from(time.as_secs().saturating_add(more))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn meter(requests: u32, burst: u32) -> Meter {
        Meter::new(&RateLimit { requests, period_ms: 1_000, burst, header: None })
    }

    #[test]
    fn a_burst_passes_and_then_one_for_each_that_is_made_good() {
        let meter = meter(10, 3);
        let told: Vec<Told> = (0..4).map(|_| meter.count_at(7, 0)).collect();
        let remaining: Vec<u32> = told.iter().map(|told| told.remaining).collect();
        assert_eq!(remaining, [2, 1, 0, 0]);
        assert_eq!(told[3].retry_after, Some(Duration::from_millis(100)));
        assert_eq!(meter.count_at(8, 0).retry_after, None, "another client");
        assert_eq!(meter.count_at(7, SECOND / 10).retry_after, None);
        assert!(meter.count_at(7, SECOND / 10).retry_after.is_some());
    }

    #[test]
    fn memory_is_bounded_and_who_asks_most_is_not_forgotten() {
        let meter = meter(1, 2);
        for _ in 0..2 {
            meter.count_at(16, 0);
        }
        for key in 0..50_000 {
            meter.count_at(key * 16 + 32, 1);
        }
        let held = meter.clients.iter().map(|shard| shard.lock().unwrap().len()).max();
        assert!(held <= Some(MOST_CLIENTS), "{held:?}");
        assert!(meter.count_at(16, 2).retry_after.is_some());
    }

    proptest! {
        #[test]
        fn no_more_than_the_burst_and_what_is_made_good_passes(
            requests in 1_u32..100, burst in 1_u32..20, steps in proptest::collection::vec(0_u64..SECOND, 1..200),
        ) {
            let meter = meter(requests, burst);
            let (mut now, mut passed) = (0, 0);
            for step in steps {
                now += step;
                passed += u64::from(meter.count_at(1, now).retry_after.is_none());
            }
            prop_assert!(passed <= u64::from(burst) + now / meter.cost + 1);
        }
    }
}
