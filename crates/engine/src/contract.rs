//! What every engine of instances promises, as tests that run over any of them.
//!
//! An engine's test file has a [`Harness`] and one line: `seaworthy_engine::contract_tests!(harness());`. To add a
//! promise, write it as a function in `contract/` and name it in [`contract_tests!`](crate::contract_tests).

mod artifacts;
mod beside;
mod instances;
mod jobs;
mod logs;

use std::time::Duration;

use seaworthy_project::Project;

use crate::{Engine, Instance, InstanceState, Probe, Revision, Slot};

pub use artifacts::*;
pub use beside::*;
pub use instances::*;
pub use jobs::*;
pub use logs::*;

/// How long anything may take to become true, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// What a service of a case does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// Answers `GET /` with 200 on port 8080 inside, and mounts the volume `data`.
    Serves,
    /// Runs, and answers `GET /` with 503.
    NeverReady,
    /// Writes `line 1` to `line <count>` to standard output, and runs on.
    Writes(u32),
    /// A job that ends after a while with that code.
    Job(Duration, i32),
}

/// A project with one service, and the revision of it that runs.
#[derive(Debug, Clone)]
pub struct Case {
    /// The project.
    pub project: Project,
    /// The revision.
    pub revision: Revision,
}

/// An engine under test and the few things a test must do behind its back. Each harness has projects of its own.
pub trait Harness: Send + Sync {
    /// The engine.
    fn engine(&self) -> &dyn Engine;

    /// A case whose service does what the sample says; another call gives another revision of the same project.
    fn case(&self, sample: Sample) -> Case;

    /// Takes what a revision runs away from where it came from.
    fn lose_artifact(&self, case: &Case);

    /// The words that run the sample program beside an instance.
    fn words(&self, arguments: &[&str]) -> Vec<String>;

    /// Ends the main process of an instance from outside.
    fn end(&self, case: &Case, instance: &Instance);
}

/// Makes a test of each promise; the argument makes a fresh [`Harness`](crate::contract::Harness).
#[macro_export]
macro_rules! contract_tests {
    ($harness:expr) => {
        $crate::contract_tests! { @each $harness;
            inspecting_changes_nothing
            preparing_twice_is_preparing_once
            a_lost_artifact_is_told_before_anything_is_stopped
            a_kept_artifact_outlives_its_source
            pruning_keeps_what_runs_and_what_is_named
            ensuring_twice_makes_one_instance
            ensuring_at_once_makes_one_instance
            instances_of_other_slots_and_revisions_stand_beside
            an_instance_keeps_its_address
            probes_tell_ready_from_running
            an_ended_instance_is_started_again
            removing_twice_is_removing_once
            purging_leaves_volumes_unless_told
            projects_do_not_see_each_other
            a_job_runs_to_its_end
            a_failed_job_tells_its_code_and_runs_again
            a_job_past_its_deadline_is_stopped
            a_finished_job_is_not_run_again_for_the_same_release
            a_job_is_removed_like_any_instance
            logs_are_read_from_a_cursor_on
            logs_have_a_tail
            asking_for_what_is_not_there_is_an_error
            facts_are_of_what_runs_and_change_nothing
            a_command_beside_an_instance_tells_its_code
            a_command_reads_and_writes_beside_an_instance
            a_command_is_sent_signals
            what_an_instance_uses_is_told_while_it_runs
            what_happened_is_told_in_order
            what_is_not_there_has_nothing_to_tell
        }
    };
    (@each $harness:expr; $($name:ident)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                $crate::contract::$name(&$harness).await;
            }
        )*
    };
}

impl Case {
    /// The same service in the next release, with nothing changed.
    fn released_again(&self) -> Self {
        let mut again = self.clone();
        again.revision.release.0 += 1;
        again
    }
}

fn slot(number: u32) -> Slot {
    Slot::first(number).last().expect("slots are asked for from 1 on")
}

fn http() -> Probe {
    Probe::Http { port: 8080, path: "/".to_owned(), timeout: Duration::from_secs(2) }
}

async fn prepared(harness: &dyn Harness, sample: Sample) -> Case {
    let case = harness.case(sample);
    harness.engine().prepare(&case.revision).await.expect("the artifact is there");
    case
}

async fn ensured(harness: &dyn Harness, case: &Case, number: u32) -> Instance {
    harness.engine().ensure(&case.revision, slot(number)).await.expect("a prepared revision can be started")
}

async fn observed(harness: &dyn Harness, case: &Case) -> Vec<Instance> {
    harness.engine().observe(&case.revision.project).await.expect("observing has no reason to fail").instances
}

async fn ready(harness: &dyn Harness, case: &Case, instance: &Instance) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let outcome = harness.engine().probe(&case.revision.project, &instance.id, &http()).await;
        let outcome = outcome.expect("asking an instance that is there is no error");
        if outcome.ready {
            return;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "{} never got ready: {}",
            instance.id,
            outcome.detail
        );
        tokio::time::sleep(LOOK).await;
    }
}

async fn ended(harness: &dyn Harness, case: &Case, instance: &Instance) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let now = observed(harness, case).await.into_iter().find(|seen| seen.id == instance.id);
        let now = now.expect("an ended instance is still observed");
        if now.state == InstanceState::Exited {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{} never ended: {:?}", instance.id, now.state);
        tokio::time::sleep(LOOK).await;
    }
}

async fn cleaned(harness: &dyn Harness, cases: &[&Case]) {
    for case in cases {
        harness.engine().purge(&case.revision.project, true).await.expect("a project can be purged");
        assert_eq!(observed(harness, case).await, []);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_promise_is_forgotten() {
        let list = include_str!("contract.rs");
        let parts = [
            include_str!("contract/artifacts.rs"),
            include_str!("contract/beside.rs"),
            include_str!("contract/instances.rs"),
            include_str!("contract/jobs.rs"),
            include_str!("contract/logs.rs"),
        ];
        let promises = parts
            .iter()
            .flat_map(|part| part.lines())
            .filter_map(|line| line.strip_prefix("pub async fn ").and_then(|rest| rest.split('(').next()));
        for promise in promises {
            assert!(
                list.lines().any(|line| line.trim() == promise),
                "`{promise}` is not in the list of tests"
            );
        }
    }
}
