//! Promises about instances: made, seen, asked, ended, removed.

use std::time::Duration;

use super::{Harness, Sample, cleaned, ended, ensured, http, observed, prepared, ready, slot};
use crate::{EngineError, InstanceKind, InstanceState, Probe};

/// Ensuring again gives the same instance, and restarts nothing.
pub async fn ensuring_twice_makes_one_instance(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Serves).await;
    let one = ensured(harness, &case, 1).await;
    ready(harness, &case, &one).await;
    let two = ensured(harness, &case, 1).await;
    assert_eq!((&two.id, two.created_at, two.started_at), (&one.id, one.created_at, one.started_at));
    assert_eq!((two.process, &two.addresses), (one.process, &one.addresses));
    let seen = observed(harness, &case).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (&seen[0].id, seen[0].kind, seen[0].state),
        (&one.id, InstanceKind::Replica, InstanceState::Running)
    );
    assert_eq!(seen[0].release, case.revision.release);
    cleaned(harness, &[&case]).await;
}

/// Two callers who ensure the same slot at once get one instance.
pub async fn ensuring_at_once_makes_one_instance(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Serves).await;
    let (one, two, three) =
        tokio::join!(ensured(harness, &case, 1), ensured(harness, &case, 1), ensured(harness, &case, 1));
    assert_eq!((one.process, &one.addresses), (two.process, &two.addresses));
    assert_eq!((one.process, &one.addresses), (three.process, &three.addresses));
    ready(harness, &case, &one).await;
    assert_eq!(observed(harness, &case).await.len(), 1);
    cleaned(harness, &[&case]).await;
}

/// Each slot of each revision is an instance of its own with an address of its own, ordered by id.
pub async fn instances_of_other_slots_and_revisions_stand_beside(harness: &dyn Harness) {
    let old = prepared(harness, Sample::Serves).await;
    let new = prepared(harness, Sample::NeverReady).await;
    let made =
        [ensured(harness, &old, 2).await, ensured(harness, &old, 1).await, ensured(harness, &new, 1).await];
    let seen = observed(harness, &old).await;
    assert!(seen.is_sorted_by_key(|instance| instance.id.clone()));
    let mut addresses: Vec<_> = seen.iter().flat_map(|instance| instance.addresses.clone()).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!((seen.len(), addresses.len()), (made.len(), made.len()));
    harness.engine().remove(&old.revision.project, &made[0].id).await.expect("one can be removed by itself");
    assert_eq!(observed(harness, &old).await.len(), made.len() - 1);
    ready(harness, &old, &made[1]).await;
    cleaned(harness, &[&old]).await;
}

/// The address stays the same when the instance is started again.
pub async fn an_instance_keeps_its_address(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Serves).await;
    let before = ensured(harness, &case, 1).await;
    assert_eq!(before.addresses.len(), 1);
    assert_eq!(before.addresses[0].0, 8080);
    harness.end(&case, &before);
    ended(harness, &case, &before).await;
    let after = ensured(harness, &case, 1).await;
    assert_eq!(after.addresses, before.addresses);
    ready(harness, &case, &after).await;
    cleaned(harness, &[&case]).await;
}

/// What runs is not ready by that alone, and a `no` says what was seen.
pub async fn probes_tell_ready_from_running(harness: &dyn Harness) {
    let good = prepared(harness, Sample::Serves).await;
    let bad = prepared(harness, Sample::NeverReady).await;
    let (one, two) = (ensured(harness, &good, 1).await, ensured(harness, &bad, 1).await);
    ready(harness, &good, &one).await;
    let project = &bad.revision.project;
    let deadline = tokio::time::Instant::now() + super::PATIENCE;
    loop {
        let outcome = harness.engine().probe(project, &two.id, &http()).await.expect("a no is no error");
        assert!(!outcome.ready && !outcome.detail.is_empty());
        if outcome.detail.contains("503") {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "it never answered 503: {}", outcome.detail);
        tokio::time::sleep(super::LOOK).await;
    }
    let running = harness.engine().probe(project, &two.id, &Probe::Running).await.expect("a no is no error");
    assert!(running.ready, "{}", running.detail);
    harness.end(&bad, &two);
    ended(harness, &bad, &two).await;
    for probe in [Probe::Running, http(), Probe::Tcp { port: 8080, timeout: Duration::from_secs(1) }] {
        let outcome = harness.engine().probe(project, &two.id, &probe).await.expect("a no is no error");
        assert!(!outcome.ready, "it ended, yet {probe:?} said {}", outcome.detail);
    }
    cleaned(harness, &[&good]).await;
}

/// An instance that ended by itself stays seen as ended, with how, until it is ensured again.
pub async fn an_ended_instance_is_started_again(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Serves).await;
    let instance = ensured(harness, &case, 1).await;
    ready(harness, &case, &instance).await;
    harness.end(&case, &instance);
    ended(harness, &case, &instance).await;
    let seen = observed(harness, &case).await;
    assert!(seen[0].exit.is_some_and(|exit| !exit.success()), "{:?}", seen[0].exit);
    assert_eq!(seen[0].process, None);
    let again = ensured(harness, &case, 1).await;
    assert_eq!((&again.id, again.state), (&instance.id, InstanceState::Running));
    ready(harness, &case, &again).await;
    assert_eq!(observed(harness, &case).await.len(), 1);
    cleaned(harness, &[&case]).await;
}

/// Removing what is not there is no error.
pub async fn removing_twice_is_removing_once(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Serves).await;
    let instance = ensured(harness, &case, 1).await;
    for _ in 0..2 {
        harness
            .engine()
            .remove(&case.revision.project, &instance.id)
            .await
            .expect("removing may be repeated");
        assert_eq!(observed(harness, &case).await, []);
    }
    let again = ensured(harness, &case, 1).await;
    ready(harness, &case, &again).await;
    cleaned(harness, &[&case]).await;
}

/// Purging removes all but the volumes; told so, those too; and may be repeated.
pub async fn purging_leaves_volumes_unless_told(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Serves).await;
    ensured(harness, &case, 1).await;
    ensured(harness, &case, 2).await;
    let project = &case.revision.project;
    for (volumes, left) in [(false, 1), (false, 1), (true, 0), (true, 0)] {
        harness.engine().purge(project, volumes).await.expect("purging may be repeated");
        assert_eq!(observed(harness, &case).await, []);
        assert_eq!(harness.engine().volumes(project).await.expect("volumes can be listed").len(), left);
    }
}

/// What is done to one project does not touch another, though it has the same service, revision and slot.
pub async fn projects_do_not_see_each_other(harness: &dyn Harness) {
    let ours = prepared(harness, Sample::Serves).await;
    let mut theirs = ours.clone();
    // A name that begins like the other is where prefixes go wrong.
    let name = format!("{}_data", ours.revision.project);
    theirs.revision.project = seaworthy_project::ProjectName::new(name).expect("a longer name is a name");
    for volume in &mut theirs.revision.volumes {
        volume.name = format!("{}_{}", theirs.revision.project, volume.key.value);
    }
    for network in &mut theirs.revision.networks {
        network.name = format!("{}_{}", theirs.revision.project, network.key.value);
    }
    harness.engine().prepare(&theirs.revision).await.expect("the artifact is there");
    let (one, two) = (ensured(harness, &ours, 1).await, ensured(harness, &theirs, 1).await);
    assert_eq!(one.id, two.id);
    assert_ne!(one.addresses, two.addresses);
    cleaned(harness, &[&ours]).await;
    ready(harness, &theirs, &two).await;
    let volumes = harness.engine().volumes(&theirs.revision.project).await.expect("volumes can be listed");
    assert_eq!(
        volumes,
        [theirs.revision.volumes[0].name.clone()],
        "purging one project left the other's volumes"
    );
    harness.engine().ensure(&theirs.revision, slot(2)).await.expect("its artifact is still kept");
    cleaned(harness, &[&theirs]).await;
}

/// Asking for an instance that is not there is an error that names it.
pub async fn asking_for_what_is_not_there_is_an_error(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Serves).await;
    let instance = ensured(harness, &case, 1).await;
    let project = &case.revision.project;
    harness.engine().remove(project, &instance.id).await.expect("it can be removed");
    let probed = harness.engine().probe(project, &instance.id, &Probe::Running).await;
    assert!(matches!(probed, Err(EngineError::NoInstance { .. })), "{probed:?}");
    let read = harness.engine().logs(project, &instance.id, crate::LogCursor::Start, 1).await;
    assert!(matches!(read, Err(EngineError::NoInstance { .. })), "{read:?}");
    cleaned(harness, &[&case]).await;
}
