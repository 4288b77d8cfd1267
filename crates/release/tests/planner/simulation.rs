//! A world in memory that carries out steps and checks the promises after each.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "code of tests, which may unwrap")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use indexmap::IndexMap;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;
use seaworthy_engine::{
    Instance, InstanceId, InstanceKind, InstanceState, Observed, ReleaseNumber, RevisionId,
};
use seaworthy_gateway::route::{Backend, Balance, Balancing, Policy, Protocol, Route, RouteSet, Site};
use seaworthy_project::ServiceName;
use seaworthy_project::model::settings::RunWhen;
use seaworthy_release::{
    Action, Rolling, RouteWish, Step, StopFirst, Target, Timers, Wanted, WantedKind, World,
};

const PORT: u16 = 8080;
/// One writer, a job, a routed service, and one without routes; each may need those before it.
const NAMES: [&str; 4] = ["db", "migrate", "web", "worker"];

/// A generated wish for one service.
#[derive(Debug, Clone)]
pub struct ServiceWish {
    pub replicas: u32,
    pub revision: u8,
    pub group: Option<u32>,
    pub after: bool,
    /// Which of the services before it, one bit each, it needs.
    pub needs: u8,
    pub delay: bool,
}

/// A generated change.
#[derive(Debug, Clone)]
pub struct Change {
    pub services: Option<Vec<Option<ServiceWish>>>,
    pub cut: Index,
    pub whole: bool,
    pub deaths: Vec<Index>,
}

impl Change {
    pub fn target(&self, number: u32) -> Target {
        let Some(services) = &self.services else { return Target::default() };
        let wanted =
            services.iter().enumerate().filter_map(|(index, wish)| Some(wanted(index, wish.as_ref()?)));
        Target { release: Some(ReleaseNumber(number)), services: wanted.collect(), ..Target::default() }
    }
}

fn wanted(index: usize, wish: &ServiceWish) -> Wanted {
    // A service keeps its sort over its life: routed ones stay routed, writers stay writers.
    let sort = [2, 3, 0, 1][index];
    let name = NAMES[index];
    let service = ServiceName::new(name).unwrap();
    let route = RouteWish {
        weights: Vec::new(),
        port: PORT,
        route: Route {
            name: name.to_owned(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 80)),
            protocol: Protocol::Http,
            host: None,
            path: "/".to_owned(),
            balance: Balance::RoundRobin,
            balancing: Balancing::default(),
            policy: Policy::default(),
            site: Site::default(),
            sticky: false,
            http2: false,
            tls: None,
            traces: None,
            probe: None,
            backends: Vec::new(),
        },
    };
    let timer = Duration::from_secs(1);
    Wanted {
        service,
        revision: RevisionId(format!("{:012x}", wish.revision)),
        parts: IndexMap::from([("program".to_owned(), wish.revision.to_string())]),
        kind: match (sort, wish.after) {
            (3, true) => WantedKind::Job(RunWhen::AfterDeploy),
            (3, false) => WantedKind::Job(RunWhen::BeforeDeploy),
            _ => WantedKind::Replica,
        },
        replicas: match sort {
            2 => wish.replicas.min(1),
            3 => 1,
            _ => wish.replicas,
        },
        needs: NAMES[..index]
            .iter()
            .enumerate()
            .filter(|(bit, _)| wish.needs & (1 << bit) != 0)
            .map(|(_, name)| ServiceName::new(*name).unwrap())
            .collect(),
        rolling: Rolling {
            group: wish.group,
            delay: if wish.delay { timer } else { Duration::ZERO },
            ..Rolling::default()
        },
        stop_first: match (sort, wish.after) {
            (2, _) => Some(StopFirst::Forced("one writer".to_owned())),
            (0, true) => Some(StopFirst::Asked),
            _ => None,
        },
        routes: if sort == 0 { vec![route] } else { Vec::new() },
        timers: Timers {
            ready_deadline: timer,
            min_healthy: timer,
            progress_deadline: timer,
            drain: timer,
            job_deadline: timer,
        },
    }
}

/// The world, and what was promised of it.
#[derive(Debug, Default)]
pub struct Simulation {
    instances: BTreeMap<InstanceId, (InstanceState, InstanceKind, u16)>,
    serving: RouteSet,
    proven: BTreeSet<InstanceId>,
    jobs_done: BTreeSet<(ReleaseNumber, ServiceName)>,
    current: Option<Target>,
    next_port: u16,
    /// Ready replicas when the plan was made.
    at_start: BTreeMap<String, usize>,
}

impl Simulation {
    pub fn world(&self) -> World {
        let instance =
            |(id, (state, kind, port)): (&InstanceId, &(InstanceState, InstanceKind, u16))| Instance {
                id: id.clone(),
                release: ReleaseNumber(1),
                kind: *kind,
                state: *state,
                addresses: vec![(PORT, SocketAddr::from((Ipv4Addr::LOCALHOST, *port)))],
                created_at: jiff::Timestamp::UNIX_EPOCH,
                started_at: None,
                restarts: 0,
                exit: None,
                process: None,
                limits: String::new(),
            };
        World {
            observed: Observed {
                taken_at: jiff::Timestamp::UNIX_EPOCH,
                instances: self.instances.iter().map(instance).collect(),
            },
            serving: (!self.serving.routes.is_empty()).then(|| self.serving.clone()),
            proven: self.proven.clone(),
            jobs_done: self.jobs_done.clone(),
            strangers: Vec::new(),
            current: self.current.clone(),
        }
    }

    /// A plan begins.
    pub fn begin(&mut self) {
        self.at_start = self.ready_by_service();
    }

    pub fn reached(&mut self, target: &Target) {
        self.current = Some(target.clone());
    }

    /// Lets instances die, as processes do.
    pub fn kill(&mut self, deaths: &[Index]) {
        for death in deaths.iter().filter(|_| !self.instances.is_empty()).collect::<Vec<_>>() {
            let id = self.instances.keys().nth(death.index(self.instances.len())).cloned();
            if let Some((state, InstanceKind::Replica, _)) = id.and_then(|id| self.instances.get_mut(&id)) {
                *state = InstanceState::Exited;
            }
        }
    }

    /// Carries out a step and checks every promise.
    pub fn take(&mut self, step: &Step, target: &Target) -> Result<(), TestCaseError> {
        match &step.action {
            Action::Prepare { .. } | Action::RemoveOrphan { .. } => {}
            Action::RunOnce { service, revision } => {
                let id = target.get(service).and_then(|wanted| wanted.instances().next());
                let id = id.filter(|id| &id.revision == revision);
                prop_assert!(id.is_some(), "a job is run in its first slot");
                self.has_what_it_needs(service, target)?;
                self.start(&id.unwrap(), InstanceKind::Job);
                let release = target.release.unwrap();
                prop_assert!(
                    self.jobs_done.insert((release, service.clone())),
                    "a job runs once per release"
                );
            }
            Action::Ensure { instance } => {
                let one_writer = matches!(
                    target.get(&instance.service).and_then(|wanted| wanted.stop_first.as_ref()),
                    Some(StopFirst::Forced(_))
                );
                let others =
                    self.instances.keys().filter(|id| id.service == instance.service && *id != instance);
                prop_assert!(!one_writer || others.count() == 0, "never two where one writer is allowed");
                self.has_what_it_needs(&instance.service, target)?;
                self.start(instance, InstanceKind::Replica);
            }
            Action::Wait { service, time } => {
                let wished = target.get(service).map(|wanted| wanted.rolling.delay);
                prop_assert_eq!(wished, Some(*time), "only wished delays");
            }
            Action::AwaitReady { waits } => {
                for id in waits.iter().flat_map(|wait| &wait.instances) {
                    prop_assert!(self.runs(id), "only what runs is waited for: {id}");
                    self.proven.insert(id.clone());
                }
            }
            Action::Admit { serving } => self.admit(serving, target)?,
            Action::Drain { instances, .. } => {
                for id in instances {
                    prop_assert!(!self.is_served(id), "only what gets no requests is drained: {id}");
                }
            }
            Action::Remove { instance } => {
                prop_assert!(!self.is_served(instance), "nothing is stopped that gets requests: {instance}");
                self.instances.remove(instance);
                self.proven.remove(instance);
            }
        }
        self.keeps_promise(target, step)
    }

    /// Whether all that a service needs is ready, or ended well, before it is started.
    fn has_what_it_needs(&self, service: &ServiceName, target: &Target) -> Result<(), TestCaseError> {
        let needs = target.get(service).map(|wanted| wanted.needs.clone()).unwrap_or_default();
        for needed in needs.iter().filter_map(|need| target.get(need)) {
            let there = match needed.kind {
                WantedKind::Replica => {
                    needed.instances().all(|id| self.runs(&id) && self.proven.contains(&id))
                }
                WantedKind::Job(RunWhen::BeforeDeploy) => {
                    self.jobs_done.contains(&(target.release.unwrap(), needed.service.clone()))
                }
                WantedKind::Job(RunWhen::AfterDeploy) => true,
            };
            prop_assert!(there, "{service} needs {}, which is not ready", needed.service);
        }
        Ok(())
    }

    fn admit(
        &mut self,
        serving: &BTreeMap<ServiceName, Vec<InstanceId>>,
        target: &Target,
    ) -> Result<(), TestCaseError> {
        let before: BTreeSet<String> = self.backends().collect();
        let mut routes = Vec::new();
        for (service, ids) in serving {
            let mut backends = Vec::new();
            for id in ids {
                let ready = self.runs(id) && self.proven.contains(id);
                prop_assert!(
                    ready || before.contains(&id.to_string()),
                    "never traffic to what is not ready: {id}"
                );
                let port = self.instances.get(id).map_or(0, |(_, _, port)| *port);
                backends.push(Backend {
                    id: id.to_string(),
                    address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
                });
            }
            if let Some(wanted) = target.get(service) {
                routes.extend(
                    wanted
                        .routes
                        .iter()
                        .map(|wish| Route { backends: backends.clone(), ..wish.route.clone() }),
                );
            }
        }
        self.serving = RouteSet { routes };
        Ok(())
    }

    /// A service that both had requests and shall have them never has fewer ready replicas than the smaller of both,
    /// less a group where the user asked for stop-first.
    fn keeps_promise(&self, target: &Target, step: &Step) -> Result<(), TestCaseError> {
        let now = self.ready_by_service();
        for wanted in target.services.iter().filter(|wanted| !wanted.routes.is_empty()) {
            let name = wanted.service.to_string();
            let had = self.at_start.get(&name).copied().unwrap_or(0);
            let has = now.get(&name).copied().unwrap_or(0);
            let less = match wanted.stop_first {
                Some(_) => wanted.rolling.group.unwrap_or(1) as usize,
                None => 0,
            };
            let promised = had.min(wanted.replicas as usize).saturating_sub(less);
            prop_assert!(
                has >= promised,
                "{name} has {has} ready replicas, {promised} were promised, after {step:?}"
            );
        }
        Ok(())
    }

    fn ready_by_service(&self) -> BTreeMap<String, usize> {
        let mut ready = BTreeMap::new();
        let ids: Vec<&InstanceId> = self
            .instances
            .keys()
            .filter(|id| self.is_served(id) && self.runs(id) && self.proven.contains(*id))
            .collect();
        for id in ids {
            *ready.entry(id.service.to_string()).or_insert(0) += 1;
        }
        ready
    }

    fn start(&mut self, id: &InstanceId, kind: InstanceKind) {
        self.next_port += 1;
        let fresh = 1000 + self.next_port;
        let port = self.instances.get(id).map_or(fresh, |(_, _, port)| *port);
        self.instances.insert(id.clone(), (InstanceState::Running, kind, port));
    }

    fn runs(&self, id: &InstanceId) -> bool {
        self.instances.get(id).is_some_and(|(state, _, _)| *state == InstanceState::Running)
    }

    fn backends(&self) -> impl Iterator<Item = String> {
        self.serving.routes.iter().flat_map(|route| &route.backends).map(|backend| backend.id.clone())
    }

    fn is_served(&self, id: &InstanceId) -> bool {
        self.backends().any(|backend| backend == id.to_string())
    }
}
