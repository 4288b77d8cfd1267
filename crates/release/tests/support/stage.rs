//! Everything an operator needs, in memory but for the store.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    reason = "code of tests, of which each uses a part"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use seaworthy_engine::fake::{Fake, Fault, Verb};
use seaworthy_engine::seal::SealKey;
use seaworthy_engine::{Artifact, Engine, Instance};
use seaworthy_project::fixture::{MemoryFiles, load_yaml};
use seaworthy_project::{Project, ServiceName};
use seaworthy_release::{
    Clock, Draft, Event, FakeTraffic, FaultPoint, Interrupt, Operator, Origin, Outcome, Owner, Plan, Store,
    Traffic, draft,
};

pub struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
}

/// Everything an operator needs, in memory but for the store.
pub struct Stage {
    pub project: Project,
    pub engine: Fake,
    pub traffic: FakeTraffic,
    pub store: Store,
    pub files: MemoryFiles,
    _folder: tempfile::TempDir,
}

impl Stage {
    pub fn new(compose: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), SealKey::new([7; 32]), FaultPoint::default()).unwrap();
        let stage = Self {
            project: load_yaml(compose),
            engine: Fake::new(),
            traffic: FakeTraffic::default(),
            store,
            files: MemoryFiles::new(&[]),
            _folder: folder,
        };
        stage.version(&["db", "migrate", "web"], 1);
        stage
    }

    /// What a deploy finds of these services from now on.
    pub fn version(&self, services: &[&str], version: u32) {
        for name in services {
            let artifact = Artifact { name: format!("./{name}"), digest: format!("sha256:{name}-{version}") };
            self.engine.set_artifact(&ServiceName::new(*name).unwrap(), artifact);
        }
    }

    /// What a deploy finds of a service from now on, by that name.
    pub fn named(&self, service: &str, name: &str, version: u32) {
        let artifact = Artifact { name: name.to_owned(), digest: format!("sha256:{service}-{version}") };
        self.engine.set_artifact(&ServiceName::new(service).unwrap(), artifact);
    }

    /// Lets the start that comes as the `nth` from now on fail.
    pub fn start_fails(&self, nth: u32) {
        self.engine.fail_at(Verb::Ensure, nth, Fault::Refuse);
    }

    pub async fn draft(&self) -> Draft {
        let quiet = |_: Event| {};
        draft(&self.project, &self.engine, &self.files, Origin::default(), false, &quiet).await.unwrap()
    }

    pub fn operator(&self) -> Operator<'_> {
        Operator {
            project: self.project.name.clone(),
            engine: &self.engine,
            traffic: &self.traffic,
            store: &self.store,
            clock: &FixedClock,
            progress: Box::leak(Box::new(|_: Event| {})),
            interrupt: Arc::new(Interrupt::default()),
            owner: Owner { command: "deploy".into(), process: 1, user: "me".into(), since: FixedClock.now() },
        }
    }

    pub async fn deploy(&self) -> Outcome {
        self.operator().deploy(self.draft().await, &mut |_: &Plan| true).await.unwrap()
    }

    pub async fn rollback(&self) -> Outcome {
        self.operator().rollback(None, &mut |_: &Plan| true).await.unwrap()
    }

    pub async fn scale(&self, service: &str, count: u32) -> Result<Outcome, String> {
        let counts = BTreeMap::from([(ServiceName::new(service).unwrap(), count)]);
        let scaled = self.operator().scale(&counts, &mut |_: &Plan| true).await;
        scaled.map_err(|error| error.to_string())
    }

    pub async fn instances(&self, service: &str) -> Vec<Instance> {
        let observed = self.engine.observe(&self.project.name).await.unwrap();
        observed.instances.into_iter().filter(|one| one.id.service.as_str() == service).collect()
    }

    /// The releases whose instances get requests, one for each instance.
    pub async fn serving(&self) -> Vec<u32> {
        let set = self.traffic.serving(&self.project.name).await.unwrap().unwrap_or_default();
        let instances = self.instances("web").await;
        let release = |id: &String| instances.iter().find(|one| &one.id.to_string() == id).unwrap().release.0;
        let mut releases: Vec<u32> =
            set.routes.iter().flat_map(|route| &route.backends).map(|backend| release(&backend.id)).collect();
        releases.sort_unstable();
        releases
    }
}
