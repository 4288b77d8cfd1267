//! When an instance that ended is started again, and after which pause.

use std::time::Duration;

use seaworthy_project::Service;
use serde::{Deserialize, Serialize};

/// The pause before the second restart in a row; the first one comes at once.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause: a broken program costs two starts a minute, and a mended one is back within half of one.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A run of this length counts as a success, after which pauses are short again (as container engines have it).
const STEADY: Duration = Duration::from_secs(10);

/// The restart policy of a service (Compose Specification, "restart"; Deploy Specification, "restart_policy").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RestartPolicy {
    condition: Condition,
    /// The shortest pause.
    delay: Duration,
    /// How many restarts in a row.
    attempts: Option<u32>,
    /// How long a run must last to count as a success.
    steady: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Condition {
    Never,
    OnFailure,
    Always,
}

impl RestartPolicy {
    /// Never starts again: for jobs.
    pub(super) fn never() -> Self {
        Self { condition: Condition::Never, delay: Duration::ZERO, attempts: None, steady: STEADY }
    }

    /// What the file says: `deploy.restart_policy` goes before `restart`; without both it is `no`.
    pub(super) fn of(service: &Service) -> Self {
        if let Some(policy) = &service.deploy.restart {
            let condition = match policy.condition.as_deref() {
                Some("none") => Condition::Never,
                Some("on-failure") => Condition::OnFailure,
                _ => Condition::Always,
            };
            let steady = policy.window.unwrap_or_default().max(STEADY);
            let delay = policy.delay.unwrap_or_default();
            return Self { condition, delay, attempts: policy.max_attempts, steady };
        }
        Self::parse(service.restart.as_ref().map_or("no", |restart| restart.value.as_str()))
    }

    /// As the file would say it.
    pub(super) fn told(&self) -> String {
        match (self.condition, self.attempts) {
            (Condition::Never, _) => "no".to_owned(),
            (Condition::Always, _) => "always".to_owned(),
            (Condition::OnFailure, Some(attempts)) => format!("on-failure:{attempts}"),
            (Condition::OnFailure, None) => "on-failure".to_owned(),
        }
    }

    fn parse(text: &str) -> Self {
        let (word, attempts) = text.split_once(':').unwrap_or((text, ""));
        let condition = match word {
            "always" | "unless-stopped" => Condition::Always,
            "on-failure" => Condition::OnFailure,
            _ => Condition::Never,
        };
        Self { condition, attempts: attempts.parse().ok(), ..Self::never() }
    }
}

/// Counts the restarts of one instance.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    /// How many came one after the other without a steady run between.
    in_a_row: u32,
}

impl Pauses {
    /// The pause after a run of that length before the next start; `None` when there is none to be.
    pub(super) fn next(
        &mut self,
        policy: &RestartPolicy,
        ran: Duration,
        succeeded: bool,
    ) -> Option<Duration> {
        if ran >= policy.steady {
            self.in_a_row = 0;
        }
        let wanted = match policy.condition {
            Condition::Never => false,
            Condition::OnFailure => !succeeded,
            Condition::Always => true,
        };
        if !wanted || policy.attempts.is_some_and(|attempts| self.in_a_row >= attempts) {
            return None;
        }
        let doubled =
            self.in_a_row.checked_sub(1).map(|times| FIRST_PAUSE.saturating_mul(1 << times.min(16)));
        self.in_a_row = self.in_a_row.saturating_add(1);
        Some(doubled.unwrap_or_default().min(LONGEST_PAUSE).max(policy.delay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(policy: &str, runs: &[(u64, bool)]) -> Vec<Option<u128>> {
        let policy = RestartPolicy::parse(policy);
        let mut pauses = Pauses::default();
        let next = |(seconds, succeeded): &(u64, bool)| {
            pauses.next(&policy, Duration::from_secs(*seconds), *succeeded).map(|pause| pause.as_millis())
        };
        runs.iter().map(next).collect()
    }

    #[test]
    fn the_first_restart_comes_at_once_and_pauses_double_up_to_a_limit() {
        let seen = pauses("always", &[(1, false); 12]);
        let expected = [0, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000];
        assert_eq!(seen, expected.map(Some));
    }

    #[test]
    fn a_steady_run_makes_pauses_short_again() {
        assert_eq!(
            pauses("always", &[(1, false), (1, false), (10, false), (1, true)]),
            [0, 100, 0, 100].map(Some)
        );
    }

    #[test]
    fn conditions_are_honoured() {
        assert_eq!(pauses("no", &[(1, false)]), [None]);
        assert_eq!(pauses("on-failure", &[(1, false), (1, true)]), [Some(0), None]);
        assert_eq!(pauses("unless-stopped", &[(1, true)]), [Some(0)]);
        assert_eq!(pauses("on-failure:2", &[(1, false); 3]), [Some(0), Some(100), None]);
    }
}
