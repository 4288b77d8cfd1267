//! The operator over the fake engine, on a paused clock: whatever fails, the old release serves or the new one does.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "code of tests")]

use std::sync::Arc;
use std::time::Duration;

use seaworthy_engine::fake::{Behaviour, Fake, Fault, Verb};
use seaworthy_engine::seal::SealKey;
use seaworthy_engine::{Artifact, Engine, InstanceState};
use seaworthy_project::fixture::{MemoryFiles, load_yaml};
use seaworthy_project::{Project, ServiceName};
use seaworthy_release::{
    Clock, Draft, Event, FakeTraffic, FaultPoint, Interrupt, Operator, Origin, Outcome, Owner, Plan, Store,
    Traffic, draft,
};

const COMPOSE: &str = "
services:
  web:
    image: shop:1
    ports: ['127.0.0.1:8080:80']
    deploy: { replicas: 3 }
    x-seaworthy: { route: { path: / }, probe: { ready: GET /ready }, process: { command: [./web] } }
  worker:
    image: shop:1
    x-seaworthy: { process: { command: [./worker] } }
  migrate:
    image: shop:1
    x-seaworthy: { run: before-deploy, timeout: 1min, process: { command: [./migrate] } }
";

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
}

/// Everything an operator needs, in memory but for the store.
struct Stage {
    project: Project,
    engine: Fake,
    traffic: FakeTraffic,
    store: Store,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), SealKey::new([7; 32]), FaultPoint::default()).unwrap();
        let stage = Self {
            project: load_yaml(COMPOSE),
            engine: Fake::new(),
            traffic: FakeTraffic::default(),
            store,
            _folder: folder,
        };
        stage.version(1);
        stage
    }

    /// What a deploy finds from now on.
    fn version(&self, version: u32) {
        for name in ["web", "worker", "migrate"] {
            let artifact = Artifact { name: format!("./{name}"), digest: format!("sha256:{name}-{version}") };
            self.engine.set_artifact(&ServiceName::new(name).unwrap(), artifact);
        }
    }

    async fn draft(&self) -> Draft {
        let files = MemoryFiles::new(&[]);
        let quiet = |_: Event| {};
        draft(&self.project, &self.engine, &files, Origin::default(), false, &quiet).await.unwrap()
    }

    fn operator<'a>(&'a self, quiet: &'a (dyn Fn(Event) + Send + Sync)) -> Operator<'a> {
        Operator {
            project: self.project.name.clone(),
            engine: &self.engine,
            traffic: &self.traffic,
            store: &self.store,
            clock: &FixedClock,
            progress: Box::leak(Box::new(quiet)),
            interrupt: Arc::new(Interrupt::default()),
            owner: Owner { command: "deploy".into(), process: 1, user: "me".into(), since: FixedClock.now() },
        }
    }

    async fn deploy(&self) -> Result<Outcome, String> {
        let quiet = |_: Event| {};
        let operator = self.operator(&quiet);
        let mut yes = |_: &Plan| true;
        operator.deploy(self.draft().await, &mut yes).await.map_err(|error| error.to_string())
    }

    async fn settle(&self) {
        let quiet = |_: Event| {};
        self.operator(&quiet).settle().await.unwrap();
    }

    /// The version that gets requests: all backends run and are of one version.
    async fn serves(&self) -> Option<u32> {
        let set = self.traffic.serving(&self.project.name).await.unwrap()?;
        let observed = self.engine.observe(&self.project.name).await.unwrap();
        let backends = &set.routes[0].backends;
        assert_eq!(backends.len(), 3, "all replicas serve");
        for backend in backends {
            let instance = observed.instances.iter().find(|one| one.id.to_string() == backend.id);
            let instance = instance.unwrap_or_else(|| panic!("{} serves but is not there", backend.id));
            assert_eq!(instance.state, InstanceState::Running, "{} serves but does not run", backend.id);
        }
        let current = self.store.current().unwrap().unwrap().0;
        let release = self.store.release(current).unwrap();
        let digest = &release.artifacts[&ServiceName::new("web").unwrap()].digest;
        digest.rsplit('-').next().unwrap().parse().ok()
    }

    /// Three `web`, one `worker`, the job.
    async fn is_clean(&self) {
        let observed = self.engine.observe(&self.project.name).await.unwrap();
        let running = observed.instances.iter().filter(|one| one.state == InstanceState::Running).count();
        assert_eq!(running, 4, "{:#?}", observed.instances);
        assert!(self.store.unfinished().unwrap().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_changes_nothing_and_tells_what_a_deploy_does() {
    let stage = Stage::new();
    stage.deploy().await.unwrap();
    stage.version(2);
    stage.engine.forget_calls();
    let puts = stage.traffic.puts().len();
    let quiet = |_: Event| {};
    let planned = stage.operator(&quiet).preview(stage.draft().await).await.unwrap();
    assert!(stage.engine.mutating_calls().is_empty(), "{:?}", stage.engine.mutating_calls());
    assert_eq!(stage.traffic.puts().len(), puts);
    assert!(!planned.is_empty());
    stage.deploy().await.unwrap();
    let change = stage.store.changes().unwrap().remove(0);
    let done: Vec<_> =
        stage.store.journal_of(change.id).unwrap().into_iter().filter(|line| line.phase == "done").collect();
    let done: Vec<_> = done.into_iter().map(|line| line.action).collect();
    assert_eq!(done, planned.steps.into_iter().map(|step| step.action).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn unchanged_is_nothing_to_do() {
    let stage = Stage::new();
    assert!(matches!(stage.deploy().await.unwrap(), Outcome::Done { .. }));
    stage.engine.forget_calls();
    assert!(matches!(stage.deploy().await.unwrap(), Outcome::Nothing { .. }));
    assert!(stage.engine.mutating_calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn every_way_not_to_get_ready_leaves_the_old_release() {
    let faults = [
        ("web", Behaviour::never_ready()),
        ("web", Behaviour::exits_after(Duration::from_secs(5), 3)),
        ("web", Behaviour::crash_loop(Duration::from_millis(100), Duration::from_millis(100))),
        ("web", Behaviour::ready_after(Duration::from_secs(3600))),
        ("worker", Behaviour::exits_after(Duration::from_secs(5), 1)),
        ("migrate", Behaviour::job(Duration::from_secs(1), 1)),
        ("migrate", Behaviour::job(Duration::from_secs(3600), 0)),
    ];
    for (service, behaviour) in faults {
        let stage = Stage::new();
        stage.deploy().await.unwrap();
        stage.version(2);
        stage.engine.behave(&format!("sha256:{service}-2"), behaviour.clone());
        let puts = stage.traffic.puts().len();
        let outcome = stage.deploy().await.unwrap();
        let Outcome::RolledBack { failure, bundle, .. } = outcome else {
            panic!("{service} {behaviour:?}: {outcome:?}")
        };
        assert!(bundle.is_some_and(|bundle| bundle.join("failure.json").is_file()), "{failure}");
        assert_eq!(stage.traffic.puts().len(), puts, "no request ever went to the new release");
        assert_eq!(stage.serves().await, Some(1), "{service} {behaviour:?}");
        stage.is_clean().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_first_release_leaves_nothing() {
    let stage = Stage::new();
    stage.engine.behave("sha256:web-1", Behaviour::never_ready());
    assert!(matches!(stage.deploy().await.unwrap(), Outcome::RolledBack { release: None, .. }));
    assert!(stage.engine.observe(&stage.project.name).await.unwrap().instances.is_empty());
    assert!(stage.traffic.serving(&stage.project.name).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn each_call_that_fails_leaves_the_old_or_the_new_release() {
    let verbs = [Verb::Prepare, Verb::Ensure, Verb::RunOnce, Verb::Observe, Verb::Probe, Verb::Remove];
    for verb in verbs {
        for fault in [Fault::Refuse, Fault::LoseAnswer, Fault::Hang] {
            for nth in [1, 2, 3, 5, 9] {
                let stage = Stage::new();
                stage.deploy().await.unwrap();
                stage.version(2);
                stage.engine.fail_at(verb, nth, fault);
                // A call that fails before anything is begun fails the command; later, the change goes back.
                let ended = tokio::time::timeout(Duration::from_secs(7200), stage.deploy()).await;
                stage.engine.heal();
                stage.settle().await;
                let serves = stage.serves().await;
                let case = format!("{verb:?} {fault:?} {nth}: {ended:?}");
                match &ended {
                    Ok(Ok(Outcome::Done { .. })) => assert_eq!(serves, Some(2), "{case}"),
                    Ok(Ok(Outcome::RolledBack { .. }) | Err(_)) => assert_eq!(serves, Some(1), "{case}"),
                    _ => assert!(matches!(serves, Some(1 | 2)), "{case}"),
                }
                stage.version(3);
                assert!(matches!(stage.deploy().await.unwrap(), Outcome::Done { .. }), "{case}");
                assert_eq!(stage.serves().await, Some(3), "{case}");
                stage.is_clean().await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_refuses_leaves_the_old_release() {
    let stage = Stage::new();
    stage.deploy().await.unwrap();
    stage.version(2);
    stage.traffic.fail_puts(1);
    assert!(matches!(stage.deploy().await.unwrap(), Outcome::RolledBack { .. }));
    assert_eq!(stage.serves().await, Some(1));
    stage.is_clean().await;
}

#[tokio::test(start_paused = true)]
async fn five_releases_are_kept_and_the_running_one_always() {
    let stage = Stage::new();
    for version in 1..=9 {
        stage.version(version);
        stage.deploy().await.unwrap();
    }
    let kept: Vec<u32> = stage.store.releases().unwrap().iter().map(|release| release.number.0).collect();
    assert_eq!(kept, [9, 8, 7, 6, 5]);
    let quiet = |_: Event| {};
    let mut yes = |_: &Plan| true;
    stage.operator(&quiet).rollback(Some(seaworthy_release::ReleaseNumber(5)), &mut yes).await.unwrap();
    for version in 20..=24 {
        stage.engine.behave(&format!("sha256:web-{version}"), Behaviour::never_ready());
        stage.version(version);
        assert!(matches!(stage.deploy().await.unwrap(), Outcome::RolledBack { .. }));
    }
    assert!(
        stage.store.releases().unwrap().iter().any(|release| release.number.0 == 5),
        "the running one is kept"
    );
    assert_eq!(stage.serves().await, Some(5));
}
