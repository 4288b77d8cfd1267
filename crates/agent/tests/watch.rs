//! The watcher over the fake engine, on a paused clock: what should run comes back, and nothing is tried without end.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "code of tests")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use seaworthy_agent::{Around, Seen, Ward, Watcher};
use seaworthy_engine::fake::{Behaviour, Fake, Fault, Verb};
use seaworthy_engine::seal::SealKey;
use seaworthy_engine::{Artifact, Engine, InstanceId, InstanceState};
use seaworthy_project::fixture::{MemoryFiles, load_yaml};
use seaworthy_project::{Project, ServiceName};
use seaworthy_release::{
    Clock, DeploymentKind, DeploymentState, Event, FakeTraffic, FaultPoint, HEALER, Interrupt, Lock,
    Operator, Origin, Outcome, Owner, Plan, Store, Traffic, draft,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

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
  once:
    image: shop:1
    restart: 'no'
    x-seaworthy: { process: { command: [./once] } }
";

/// A clock that goes with tokio's.
struct Going(Instant);

impl Clock for Going {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_767_225_600).unwrap() + self.0.elapsed()
    }
}

struct Stage {
    project: Project,
    engine: Arc<Fake>,
    traffic: Arc<FakeTraffic>,
    ward: Ward,
    clock: Going,
    log: Mutex<Vec<String>>,
    stop: watch::Sender<bool>,
    watcher: Watcher,
    _folder: tempfile::TempDir,
}

impl Stage {
    async fn deployed() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let project = load_yaml(COMPOSE);
        let (engine, traffic) = (Arc::new(Fake::new()), Arc::new(FakeTraffic::default()));
        for name in ["web", "worker", "once"] {
            let artifact = Artifact { name: format!("./{name}"), digest: format!("sha256:{name}") };
            engine.set_artifact(&ServiceName::new(name).unwrap(), artifact);
        }
        let store = Store::open(folder.path(), SealKey::new([7; 32]), FaultPoint::default()).unwrap();
        let ward = Ward {
            project: project.name.clone(),
            folder: folder.path().to_owned(),
            engine: engine.clone(),
            traffic: traffic.clone(),
            store,
            user: "me".to_owned(),
            surroundings: String::new(),
        };
        let stage = Self {
            project,
            engine,
            traffic,
            ward,
            clock: Going(Instant::now()),
            log: Mutex::default(),
            stop: watch::Sender::new(false),
            watcher: Watcher::default(),
            _folder: folder,
        };
        let deployed = stage.deploy().await;
        assert!(matches!(deployed, Outcome::Done { .. }), "{deployed:?}");
        stage
    }

    async fn deploy(&self) -> Outcome {
        let quiet = |_: Event| {};
        let files = MemoryFiles::new(&[]);
        let draft = draft(&self.project, self.engine.as_ref(), &files, Origin::default(), false, &quiet);
        let mut yes = |_: &Plan| true;
        self.operator(&quiet).deploy(draft.await.unwrap(), &mut yes).await.unwrap()
    }

    fn operator<'a>(&'a self, quiet: &'a (dyn Fn(Event) + Send + Sync)) -> Operator<'a> {
        Operator {
            project: self.project.name.clone(),
            engine: self.engine.as_ref(),
            traffic: self.traffic.as_ref(),
            store: &self.ward.store,
            clock: &self.clock,
            progress: Box::leak(Box::new(quiet)),
            interrupt: Arc::new(Interrupt::default()),
            owner: self.owner("deploy"),
        }
    }

    fn owner(&self, command: &str) -> Owner {
        Owner { command: command.to_owned(), process: 1, user: "me".to_owned(), since: self.clock.now() }
    }

    async fn round(&mut self) -> Seen {
        self.round_after_boot(None).await
    }

    async fn round_after_boot(&mut self, booted: Option<Timestamp>) -> Seen {
        let log = |text: &str| self.log.lock().unwrap().push(text.to_owned());
        let around = Around { clock: &self.clock, booted, stop: self.stop.subscribe(), log: &log };
        self.watcher.round(&self.ward, &around).await.unwrap()
    }

    /// Rounds for so many seconds, one every two.
    async fn watch(&mut self, seconds: u64) {
        let until = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < until {
            self.round().await;
            sleep(Duration::from_secs(2)).await;
        }
    }

    async fn ids(&self, service: &str) -> Vec<InstanceId> {
        let observed = self.engine.observe(&self.project.name).await.unwrap();
        let ours = observed.instances.into_iter().filter(|one| one.id.service.as_str() == service);
        ours.map(|one| one.id).collect()
    }

    /// Instances that run, by service.
    async fn running(&self) -> BTreeMap<String, usize> {
        let observed = self.engine.observe(&self.project.name).await.unwrap();
        let mut running = BTreeMap::new();
        for one in observed.instances.iter().filter(|one| one.state == InstanceState::Running) {
            *running.entry(one.id.service.to_string()).or_default() += 1;
        }
        running
    }

    async fn is_whole(&self) {
        let whole = [("once", 1), ("web", 3), ("worker", 1)].map(|(name, count)| (name.to_owned(), count));
        assert_eq!(self.running().await, whole.into());
        let set = self.traffic.serving(&self.project.name).await.unwrap().unwrap();
        assert_eq!(set.routes[0].backends.len(), 3);
        assert!(self.ward.store.unfinished().unwrap().is_none());
    }

    fn healings(&self) -> Vec<(DeploymentState, String)> {
        let changes = self.ward.store.changes().unwrap();
        let heals = changes.into_iter().filter(|change| change.kind == DeploymentKind::Heal);
        heals.map(|change| (change.state, change.causes.join("; "))).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_well_is_not_touched() {
    let mut stage = Stage::deployed().await;
    stage.engine.forget_calls();
    stage.watch(60).await;
    assert_eq!(stage.round().await, Seen::Well);
    assert!(stage.engine.mutating_calls().is_empty(), "{:?}", stage.engine.mutating_calls());
    assert_eq!(stage.healings(), []);
}

#[tokio::test(start_paused = true)]
async fn what_ended_or_was_lost_comes_back_at_once_and_the_history_says_why() {
    let mut stage = Stage::deployed().await;
    let web = stage.ids("web").await;
    let worker = stage.ids("worker").await;
    stage.engine.end(&stage.project.name, &web[1], 3);
    stage.engine.lose(&stage.project.name, &worker[0]);
    assert_eq!(stage.round().await, Seen::Healed);
    stage.is_whole().await;
    let told = stage.healings();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|(state, _)| *state == DeploymentState::Done));
    assert_eq!(told[1].1, "web.2 ended with exit code 3");
    assert_eq!(told[0].1, "worker.1 was lost with what watched over it");
    // What is gone altogether is made again.
    stage.engine.remove(&stage.project.name, &web[0]).await.unwrap();
    assert_eq!(stage.round().await, Seen::Healed);
    stage.is_whole().await;
    assert_eq!(stage.healings()[0].1, "web.1 was not there");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_wrote_not_to_start_again_stays_but_for_a_restart_of_the_machine() {
    let mut stage = Stage::deployed().await;
    let once = stage.ids("once").await;
    stage.engine.end(&stage.project.name, &once[0], 1);
    assert_eq!(stage.round().await, Seen::Well);
    assert!(!stage.running().await.contains_key("once"));
    let booted = Some(stage.clock.now());
    assert_eq!(stage.round_after_boot(booted).await, Seen::Healed);
    assert_eq!(stage.healings()[0].1, "once.1 was lost at a restart of the machine");
}

#[tokio::test(start_paused = true)]
async fn what_ends_again_and_again_is_tried_ever_more_seldom_and_others_are_healed_meanwhile() {
    let mut stage = Stage::deployed().await;
    stage.engine.behave("sha256:worker", Behaviour::exits_after(Duration::from_millis(500), 1));
    let (worker, web) = (stage.ids("worker").await, stage.ids("web").await);
    stage.engine.end(&stage.project.name, &worker[0], 1);
    stage.watch(1200).await;
    let failed = stage.healings().len();
    assert!((8..=14).contains(&failed), "{failed} tries in twenty minutes");
    stage.engine.end(&stage.project.name, &web[0], 1);
    stage.watch(6).await;
    assert_eq!(stage.running().await.get("web"), Some(&3), "another service does not wait for it");
    assert!(matches!(stage.round().await, Seen::Waiting(_)));
    // Mended, it is back within the longest pause.
    stage.engine.behave("sha256:worker", Behaviour::default());
    stage.watch(310).await;
    stage.is_whole().await;
}

#[tokio::test(start_paused = true)]
async fn the_unwell_are_replaced_one_at_a_time_and_leave_the_gateway_first() {
    let mut stage = Stage::deployed().await;
    // Ready for ten minutes, then not for ten.
    let web = Behaviour { flaps_every: Some(Duration::from_secs(600)), ..Behaviour::default() };
    stage.engine.behave("sha256:web", web);
    for id in stage.ids("web").await {
        stage.engine.end(&stage.project.name, &id, 1);
    }
    stage.watch(30).await;
    stage.is_whole().await;
    stage.watch(550).await;
    let before = stage.healings().len();
    stage.engine.forget_calls();
    let puts = stage.traffic.puts().len();
    while stage.healings().len() == before {
        stage.watch(2).await;
    }
    let removed = stage.engine.mutating_calls().iter().filter(|call| call.verb == Verb::Remove).count();
    assert_eq!(removed, 1, "one at a time");
    let puts = stage.traffic.puts().split_off(puts);
    assert_eq!(puts[0].routes[0].backends.len(), 2, "it leaves the gateway first");
    assert_eq!(puts[1].routes[0].backends.len(), 3);
    stage.watch(120).await;
    stage.is_whole().await;
    let told = stage.healings();
    assert!(told[0].1.contains("was not well"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_lost_its_routes_gets_them_again() {
    let mut stage = Stage::deployed().await;
    stage.traffic.put(&stage.project.name, &Default::default()).await.unwrap();
    assert_eq!(stage.round().await, Seen::Healed);
    stage.is_whole().await;
    assert_eq!(stage.round().await, Seen::Well);
}

#[tokio::test(start_paused = true)]
async fn it_waits_while_a_command_holds_the_lock_and_leaves_alone_what_is_down() {
    let mut stage = Stage::deployed().await;
    let web = stage.ids("web").await;
    stage.engine.end(&stage.project.name, &web[0], 1);
    let lock = Lock::take(&stage.ward.folder, &stage.owner("deploy")).unwrap();
    assert_eq!(stage.round().await, Seen::Busy);
    drop(lock);
    assert_eq!(stage.round().await, Seen::Healed);
    let quiet = |_: Event| {};
    let mut yes = |_: &Plan| true;
    stage.operator(&quiet).down(false, &mut yes).await.unwrap();
    assert_eq!(stage.round().await, Seen::Nothing);
    assert!(stage.running().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_healing_that_was_cut_off_hinders_nobody_and_a_deploy_is_settled_after_a_minute() {
    let mut stage = Stage::deployed().await;
    let web = stage.ids("web").await;
    stage.engine.end(&stage.project.name, &web[0], 1);
    stage.engine.fail_at(Verb::Ensure, 1, Fault::Hang);
    // Dropped in the middle, as when the agent is killed.
    let cut = tokio::time::timeout(Duration::from_secs(30), stage.round()).await;
    assert!(cut.is_err(), "it hangs");
    assert!(stage.ward.store.unfinished().unwrap().is_some());
    stage.engine.heal();
    assert_eq!(stage.round().await, Seen::Unfinished, "somebody may be about to settle it");
    stage.watch(70).await;
    stage.is_whole().await;
    assert!(stage.healings().iter().any(|(state, _)| *state == DeploymentState::Undone));
}

#[tokio::test]
async fn it_gives_way_to_a_command_that_waits() {
    let mut stage = Stage::deployed().await;
    let worker = stage.ids("worker").await;
    stage.engine.behave("sha256:worker", Behaviour::never_ready());
    // A worker without a probe is ready when it runs: only the routed one can be waited for in vain.
    stage.engine.behave("sha256:web", Behaviour::never_ready());
    let web = stage.ids("web").await;
    stage.engine.end(&stage.project.name, &web[0], 1);
    drop(worker);
    let (folder, owner) = (stage.ward.folder.clone(), stage.owner("deploy"));
    let command = std::thread::spawn(move || {
        while Lock::holder(&folder).is_none_or(|owner| owner.command != HEALER) {
            std::thread::yield_now();
        }
        let asked = std::time::Instant::now();
        Lock::take(&folder, &owner).map(|_| asked.elapsed())
    });
    stage.round().await;
    let waited = command.join().unwrap().unwrap();
    assert!(waited < Duration::from_secs(5), "{waited:?}");
    assert!(stage.ward.store.unfinished().unwrap().is_none());
    assert!(stage.log.lock().unwrap().iter().any(|line| line.contains("left to a command that waits")));
}
