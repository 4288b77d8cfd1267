//! Readiness: named checks, run side by side.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::program::{Failure, with_causes};

/// How long one check may take.
const CHECK_LIMIT: Duration = Duration::from_secs(5);
/// How long an outcome answers for: several who ask at once cost one round of checks.
const OUTCOME_LIFE: Duration = Duration::from_millis(250);

type Verdict = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

#[derive(Clone)]
struct Check {
    name: String,
    ask: Arc<dyn Fn() -> Verdict + Send + Sync>,
}

/// The checks of a service, and what they said last.
#[derive(Default)]
pub(crate) struct Checks {
    checks: Vec<Check>,
    latest: Mutex<Option<(Instant, Outcome)>>,
}

/// What the checks said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    answers: Vec<Answer>,
}

#[derive(Debug, Clone)]
struct Answer {
    name: String,
    latency: Duration,
    error: Option<String>,
}

impl Checks {
    pub(crate) fn add<F, V, E>(&mut self, name: String, check: F)
    where
        F: Fn() -> V + Send + Sync + 'static,
        V: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure>,
    {
        let ask = Arc::new(move || {
            let verdict = check();
            Box::pin(async move { verdict.await.map_err(Into::into) }) as Verdict
        });
        self.checks.push(Check { name, ask });
    }

    /// Asks all checks, unless they were asked just now.
    pub(crate) async fn outcome(&self) -> Outcome {
        // Held while the checks run: who asks meanwhile waits for the same outcome.
        let mut latest = self.latest.lock().await;
        if let Some((when, outcome)) = latest.as_ref()
            && when.elapsed() < OUTCOME_LIFE
        {
            return outcome.clone();
        }
        let outcome = run(&self.checks).await;
        *latest = Some((Instant::now(), outcome.clone()));
        outcome
    }
}

async fn run(checks: &[Check]) -> Outcome {
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for (index, check) in checks.iter().cloned().enumerate() {
        running.spawn(async move { (index, ask(check).await) });
    }
    // A check that panics leaves no answer behind; what stands here then stays.
    let unanswered = |check: &Check| Answer {
        name: check.name.clone(),
        latency: Duration::ZERO,
        error: Some("the check panicked".to_owned()),
    };
    let mut answers: Vec<Answer> = checks.iter().map(unanswered).collect();
    while let Some(finished) = running.join_next().await {
        if let Ok((index, answer)) = finished {
            answers[index] = answer;
        }
    }
    for answer in answers.iter_mut().filter(|answer| answer.latency.is_zero()) {
        answer.latency = begun.elapsed();
    }
    Outcome { answers }
}

async fn ask(check: Check) -> Answer {
    let begun = Instant::now();
    let error = match timeout(CHECK_LIMIT, (check.ask)()).await {
        Ok(Ok(())) => None,
        Ok(Err(failure)) => Some(with_causes(failure.as_ref())),
        Err(_) => Some(format!("no answer within {} s", CHECK_LIMIT.as_secs())),
    };
    Answer { name: check.name, latency: begun.elapsed(), error }
}

impl Outcome {
    pub(crate) fn is_ready(&self) -> bool {
        self.answers.iter().all(|answer| answer.error.is_none())
    }

    /// Names and errors of the checks that failed.
    pub(crate) fn failed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.answers.iter().filter_map(|answer| Some((answer.name.as_str(), answer.error.as_deref()?)))
    }

    /// What `/ready` answers; `with_errors` tells why a check failed, and not only that it did.
    pub(crate) fn to_json(&self, with_errors: bool) -> Value {
        let told = |answer: &Answer| {
            let latency_ms = u64::try_from(answer.latency.as_millis()).unwrap_or(u64::MAX);
            let mut told = json!({ "status": "ok", "latency_ms": latency_ms });
            if let Some(error) = &answer.error {
                told["status"] = Value::from("failed");
                if with_errors {
                    told["error"] = Value::from(error.as_str());
                }
            }
            (answer.name.clone(), told)
        };
        let checks: Map<String, Value> = self.answers.iter().map(told).collect();
        json!({ "status": if self.is_ready() { "ready" } else { "not-ready" }, "checks": checks })
    }
}
