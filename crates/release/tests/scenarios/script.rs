//! Reads a scenario script and carries it out on a world in memory.
#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "code of tests, which may unwrap")]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use indexmap::IndexMap;
use seaworthy_engine::{
    Instance, InstanceId, InstanceKind, InstanceState, Observed, ReleaseNumber, RevisionId, Stranger,
};
use seaworthy_gateway::route::{Backend, Balance, Balancing, Policy, Protocol, Route, RouteSet, Site};
use seaworthy_project::ServiceName;
use seaworthy_project::model::settings::RunWhen;
use seaworthy_release::{
    Action, Gap, Plan, Rolling, RouteWish, StopFirst, Target, Timers, Wanted, WantedKind, World, plan,
};

const PORT: u16 = 8080;

/// Carries out a script and returns it with what comes now.
pub fn run(script: &str) -> String {
    let mut stage = Stage::default();
    let mut told = String::new();
    for line in script.lines().filter(|line| !line.starts_with('>')) {
        writeln!(told, "{line}").unwrap();
        for answer in stage.obey(line).lines() {
            writeln!(told, "> {answer}").unwrap();
        }
    }
    told
}

struct Stage {
    target: Target,
    world: World,
    plan: Option<Plan>,
}

impl Default for Stage {
    fn default() -> Self {
        let observed = Observed { taken_at: jiff::Timestamp::UNIX_EPOCH, instances: Vec::new() };
        let world = World {
            observed,
            serving: None,
            proven: BTreeSet::new(),
            jobs_done: BTreeSet::new(),
            strangers: Vec::new(),
            current: None,
        };
        Self { target: Target::default(), world, plan: None }
    }
}

impl Stage {
    fn obey(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] | ["#", ..] => String::new(),
            ["release", number, services @ ..] => {
                let release = ReleaseNumber(number.parse().unwrap());
                let remove_orphans = services.contains(&"--remove-orphans");
                let services =
                    services.iter().filter(|word| word.contains('=')).map(|word| wanted(word)).collect();
                self.target =
                    Target { release: Some(release), services, remove_orphans, ..Target::default() };
                String::new()
            }
            ["stranger", name] => {
                self.world.strangers.push(Stranger { name: (*name).to_owned(), running: true });
                String::new()
            }
            ["forget"] => {
                self.world.current = None;
                String::new()
            }
            ["down"] => {
                self.target = Target::default();
                String::new()
            }
            ["plan"] => {
                self.plan = Some(plan(&self.target, &self.world).unwrap());
                self.plan.as_ref().map(show).unwrap_or_default()
            }
            ["do"] => self.carry_out(usize::MAX),
            ["do", steps] => self.carry_out(steps.parse().unwrap()),
            ["die", instance] => {
                let found = self.world.observed.instances.iter_mut().find(|one| short(&one.id) == *instance);
                found.expect("the instance is there").state = InstanceState::Exited;
                String::new()
            }
            other => panic!("what is `{other:?}`?"),
        }
    }

    fn carry_out(&mut self, steps: usize) -> String {
        let plan = self.plan.take().expect("a plan was made before");
        for step in plan.steps.iter().take(steps) {
            self.take(&step.action);
        }
        if steps >= plan.steps.len() {
            self.world.current = Some(self.target.clone());
        }
        String::new()
    }

    fn take(&mut self, action: &Action) {
        let instances = &mut self.world.observed.instances;
        match action {
            Action::Prepare { .. } | Action::Drain { .. } | Action::Wait { .. } => {}
            Action::RunOnce { service, .. } => {
                let release = self.target.release.unwrap();
                self.world.jobs_done.insert((release, service.clone()));
            }
            Action::Ensure { instance } => {
                instances.retain(|one| &one.id != instance);
                let port = 9000 + instances.len() as u16;
                instances.push(running(instance, port));
            }
            Action::AwaitReady { waits } => {
                self.world.proven.extend(waits.iter().flat_map(|wait| wait.instances.iter().cloned()));
            }
            Action::Admit { serving } => {
                let mut routes = Vec::new();
                for (service, ids) in serving {
                    let backend = |id: &InstanceId| {
                        let one = instances.iter().find(|one| &one.id == id).unwrap();
                        Backend { id: id.to_string(), address: one.addresses[0].1 }
                    };
                    let backends = ids.iter().map(backend).collect();
                    routes.push(Route { backends, ..route(service.as_str()) });
                }
                self.world.serving = (!routes.is_empty()).then_some(RouteSet { routes });
            }
            Action::RemoveOrphan { name } => self.world.strangers.retain(|one| &one.name != name),
            Action::Remove { instance } => {
                instances.retain(|one| &one.id != instance);
                self.world.proven.remove(instance);
            }
        }
    }
}

/// Reads `web=b*3,routed,group:1`.
fn wanted(word: &str) -> Wanted {
    let mut parts = word.split(',');
    let (name, rest) = parts.next().unwrap().split_once('=').unwrap();
    let (revision, replicas) = rest.split_once('*').unwrap_or((rest, "1"));
    let mut wanted = Wanted {
        service: ServiceName::new(name).unwrap(),
        revision: RevisionId(revision.to_owned()),
        parts: IndexMap::from([("program".to_owned(), revision.to_owned())]),
        kind: WantedKind::Replica,
        replicas: replicas.parse().unwrap(),
        needs: Vec::new(),
        rolling: Rolling::default(),
        stop_first: None,
        routes: Vec::new(),
        timers: Timers {
            ready_deadline: Duration::from_secs(90),
            min_healthy: Duration::from_secs(10),
            progress_deadline: Duration::from_secs(600),
            drain: Duration::from_secs(30),
            job_deadline: Duration::from_secs(600),
        },
    };
    for part in parts {
        match part.split_once(':').unwrap_or((part, "")) {
            ("routed", _) => {
                wanted.routes.push(RouteWish { port: PORT, weights: Vec::new(), route: route(name) })
            }
            ("group", size) => wanted.rolling.group = Some(size.parse().unwrap()),
            ("delay", seconds) => wanted.rolling.delay = Duration::from_secs(seconds.parse().unwrap()),
            ("needs", names) => {
                wanted.needs = names.split('+').map(|name| ServiceName::new(name).unwrap()).collect();
            }
            ("slow", seconds) => wanted.timers.ready_deadline = Duration::from_secs(seconds.parse().unwrap()),
            ("exclusive", _) => {
                wanted.stop_first =
                    Some(StopFirst::Forced("volume `data` is exclusive: one writer at a time".to_owned()))
            }
            ("stop-first", _) => wanted.stop_first = Some(StopFirst::Asked),
            ("job", _) => wanted.kind = WantedKind::Job(RunWhen::BeforeDeploy),
            other => panic!("what is `{other:?}`?"),
        }
    }
    wanted
}

fn show(plan: &Plan) -> String {
    let mut text = String::new();
    if plan.is_empty() {
        text.push_str("nothing to do\n");
    }
    for change in &plan.changes {
        let gap = match &change.gap {
            Gap::None => "no gap".to_owned(),
            Gap::Expected(reason) => format!("gap: {reason}"),
        };
        writeln!(text, "{}: {}; {gap}", change.service, change.cause).unwrap();
    }
    for (index, step) in plan.steps.iter().enumerate() {
        writeln!(text, "{:2}. {}", index + 1, step.action).unwrap();
    }
    for note in &plan.notes {
        writeln!(text, "note: {note}").unwrap();
    }
    text
}

fn short(id: &InstanceId) -> String {
    format!("{}.{}.{}", id.service, id.revision, id.slot)
}

fn running(id: &InstanceId, port: u16) -> Instance {
    Instance {
        id: id.clone(),
        release: ReleaseNumber(1),
        kind: InstanceKind::Replica,
        state: InstanceState::Running,
        addresses: vec![(PORT, SocketAddr::from((Ipv4Addr::LOCALHOST, port)))],
        created_at: jiff::Timestamp::UNIX_EPOCH,
        started_at: None,
        restarts: 0,
        exit: None,
        process: None,
        limits: String::new(),
    }
}

fn route(name: &str) -> Route {
    Route {
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
    }
}
