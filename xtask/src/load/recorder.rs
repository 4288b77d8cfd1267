//! Keeps count while a load runs. Times are given from outside, as time since its start.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::{Ended, Failure, LoadError, Numbers, Phase, Report};

/// More would not be read.
const PHASES_AT_MOST: usize = 64;
/// The largest latency that is told apart, in microseconds: longer than any request may take.
const SLOWEST_MICROS: u64 = 120_000_000;
/// Digits of a latency that count.
const DIGITS: u8 = 3;

/// Counts for the whole and for each phase.
pub(super) struct Recorder {
    total: Tally,
    phases: Vec<(String, Tally)>,
    last_success: Duration,
}

#[derive(Default)]
struct Tally {
    from: Duration,
    to: Duration,
    sent: u64,
    succeeded: u64,
    failures: BTreeMap<Failure, u64>,
    reconnected: u64,
    longest_gap: Duration,
    latency: Option<Histogram<u64>>,
}

/// One request that came to its end.
pub(super) struct Finished {
    /// What [`Recorder::begin`] gave for it.
    pub(super) phase: usize,
    /// Time since the request was due.
    pub(super) latency: Duration,
    /// Whether its kept connection was found closed first.
    pub(super) reconnected: bool,
    /// How it ended.
    pub(super) outcome: Result<(), Failure>,
}

impl Recorder {
    pub(super) fn new(phase: &str) -> Self {
        Self {
            total: Tally::new(Duration::ZERO),
            phases: vec![(phase.to_owned(), Tally::new(Duration::ZERO))],
            last_success: Duration::ZERO,
        }
    }

    pub(super) fn sent(&self) -> u64 {
        self.total.sent
    }

    /// Counts a request as sent; the answer is needed to finish it.
    pub(super) fn begin(&mut self) -> usize {
        self.both(self.phases.len() - 1, |tally| tally.sent += 1);
        self.phases.len() - 1
    }

    /// Counts how a request ended, at that time.
    pub(super) fn finish(&mut self, at: Duration, finished: &Finished) {
        self.both(finished.phase, |tally| tally.add(finished));
        if finished.outcome.is_ok() {
            self.gap_until(at);
            self.last_success = self.last_success.max(at);
        }
    }

    /// Begins another phase at that time.
    pub(super) fn enter(&mut self, name: &str, at: Duration) -> Result<(), LoadError> {
        if self.phases.len() == PHASES_AT_MOST {
            return Err(LoadError::TooManyPhases(PHASES_AT_MOST));
        }
        self.close(at);
        self.phases.push((name.to_owned(), Tally::new(at)));
        Ok(())
    }

    /// Nothing more is due from that time on. A gap that is still open counts.
    pub(super) fn close(&mut self, at: Duration) {
        self.gap_until(at);
        let last = self.phases.len() - 1;
        self.both(last, |tally| tally.to = at);
    }

    pub(super) fn report(&self, ended: Ended) -> Report {
        let phase = |(name, tally): &(String, Tally)| Phase { name: name.clone(), numbers: tally.numbers() };
        Report { ended, total: self.total.numbers(), phases: self.phases.iter().map(phase).collect() }
    }

    fn gap_until(&mut self, at: Duration) {
        let gap = at.saturating_sub(self.last_success);
        self.both(self.phases.len() - 1, |tally| tally.longest_gap = tally.longest_gap.max(gap));
    }

    /// What is counted in a phase is counted in the whole too.
    fn both(&mut self, phase: usize, mut change: impl FnMut(&mut Tally)) {
        change(&mut self.total);
        if let Some((_, tally)) = self.phases.get_mut(phase) {
            change(tally);
        }
    }
}

impl Tally {
    fn new(from: Duration) -> Self {
        let latency = Histogram::new_with_bounds(1, SLOWEST_MICROS, DIGITS).ok();
        Self { from, to: from, latency, ..Self::default() }
    }

    fn add(&mut self, finished: &Finished) {
        self.reconnected += u64::from(finished.reconnected);
        match finished.outcome {
            Ok(()) => self.succeeded += 1,
            Err(failure) => *self.failures.entry(failure).or_default() += 1,
        }
        // A refused connection is quick, but it is no answer: it must not make the times look better.
        if matches!(finished.outcome, Ok(()) | Err(Failure::Timeout | Failure::Status(_)))
            && let Some(latency) = &mut self.latency
        {
            latency.saturating_record(
                u64::try_from(finished.latency.as_micros()).unwrap_or(SLOWEST_MICROS).max(1),
            );
        }
    }

    fn numbers(&self) -> Numbers {
        let quantile =
            |q: f64| self.latency.as_ref().map_or(0.0, |latency| milliseconds(latency.value_at_quantile(q)));
        Numbers {
            seconds: self.to.saturating_sub(self.from).as_secs_f64(),
            sent: self.sent,
            succeeded: self.succeeded,
            failed: self.failures.values().sum(),
            failures: self.failures.iter().map(|(failure, count)| (failure.to_string(), *count)).collect(),
            reconnected: self.reconnected,
            longest_gap_ms: self.longest_gap.as_secs_f64() * 1_000.0,
            p50_ms: quantile(0.5),
            p99_ms: quantile(0.99),
            max_ms: self.latency.as_ref().map_or(0.0, |latency| milliseconds(latency.max())),
        }
    }
}

fn milliseconds(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    fn finish(recorder: &mut Recorder, at: u64, latency: u64, outcome: Result<(), Failure>) {
        let phase = recorder.begin();
        recorder.finish(ms(at), &Finished { phase, latency: ms(latency), reconnected: false, outcome });
    }

    #[test]
    fn gaps_run_between_successes_and_to_both_ends() {
        let mut recorder = Recorder::new("one");
        finish(&mut recorder, 40, 1, Ok(()));
        finish(&mut recorder, 60, 1, Err(Failure::Refused));
        finish(&mut recorder, 100, 1, Ok(()));
        recorder.enter("two", ms(150)).unwrap();
        finish(&mut recorder, 300, 1, Ok(()));
        recorder.close(ms(450));
        let report = recorder.report(Ended::Stopped);
        let gaps: Vec<f64> = report.phases.iter().map(|phase| phase.numbers.longest_gap_ms).collect();
        assert_eq!(gaps, [60.0, 200.0]);
        assert_eq!(report.total.longest_gap_ms, 200.0);
        assert_eq!(report.phases[1].numbers.seconds, 0.3);
        recorder.close(ms(900));
        assert_eq!(recorder.report(Ended::Stopped).total.longest_gap_ms, 600.0);
    }

    #[test]
    fn a_request_counts_in_the_phase_it_was_due_in() {
        let mut recorder = Recorder::new("one");
        let phase = recorder.begin();
        recorder.enter("two", ms(10)).unwrap();
        let outcome = Err(Failure::Status(503));
        recorder.finish(ms(20), &Finished { phase, latency: ms(20), reconnected: true, outcome });
        let report = recorder.report(Ended::Stopped);
        assert_eq!((report.phases[0].numbers.failed, report.phases[1].numbers.failed), (1, 0));
        assert_eq!(report.total.failures["status 503"], 1);
        assert_eq!(report.total.reconnected, 1);
    }

    #[test]
    fn a_quick_refusal_does_not_make_the_times_look_better() {
        let mut recorder = Recorder::new("one");
        for _ in 0..99 {
            finish(&mut recorder, 1, 0, Err(Failure::Refused));
        }
        finish(&mut recorder, 1, 100, Ok(()));
        let numbers = recorder.report(Ended::Stopped).total;
        assert!((99.0..101.0).contains(&numbers.p50_ms), "{}", numbers.p50_ms);
    }

    #[test]
    fn phases_are_bounded() {
        let mut recorder = Recorder::new("one");
        let refused = (0..PHASES_AT_MOST).filter(|_| recorder.enter("next", ms(1)).is_err()).count();
        assert_eq!(refused, 1);
    }
}
