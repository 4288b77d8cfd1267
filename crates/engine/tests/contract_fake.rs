//! The fake engine keeps the contract.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seaworthy_engine::contract::{Case, Harness, Sample};
use seaworthy_engine::fake::{Behaviour, Fake};
use seaworthy_engine::{Artifact, Engine, Instance, InstanceKind, ReleaseNumber, Revision, RevisionId};
use seaworthy_project::fixture::load_yaml;

struct FakeHarness {
    fake: Fake,
    made: AtomicU32,
}

fn harness() -> FakeHarness {
    FakeHarness { fake: Fake::new(), made: AtomicU32::new(0) }
}

impl Harness for FakeHarness {
    fn engine(&self) -> &dyn Engine {
        &self.fake
    }

    fn case(&self, sample: Sample) -> Case {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let project = load_yaml(
            "services:\n  sample:\n    image: sample:1\n    expose: ['8080']\n    volumes: [data:/data]\nvolumes:\n  data:\n",
        );
        let service = project.services().next().unwrap().clone();
        let artifact = Artifact { name: "sample:1".to_owned(), digest: format!("sha256:{number:064}") };
        self.fake.set_artifact(&service.name.value, artifact.clone());
        self.fake.behave(
            &artifact.digest,
            match sample {
                Sample::Serves => Behaviour::default(),
                Sample::NeverReady => Behaviour::never_ready(),
                Sample::Writes(count) => {
                    let lines = (1..=count).map(|line| format!("line {line}")).collect();
                    Behaviour { lines, ..Behaviour::default() }
                }
                Sample::Job(takes, code) => Behaviour::job(takes, code),
            },
        );
        let kind = if matches!(sample, Sample::Job(..)) { InstanceKind::Job } else { InstanceKind::Replica };
        let revision = Revision {
            project: project.name.clone(),
            directory: project.directory.clone(),
            release: ReleaseNumber(1),
            id: RevisionId(format!("{number:012x}")),
            service,
            kind,
            artifact,
            files: Vec::new(),
            volumes: project.volumes.values().cloned().collect(),
            networks: project.networks.values().cloned().collect(),
        };
        Case { project, revision }
    }

    fn lose_artifact(&self, case: &Case) {
        self.fake.lose_artifact(&case.revision.artifact.digest);
    }

    fn words(&self, arguments: &[&str]) -> Vec<String> {
        arguments.iter().map(ToString::to_string).collect()
    }

    fn end(&self, case: &Case, instance: &Instance) {
        self.fake.end(&case.revision.project, &instance.id, 137);
    }
}

seaworthy_engine::contract_tests!(harness());

#[tokio::test]
async fn calls_are_kept_with_what_they_may_change() {
    let harness = harness();
    let case = harness.case(Sample::Serves);
    harness.fake.inspect(&case.project, &case.revision.service).await.unwrap();
    harness.fake.observe(&case.revision.project).await.unwrap();
    assert_eq!(harness.fake.mutating_calls(), []);
    harness.fake.prepare(&case.revision).await.unwrap();
    assert_eq!(harness.fake.calls().len(), 3);
    assert_eq!(harness.fake.mutating_calls()[0].subject, "sample");
}

#[tokio::test]
async fn verbs_fail_when_told() {
    use seaworthy_engine::fake::{Fault, Verb};
    let harness = harness();
    let case = harness.case(Sample::Serves);
    let project = &case.revision.project;
    harness.fake.prepare(&case.revision).await.unwrap();
    let slot = seaworthy_engine::Slot::first(1).next().unwrap();
    harness.fake.fail_at(Verb::Ensure, 2, Fault::LoseAnswer);
    harness.fake.fail_at(Verb::Observe, 2, Fault::Refuse);
    harness.fake.fail_always(Verb::Purge, Fault::Hang);
    harness.fake.ensure(&case.revision, slot).await.unwrap();
    harness
        .fake
        .remove(project, &harness.fake.observe(project).await.unwrap().instances[0].id)
        .await
        .unwrap();
    harness.fake.ensure(&case.revision, slot).await.unwrap_err();
    harness.fake.observe(project).await.unwrap_err();
    assert_eq!(harness.fake.observe(project).await.unwrap().instances.len(), 1, "only the answer was lost");
    let purge = tokio::time::timeout(Duration::from_millis(20), harness.fake.purge(project, false));
    assert!(purge.await.is_err(), "it hangs");
    harness.fake.heal();
    harness.fake.purge(project, false).await.unwrap();
}
