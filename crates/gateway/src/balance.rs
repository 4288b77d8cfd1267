//! The ways of choosing a backend, as functions of what is known of each.

mod budget;
mod ejection;
mod hash;

use std::time::Duration;

use crate::route::Balance;

pub(crate) use budget::Budget;
pub(crate) use ejection::Ejected;
pub(crate) use hash::{Asker, hash};

/// A backend that may be chosen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    /// Its place in the route.
    pub(crate) index: usize,
    /// What it gets by its owner's wish.
    pub(crate) weight: f64,
    /// What it gets of that, from 0 to 1: less while it is new.
    pub(crate) share: f64,
    pub(crate) in_flight: u64,
    /// The hash of its id.
    pub(crate) id: u64,
}

impl Candidate {
    fn pull(&self) -> f64 {
        self.weight * self.share
    }

    /// How busy it would be with one more.
    fn load(&self) -> f64 {
        (self.in_flight + 1) as f64 / self.pull()
    }
}

/// The one whose turn it is. `turn` goes up by one with each question; `key` is what tells clients apart.
pub(crate) fn choose(how: Balance, open: &[Candidate], turn: usize, key: u64) -> Option<usize> {
    let chosen = match how {
        Balance::RoundRobin => in_turn(open, turn),
        Balance::LeastConnections => least_busy(open, turn),
        Balance::PowerOfTwo => better_of_two(open, turn),
        Balance::Hash => open.iter().max_by(|one, two| affinity(one, key).total_cmp(&affinity(two, key))),
    };
    chosen.map(|candidate| candidate.index)
}

/// What a backend of this age gets of its share while it starts slowly.
pub(crate) fn share(age: Duration, slow_start: Duration) -> f64 {
    // With less it would never warm up.
    const LEAST: f64 = 0.1;
    if slow_start.is_zero() { 1.0 } else { (age.as_secs_f64() / slow_start.as_secs_f64()).clamp(LEAST, 1.0) }
}

fn in_turn(open: &[Candidate], turn: usize) -> Option<&Candidate> {
    let first = open.first()?.pull();
    if open.iter().all(|candidate| candidate.pull() == first) {
        return open.get(turn % open.len());
    }
    // Multiples of the golden ratio fall evenly between 0 and 1, however many there are: shares are right at once, not
    // only on average.
    const GOLDEN: f64 = 0.618_033_988_749_894_8;
    let total: f64 = open.iter().map(Candidate::pull).sum();
    let mut left = ((turn % (1 << 32)) as f64 * GOLDEN).fract() * total;
    let found = open.iter().find(|candidate| {
        left -= candidate.pull();
        left < 0.0
    });
    found.or(open.last())
}

fn least_busy(open: &[Candidate], turn: usize) -> Option<&Candidate> {
    let least = open.iter().map(Candidate::load).min_by(f64::total_cmp)?;
    let alike: Vec<&Candidate> = open.iter().filter(|candidate| candidate.load() <= least).collect();
    alike.get(turn % alike.len().max(1)).copied()
}

/// Of two taken at random the less busy one: nearly as good as looking at all, and many gateways do not all send to the
/// same one at once.
fn better_of_two(open: &[Candidate], turn: usize) -> Option<&Candidate> {
    let count = open.len() as u64;
    let random = hash::mix(turn as u64);
    let one = open.get(usize::try_from(random % count.max(1)).ok()?)?;
    let other = usize::try_from((random >> 32) % (count - 1).max(1)).ok()?;
    // Skips the first one, so that the two differ.
    let at = open.iter().position(|candidate| candidate.index == one.index)?;
    let two = open.get(if other >= at { other + 1 } else { other }).unwrap_or(one);
    Some(if two.load() < one.load() { two } else { one })
}

/// How strongly a client is drawn to a backend (rendezvous hashing, weighted). Each backend's draw depends on itself
/// alone, so one that goes moves only its own clients, and one that comes takes only those it then has.
fn affinity(candidate: &Candidate, key: u64) -> f64 {
    // Between 0 and 1, neither of them.
    let even = ((hash::mix(candidate.id ^ key) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    candidate.weight / -even.ln()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidates(pulls: &[(u32, f64, u64)]) -> Vec<Candidate> {
        let one = |(index, (weight, share, in_flight)): (usize, &(u32, f64, u64))| Candidate {
            index,
            weight: f64::from(*weight),
            share: *share,
            in_flight: *in_flight,
            id: hash(format!("web.{index}").as_bytes()),
        };
        pulls.iter().enumerate().map(one).collect()
    }

    fn any_candidates() -> impl Strategy<Value = Vec<Candidate>> {
        proptest::collection::vec((1_u32..20, 0.1_f64..1.0, 0_u64..50), 1..12)
            .prop_map(|all| candidates(&all))
    }

    proptest! {
        #[test]
        fn every_way_chooses_one_of_those_there_are(all in any_candidates(), turn in any::<usize>(), key in any::<u64>()) {
            for how in [Balance::RoundRobin, Balance::LeastConnections, Balance::PowerOfTwo, Balance::Hash] {
                let chosen = choose(how, &all, turn, key).unwrap();
                prop_assert!(chosen < all.len());
                prop_assert_eq!(choose(how, &[], turn, key), None);
            }
        }

        #[test]
        fn in_turn_each_gets_its_share(weights in proptest::collection::vec(1_u32..10, 2..8), start in 0_usize..1_000_000) {
            let all = candidates(&weights.iter().map(|weight| (*weight, 1.0, 0)).collect::<Vec<_>>());
            let mut counts = vec![0_u32; all.len()];
            for turn in start..start + 1_000 {
                counts[choose(Balance::RoundRobin, &all, turn, 0).unwrap()] += 1;
            }
            let total: u32 = weights.iter().sum();
            for (count, weight) in counts.iter().zip(&weights) {
                let wished = 1_000.0 * f64::from(*weight) / f64::from(total);
                prop_assert!((f64::from(*count) - wished).abs() <= 10.0, "{:?} for {:?}", counts, weights);
            }
        }

        #[test]
        fn a_backend_that_goes_moves_only_its_own_clients(all in any_candidates(), gone in any::<prop::sample::Index>(), keys in proptest::collection::vec(any::<u64>(), 50)) {
            let gone = gone.index(all.len());
            let left: Vec<Candidate> = all.iter().copied().filter(|one| one.index != gone).collect();
            for key in keys {
                let before = choose(Balance::Hash, &all, 0, key).unwrap();
                let after = choose(Balance::Hash, &left, 0, key);
                if before != gone {
                    prop_assert_eq!(after, Some(before));
                }
            }
        }

        #[test]
        fn the_least_busy_is_chosen_and_the_worst_of_two_never_is(all in any_candidates(), turn in any::<usize>()) {
            let load = |index: usize| all[index].load();
            let least = choose(Balance::LeastConnections, &all, turn, 0).unwrap();
            prop_assert!(all.iter().all(|other| load(least) <= other.load()));
            let two = choose(Balance::PowerOfTwo, &all, turn, 0).unwrap();
            let no_worse = all.iter().filter(|other| other.load() >= load(two)).count();
            prop_assert!(all.len() == 1 || no_worse >= 2, "{two} of {all:?}");
        }
    }

    #[test]
    fn a_new_backend_gets_more_and_more() {
        let seconds = Duration::from_secs;
        let shares = [0, 1, 15, 30, 99].map(|age| share(seconds(age), seconds(30)));
        assert_eq!(shares, [0.1, 0.1, 0.5, 1.0, 1.0]);
        assert_eq!(share(seconds(0), seconds(0)), 1.0);
        // A tenth of what each of the others gets, and no more.
        let all = candidates(&[(1, 1.0, 0), (1, share(seconds(0), seconds(30)), 0)]);
        let got = (0..1_100).filter(|turn| choose(Balance::RoundRobin, &all, *turn, 0) == Some(1)).count();
        assert!(got.abs_diff(100) < 10, "{got} of 1100");
    }

    #[test]
    fn hashing_spreads_clients_by_weight() {
        let all = candidates(&[(1, 1.0, 0), (1, 1.0, 0), (2, 1.0, 0)]);
        let mut counts = [0_u32; 3];
        for client in 0..4_000_u32 {
            counts[choose(Balance::Hash, &all, 0, hash(&client.to_be_bytes())).unwrap()] += 1;
        }
        assert!(
            counts.iter().zip([1_000, 1_000, 2_000]).all(|(count, wished)| count.abs_diff(wished) < 150),
            "{counts:?}"
        );
    }
}
