//! Promises about jobs: run to their end, once, within their deadline.

use std::time::Duration;

use super::{Case, Harness, Sample, cleaned, observed, prepared};
use crate::{Exit, InstanceKind, InstanceState};

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(120);

async fn run(harness: &dyn Harness, case: &Case, deadline: Duration) -> Exit {
    harness
        .engine()
        .run_once(&case.revision, deadline)
        .await
        .expect("a job that can be started tells how it ended")
}

/// The call returns when the job has ended, and the job is kept.
pub async fn a_job_runs_to_its_end(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Job(SHORT, 0)).await;
    let exit = run(harness, &case, LONG).await;
    assert!(exit.success() && exit.code == 0, "{exit:?}");
    let seen = observed(harness, &case).await;
    assert_eq!((seen.len(), seen[0].kind, seen[0].state), (1, InstanceKind::Job, InstanceState::Exited));
    assert_eq!(seen[0].exit, Some(exit));
    cleaned(harness, &[&case]).await;
}

/// A job that failed says with which code, and is run again when asked.
pub async fn a_failed_job_tells_its_code_and_runs_again(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Job(SHORT, 7)).await;
    let first = run(harness, &case, LONG).await;
    let second = run(harness, &case, LONG).await;
    assert_eq!((first.code, first.success(), second.code), (7, false, 7));
    assert!(second.at > first.at, "it was run a second time");
    cleaned(harness, &[&case]).await;
}

/// Past its deadline a job is stopped, and says so.
pub async fn a_job_past_its_deadline_is_stopped(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Job(LONG, 0)).await;
    let began = tokio::time::Instant::now();
    let exit = run(harness, &case, Duration::from_millis(300)).await;
    assert!(exit.timed_out && !exit.success(), "{exit:?}");
    assert!(began.elapsed() < LONG / 2);
    let seen = observed(harness, &case).await;
    assert_eq!(seen[0].state, InstanceState::Exited);
    assert!(seen[0].exit.is_some_and(|kept| kept.timed_out), "what is kept says so too: {:?}", seen[0].exit);
    cleaned(harness, &[&case]).await;
}

/// Asking again after a job ended well runs nothing; the next release runs it anew.
pub async fn a_finished_job_is_not_run_again_for_the_same_release(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Job(SHORT, 0)).await;
    let first = run(harness, &case, LONG).await;
    assert_eq!(run(harness, &case, LONG).await, first, "it was not run a second time");
    let next = case.released_again();
    let again = run(harness, &next, LONG).await;
    assert!(again.at > first.at, "another release runs it anew");
    assert_eq!(observed(harness, &next).await[0].release, next.revision.release);
    cleaned(harness, &[&case]).await;
}

/// A job that ended is gone once removed.
pub async fn a_job_is_removed_like_any_instance(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Job(SHORT, 0)).await;
    run(harness, &case, LONG).await;
    let id = observed(harness, &case).await[0].id.clone();
    harness.engine().remove(&case.revision.project, &id).await.expect("it can be removed");
    assert_eq!(observed(harness, &case).await, []);
    cleaned(harness, &[&case]).await;
}
