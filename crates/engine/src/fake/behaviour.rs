//! How the instances of one artifact behave in the fake engine, as a function of time.

use std::time::Duration;

use crate::InstanceState;

/// How the instances of one artifact behave. Times count from the start of the instance.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// When probes begin to say yes; `None` is never.
    pub ready_after: Option<Duration>,
    /// Once ready, says yes for this long, then no for as long, and so on.
    pub flaps_every: Option<Duration>,
    /// When the main process ends by itself, and with which code.
    pub exits_after: Option<(Duration, i32)>,
    /// After such an end it is started again, this much later each time: a crash loop.
    pub restarts_after: Option<Duration>,
    /// How long a job takes, and its exit code.
    pub job: (Duration, i32),
    /// What is written to the log at each start.
    pub lines: Vec<String>,
}

impl Default for Behaviour {
    /// Ready at once and for ever; a job ends well at once.
    fn default() -> Self {
        Self {
            ready_after: Some(Duration::ZERO),
            flaps_every: None,
            exits_after: None,
            restarts_after: None,
            job: (Duration::ZERO, 0),
            lines: vec!["started".to_owned()],
        }
    }
}

/// Where an instance stands some time after its start.
pub(super) struct Standing {
    pub(super) state: InstanceState,
    pub(super) restarts: u32,
    /// When the current or last run began, from the start of the instance.
    pub(super) run_started: Duration,
    /// When the last run ended, from the start of the instance, and its code.
    pub(super) ended: Option<(Duration, i32)>,
    pub(super) ready: bool,
}

impl Behaviour {
    /// Never ready, but runs.
    pub fn never_ready() -> Self {
        Self { ready_after: None, ..Self::default() }
    }

    /// Ready after a while.
    pub fn ready_after(delay: Duration) -> Self {
        Self { ready_after: Some(delay), ..Self::default() }
    }

    /// Ends by itself after a while and stays so.
    pub fn exits_after(delay: Duration, code: i32) -> Self {
        Self { exits_after: Some((delay, code)), ..Self::default() }
    }

    /// Ends by itself after a while, again and again.
    pub fn crash_loop(delay: Duration, pause: Duration) -> Self {
        Self { exits_after: Some((delay, 1)), restarts_after: Some(pause), ..Self::default() }
    }

    /// A job that takes so long and ends with that code.
    pub fn job(takes: Duration, code: i32) -> Self {
        Self { job: (takes, code), ..Self::default() }
    }

    pub(super) fn at(&self, elapsed: Duration) -> Standing {
        let (state, restarts, run_started, ended) = match (self.exits_after, self.restarts_after) {
            (Some((after, code)), Some(pause)) => {
                let period = (after + pause).max(Duration::from_millis(1));
                let restarts = u32::try_from(elapsed.as_nanos() / period.as_nanos()).unwrap_or(u32::MAX);
                let run_started = period * restarts;
                let waiting = elapsed - run_started >= after;
                let end = if waiting { Some(run_started + after) } else { run_started.checked_sub(pause) };
                let ended = end.filter(|_| waiting || restarts > 0).map(|at| (at, code));
                let state = if waiting { InstanceState::Waiting } else { InstanceState::Running };
                (state, restarts, run_started, ended)
            }
            (Some((after, code)), None) if elapsed >= after => {
                (InstanceState::Exited, 0, Duration::ZERO, Some((after, code)))
            }
            _ => (InstanceState::Running, 0, Duration::ZERO, None),
        };
        let ready = state == InstanceState::Running && self.ready_at(elapsed - run_started);
        Standing { state, restarts, run_started, ended, ready }
    }

    fn ready_at(&self, run: Duration) -> bool {
        let Some(since) = self.ready_after.and_then(|after| run.checked_sub(after)) else { return false };
        self.flaps_every.is_none_or(|period| (since.as_nanos() / period.as_nanos().max(1)).is_multiple_of(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_crash_loop_runs_and_waits_in_turn() {
        let behaviour = Behaviour::crash_loop(2 * SECOND, SECOND);
        let seen: Vec<_> = (0..7).map(|second| behaviour.at(second * SECOND)).collect();
        let states: Vec<_> = seen.iter().map(|standing| standing.state).collect();
        use InstanceState::{Running as R, Waiting as W};
        assert_eq!(states, [R, R, W, R, R, W, R]);
        assert_eq!(seen.iter().map(|standing| standing.restarts).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 1, 2]);
        assert_eq!(seen[1].ended, None);
        assert_eq!(seen[4].ended, Some((2 * SECOND, 1)));
    }

    #[test]
    fn flapping_changes_its_answer_each_period() {
        let behaviour = Behaviour { flaps_every: Some(SECOND), ..Behaviour::ready_after(SECOND) };
        let answers: Vec<_> = (0..5).map(|second| behaviour.at(second * SECOND).ready).collect();
        assert_eq!(answers, [false, true, false, true, false]);
    }
}
