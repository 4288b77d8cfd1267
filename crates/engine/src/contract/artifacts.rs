//! Promises about what revisions run: looked at, kept, dropped.

use super::{Harness, Sample, cleaned, ensured, observed, prepared, ready, slot};
use crate::EngineError;

/// Looking at a service and at a project leaves both as they are.
pub async fn inspecting_changes_nothing(harness: &dyn Harness) {
    let case = harness.case(Sample::Serves);
    for _ in 0..2 {
        let seen = harness.engine().inspect(&case.project, &case.revision.service).await;
        assert_eq!(seen.expect("the artifact is there").artifact.as_ref(), Some(&case.revision.artifact));
        assert_eq!(observed(harness, &case).await, []);
        let volumes = harness.engine().volumes(&case.revision.project).await;
        assert_eq!(volumes.expect("no volume is no error"), [""; 0]);
    }
    let early = harness.engine().ensure(&case.revision, slot(1)).await;
    if let Ok(instance) = early {
        assert_eq!(observed(harness, &case).await.len(), 1, "{} was made by asking for it", instance.id);
    }
    cleaned(harness, &[&case]).await;
}

/// Preparing again changes nothing, and makes the volumes.
pub async fn preparing_twice_is_preparing_once(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Serves).await;
    harness.engine().prepare(&case.revision).await.expect("preparing may be repeated");
    let name = case.revision.volumes[0].name.clone();
    let volumes = harness.engine().volumes(&case.revision.project).await;
    assert_eq!(volumes.expect("volumes can be listed"), [name]);
    assert_eq!(observed(harness, &case).await, [], "preparing starts nothing");
    cleaned(harness, &[&case]).await;
}

/// Preparing fails when the artifact is gone, and what runs goes on.
pub async fn a_lost_artifact_is_told_before_anything_is_stopped(harness: &dyn Harness) {
    let old = prepared(harness, Sample::Serves).await;
    let instance = ensured(harness, &old, 1).await;
    ready(harness, &old, &instance).await;
    let new = harness.case(Sample::NeverReady);
    harness.lose_artifact(&new);
    let error = harness.engine().prepare(&new.revision).await.expect_err("what it runs is gone");
    assert!(matches!(error, EngineError::Artifact { .. }), "{error}");
    assert!(error.hint().is_some(), "the error says what to do");
    ready(harness, &old, &instance).await;
    cleaned(harness, &[&old]).await;
}

/// Once prepared, a revision can be started though its source is gone.
pub async fn a_kept_artifact_outlives_its_source(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Serves).await;
    harness.lose_artifact(&case);
    harness.engine().prepare(&case.revision).await.expect("what is kept can be prepared again");
    let instance = ensured(harness, &case, 1).await;
    ready(harness, &case, &instance).await;
    cleaned(harness, &[&case]).await;
}

/// Pruning drops only what no kept release names and no instance runs.
pub async fn pruning_keeps_what_runs_and_what_is_named(harness: &dyn Harness) {
    let running = prepared(harness, Sample::Serves).await;
    let instance = ensured(harness, &running, 1).await;
    let named = prepared(harness, Sample::NeverReady).await;
    let dropped = prepared(harness, Sample::Writes(1)).await;
    let project = &running.revision.project;
    harness
        .engine()
        .prune(project, std::slice::from_ref(&named.revision.artifact))
        .await
        .expect("pruning can be done");
    for case in [&running, &named, &dropped] {
        harness.lose_artifact(case);
    }
    harness.engine().prepare(&running.revision).await.expect("an instance runs it");
    harness.engine().prepare(&named.revision).await.expect("a kept release names it");
    harness.engine().prepare(&dropped.revision).await.expect_err("nobody needed it");
    ready(harness, &running, &instance).await;
    cleaned(harness, &[&running]).await;
}
