//! How often an issuer is asked after failures, on disk, so that no restart makes it more.
//!
//! Issuers shut out whoever fails too often: Let's Encrypt after five failed validations of a host within an hour. With
//! the pauses of [`Pace::hard`] there are three at most.

use std::io;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::rim;

/// The first and the longest pause after an issuer said no, in seconds.
const HARD: i64 = 15 * 60;
const LONGEST_HARD: i64 = 24 * 3600;
/// The same where it could not be reached, which it does not count.
const SOFT: i64 = 2;
const LONGEST_SOFT: i64 = 3600;
/// Pauses are longer by up to this part, so that not all ask at once.
const JITTER: i64 = 10;
/// The longest file.
const MOST_BYTES: u64 = 64 << 10;

/// What is known of the attempts to have a certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pace {
    /// Failures in a row that the issuer counts.
    pub(super) failures: u32,
    /// Failures in a row that it does not.
    #[serde(default)]
    pub(super) unreached: u32,
    /// When it may be asked again.
    pub(super) next: Timestamp,
    /// Why it failed.
    pub(super) reason: Option<String>,
}

impl Pace {
    /// As it stands on disk; what cannot be read counts as the first attempt.
    pub(super) fn read(path: &Path) -> Self {
        let bytes = rim::read(path, MOST_BYTES).ok().flatten();
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            rim::private_folder(folder)?;
        }
        rim::replace(path, &serde_json::to_vec(self)?)
    }

    /// After the issuer said no.
    pub(super) fn hard(before: &Self, now: Timestamp, reason: &str) -> Self {
        let pause = pause(HARD, LONGEST_HARD, before.failures);
        Self {
            failures: before.failures + 1,
            unreached: 0,
            next: after(now, pause),
            reason: Some(reason.to_owned()),
        }
    }

    /// The same, and no sooner than the issuer itself said.
    pub(super) fn not_before(self, said: Option<Timestamp>) -> Self {
        Self { next: said.map_or(self.next, |said| said.max(self.next)), ..self }
    }

    /// After it could not be reached.
    pub(super) fn soft(before: &Self, now: Timestamp, reason: &str) -> Self {
        let pause = pause(SOFT, LONGEST_SOFT, before.unreached);
        let unreached = before.unreached + 1;
        Self {
            failures: before.failures,
            unreached,
            next: after(now, pause),
            reason: Some(reason.to_owned()),
        }
    }
}

/// Twice as long each time.
fn pause(first: i64, longest: i64, failures: u32) -> i64 {
    first.checked_shl(failures.min(32)).unwrap_or(longest).min(longest)
}

fn after(now: Timestamp, pause: i64) -> Timestamp {
    let mut drawn = [0; 1];
    let _ = getrandom::fill(&mut drawn);
    let pause = SignedDuration::from_secs(pause + pause / JITTER * i64::from(drawn[0]) / 256);
    now.checked_add(pause).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_never_asked_so_often_that_it_shuts_us_out() {
        let (mut pace, mut now) = (Pace::default(), Timestamp::UNIX_EPOCH);
        let mut attempts: Vec<i64> = Vec::new();
        for _ in 0..40 {
            attempts.push(now.as_second());
            pace = Pace::hard(&pace, now, "no");
            now = pace.next;
        }
        let within_an_hour =
            |from: &i64| attempts.iter().filter(|at| (*from..from + 3600).contains(*at)).count();
        assert!(attempts.iter().map(within_an_hour).max() <= Some(3), "{attempts:?}");
        // And never less than about once a day.
        assert!(attempts.windows(2).all(|pair| pair[1] - pair[0] <= 27 * 3600), "{attempts:?}");
    }

    #[test]
    fn an_issuer_is_left_alone_for_as_long_as_it_says() {
        let now = Timestamp::UNIX_EPOCH;
        let at = |seconds| Some(Timestamp::from_second(seconds).unwrap());
        let hard = Pace::hard(&Pace::default(), now, "no");
        assert_eq!(hard.clone().not_before(at(7200)).next, at(7200).unwrap());
        assert_eq!(
            hard.clone().not_before(at(5)).next,
            hard.next,
            "it may say so, and is not taken at its word"
        );
        assert_eq!(hard.clone().not_before(None), hard);
    }

    #[test]
    fn one_that_cannot_be_reached_is_tried_again_soon_and_then_rarely() {
        let now = Timestamp::UNIX_EPOCH;
        let first = Pace::soft(&Pace::default(), now, "down");
        assert!(first.next.as_second() <= 3, "{first:?}");
        let many = Pace { unreached: 50, ..first };
        let next = Pace::soft(&many, now, "down").next.as_second();
        assert!((3600..=3960).contains(&next), "{next}");
    }
}
