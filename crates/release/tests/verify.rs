//! What runs is held against what was promised, over the fake engine and made-up facts.
#![allow(clippy::unwrap_used, clippy::panic, reason = "code of tests")]

use std::collections::BTreeMap;
use std::net::SocketAddr;

use indexmap::IndexMap;
use seaworthy_engine::fake::Fake;
use seaworthy_engine::{
    Artifact, Engine, Facts, GrantedFile, InstanceId, InstanceKind, Observed, ProbeOutcome, ReleaseNumber,
    Revision, RevisionId, Seen, SeenCapabilities, Slot,
};
use seaworthy_gateway::route::{Backend, Route, RouteSet};
use seaworthy_project::fixture::load_yaml;
use seaworthy_project::{Sensitive, ServiceName};
use seaworthy_release::verify::{Evidence, Verification, verify};
use seaworthy_release::{Rolling, Target, Timers, Wanted, WantedKind, Way, route_wishes};

const COMPOSE: &str = "
services:
  web:
    image: shop:1
    ports: ['127.0.0.1:8080:80']
    user: '1000:1000'
    read_only: true
    restart: always
    cap_drop: [ALL]
    cap_add: [NET_BIND_SERVICE]
    security_opt: ['no-new-privileges:true']
    mem_limit: 64m
    pids_limit: 50
    ulimits: { nofile: 1000 }
    secrets: [key]
    environment: { DB_PASSWORD: canary-of-variables, API_KEY: '', KEY_FILE: /run/secrets/key, MODE: plain }
    volumes: ['data:/data']
    x-seaworthy: { route: { path: / }, probe: { ready: GET /ready } }
secrets:
  key: { environment: KEY }
volumes:
  data:
";

/// A world in which every promise is kept; tests break one after the other.
struct Stage {
    target: Target,
    revisions: IndexMap<ServiceName, Revision>,
    observed: Observed,
    id: InstanceId,
    facts: Facts,
    ready: bool,
    serving: Option<RouteSet>,
    listening: Vec<SocketAddr>,
}

impl Stage {
    async fn new() -> Self {
        let project = load_yaml(COMPOSE);
        let service = project.services().next().unwrap().clone();
        let name = service.name.value.clone();
        let revision = Revision {
            project: project.name.clone(),
            directory: project.directory.clone(),
            release: ReleaseNumber(1),
            id: RevisionId("0123456789ab".to_owned()),
            kind: InstanceKind::Replica,
            artifact: Artifact { name: "shop:1".to_owned(), digest: "sha256:one".to_owned() },
            files: vec![GrantedFile {
                target: "/run/secrets/key".to_owned(),
                mode: None,
                uid: None,
                gid: None,
                contents: Sensitive::new("canary-of-secrets"),
            }],
            volumes: project.volumes.values().cloned().collect(),
            networks: project.networks.values().cloned().collect(),
            service: service.clone(),
        };
        let engine = Fake::new();
        engine.prepare(&revision).await.unwrap();
        let instance = engine.ensure(&revision, Slot::first(1).next().unwrap()).await.unwrap();
        let wanted = Wanted {
            service: name.clone(),
            revision: revision.id.clone(),
            parts: IndexMap::new(),
            kind: WantedKind::Replica,
            replicas: 1,
            needs: Vec::new(),
            rolling: Rolling::default(),
            stop_first: None,
            routes: route_wishes(&service),
            timers: Timers::of(&project, &service, Way::Forward),
        };
        let backend = Backend { id: instance.id.to_string(), address: instance.addresses[0].1 };
        let routes: Vec<Route> = wanted
            .routes
            .iter()
            .map(|wish| Route { backends: vec![backend.clone()], ..wish.route.clone() })
            .collect();
        let mut facts = Fake::kept_promises(&revision);
        facts.capabilities = Seen::Is(SeenCapabilities { effective: 0, bounding: 1 << 10 });
        facts.pids = Seen::Is(Some(50));
        facts.ulimits = Seen::Is(BTreeMap::from([("nofile".to_owned(), (Some(1000), Some(1000)))]));
        Self {
            listening: routes.iter().map(|route| route.listen).collect(),
            target: Target { release: Some(ReleaseNumber(1)), services: vec![wanted], ..Target::default() },
            revisions: IndexMap::from([(name, revision.clone())]),
            observed: engine.observe(&revision.project).await.unwrap(),
            id: instance.id,
            facts,
            ready: true,
            serving: Some(RouteSet { routes }),
        }
    }

    fn verify(&self) -> Verification {
        let outcome = ProbeOutcome { ready: self.ready, detail: "503".to_owned() };
        verify(&Evidence {
            target: &self.target,
            revisions: &self.revisions,
            observed: &self.observed,
            facts: BTreeMap::from([(self.id.clone(), Ok(self.facts.clone()))]),
            answers: BTreeMap::from([(self.id.clone(), Ok(outcome))]),
            serving: Ok(self.serving.clone()),
            listening: Some(self.listening.clone()),
        })
    }
}

fn seen<T>(seen: &mut Seen<T>) -> &mut T {
    let Seen::Is(value) = seen else { panic!("it is seen") };
    value
}

#[tokio::test]
async fn kept_promises_are_counted_and_nothing_is_said() {
    let told = Stage::new().await.verify();
    assert_eq!((told.broken.len(), told.unseen.len()), (0, 0), "{told:#?}");
    assert!(told.kept >= 18, "{told:#?}");
    assert_eq!(told.not_carried, ["services.web.security_opt"], "AppArmor is not carried here");
    let service = &Stage::new().await.id.service;
    let variables = told.credentials_in_variables.get(service).unwrap();
    assert_eq!(variables, &["DB_PASSWORD"], "a file, an empty one and what is no credential are not told");
    assert!(!format!("{told:?}").contains("canary"), "by name only");
}

type Break = fn(&mut Stage);

#[tokio::test]
async fn each_broken_promise_is_told_by_its_name_and_key() {
    let breaks: [(&str, &str, Break); 21] = [
        ("other-artifact", "image", |stage| *seen(&mut stage.facts.artifact) = "sha256:two".into()),
        ("other-user", "user", |stage| seen(&mut stage.facts.user).uid = 0),
        ("writable-root", "read_only", |stage| *seen(&mut stage.facts.root_refuses) = false),
        ("writable-root", "read_only", |stage| *seen(&mut stage.facts.read_only_root) = false),
        ("extra-capability", "cap_add", |stage| {
            seen(&mut stage.facts.capabilities).bounding = u64::MAX >> 23
        }),
        ("missing-capability", "cap_add", |stage| seen(&mut stage.facts.capabilities).bounding = 0),
        ("privileges-can-grow", "security_opt", |stage| *seen(&mut stage.facts.no_new_privileges) = false),
        ("unfiltered-system-calls", "security_opt", |stage| *seen(&mut stage.facts.seccomp) = false),
        ("missing-apparmor-profile", "security_opt", |stage| {
            stage.facts.apparmor = Seen::Is("unconfined".into())
        }),
        ("limit-not-kept", "mem_limit", |stage| *seen(&mut stage.facts.memory_bytes) = None),
        ("limit-not-kept", "pids_limit", |stage| *seen(&mut stage.facts.pids) = Some(51)),
        ("other-ulimit", "ulimits.nofile", |stage| seen(&mut stage.facts.ulimits).clear()),
        ("unmeant-port", "ports", |stage| {
            seen(&mut stage.facts.published).push("80/tcp → 0.0.0.0:80".into())
        }),
        ("misplaced-secret", "secrets", |stage| seen(&mut stage.facts.files)[0].in_memory = false),
        ("misplaced-secret", "secrets", |stage| seen(&mut stage.facts.files)[0].mode = 0o644),
        ("exposed-secret", "secrets", |stage| seen(&mut stage.facts.exposed).push("label told".into())),
        ("unhealthy-instance", "x-seaworthy.probe.ready", |stage| stage.ready = false),
        ("other-restart-policy", "restart", |stage| *seen(&mut stage.facts.restart) = "no".into()),
        ("other-mount", "volumes", |stage| seen(&mut stage.facts.mounts)[0].read_only = true),
        ("other-route", "x-seaworthy.route", |stage| stage.serving = None),
        ("other-listener", "ports", |stage| stage.listening[0].set_ip([0, 0, 0, 0].into())),
    ];
    for (rule, key, spoil) in breaks {
        let mut stage = Stage::new().await;
        spoil(&mut stage);
        let told = stage.verify();
        let broken: Vec<(&str, &str)> =
            told.broken.iter().map(|one| (one.rule.id(), one.key.as_str())).collect();
        assert_eq!(broken, [(rule, format!("services.web.{key}").as_str())], "{told:#?}");
    }
}

#[tokio::test]
async fn what_is_missing_or_too_much_is_told() {
    let mut stage = Stage::new().await;
    stage.target.services[0].replicas = 2;
    let rules: Vec<&str> = stage.verify().broken.iter().map(|one| one.rule.id()).collect();
    assert_eq!(rules, ["replica-missing", "other-route"]);
    stage.target.services[0].replicas = 0;
    let rules: Vec<&str> = stage.verify().broken.iter().map(|one| one.rule.id()).collect();
    assert_eq!(rules, ["stray-instance", "other-route"]);
}

#[tokio::test]
async fn what_cannot_be_seen_is_never_told_as_kept() {
    let mut stage = Stage::new().await;
    let all = stage.verify();
    stage.facts = Facts::unseen("this user may not look");
    let none = stage.verify();
    assert_eq!(none.broken, []);
    assert!(none.unseen.iter().all(|one| one.why == "this user may not look"));
    assert_eq!(none.kept + none.unseen.len(), all.kept + all.not_carried.len());
    let told = serde_json::to_string(&none).unwrap();
    assert!(!told.contains("canary"));
}
