//! Bringing back what should run and does not. Pure: to where the store says that it is already, and no further.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use indexmap::IndexMap;
use seaworthy_engine::{InstanceId, InstanceState, Revision};
use seaworthy_project::ServiceName;

use crate::routes::serving_now;
use crate::{Action, Change, Gap, Plan, Readiness, Step, Target, Wanted, WantedKind, World};

/// How long an instance that is brought back must stay ready: its release was proven before.
pub(crate) const HEALED_MIN_HEALTHY: Duration = Duration::from_secs(1);

/// One instance to bring back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cure {
    /// Which one.
    pub instance: InstanceId,
    /// What happened to it, as a sentence without its full stop: `web.2 was killed for want of memory`.
    pub cause: String,
    /// Whether it runs and must be removed first.
    pub replace: bool,
}

/// What should run of a project, and what is.
pub struct Standing {
    /// What should run.
    pub target: Target,
    /// What the engine runs for it.
    pub revisions: IndexMap<ServiceName, Revision>,
    /// What is.
    pub world: World,
}

/// The steps that bring these instances back and let the gateway send to all that are well.
pub fn heal_plan(target: &Target, world: &World, cures: &[Cure]) -> Plan {
    let mut plan =
        Plan { release: target.release, changes: Vec::new(), steps: Vec::new(), notes: Vec::new() };
    let served = serving_now(world.serving.as_ref());
    let mut routed = false;
    for wanted in target.services.iter().filter(|wanted| wanted.kind == WantedKind::Replica) {
        let ours: Vec<&Cure> =
            cures.iter().filter(|cure| wanted.instances().any(|id| id == cure.instance)).collect();
        if !ours.is_empty() {
            routed |= !wanted.routes.is_empty();
            one_service(&mut plan, wanted, &ours, &served);
        }
    }
    if routed || unserved(target, world) {
        let wished = well_routed(target, world, cures);
        let cause = "the gateway sends to all that are well";
        if plan.changes.is_empty() {
            for service in wished.keys() {
                plan.changes.push(change(service, "the gateway did not send to it".to_owned(), Gap::None));
            }
        }
        plan.steps.push(step(
            Action::Admit { serving: wished },
            cause,
            "give the gateway the set it had before",
        ));
    }
    // What is missing is found before anything is stopped.
    plan.steps.sort_by_key(|step| !matches!(step.action, Action::Prepare { .. }));
    plan
}

/// Whether the gateway misses an instance that is well, or the project altogether.
pub fn unserved(target: &Target, world: &World) -> bool {
    let routed = || target.services.iter().filter(|wanted| !wanted.routes.is_empty());
    let Some(set) = &world.serving else { return routed().next().is_some() };
    let sent_to: BTreeSet<(String, std::net::SocketAddr)> = set
        .routes
        .iter()
        .flat_map(|route| &route.backends)
        .map(|backend| (backend.id.clone(), backend.address))
        .collect();
    routed().any(|wanted| {
        wanted.instances().filter(|id| is_well(world, id)).any(|id| {
            let seen = world.observed.instances.iter().find(|instance| instance.id == id);
            let address = |port: u16| {
                seen?.addresses.iter().find(|(inside, _)| *inside == port).map(|(_, address)| *address)
            };
            wanted
                .routes
                .iter()
                .filter_map(|wish| address(wish.port))
                .any(|address| !sent_to.contains(&(id.to_string(), address)))
        })
    })
}

/// Whether an instance runs, or is started again by the engine, and was ready before.
fn is_well(world: &World, id: &InstanceId) -> bool {
    let runs = |state| matches!(state, InstanceState::Running | InstanceState::Waiting);
    world.proven.contains(id)
        && world.observed.instances.iter().any(|instance| &instance.id == id && runs(instance.state))
}

fn well_routed(target: &Target, world: &World, cures: &[Cure]) -> BTreeMap<ServiceName, Vec<InstanceId>> {
    let well = |id: &InstanceId| is_well(world, id) || cures.iter().any(|cure| &cure.instance == id);
    target
        .services
        .iter()
        .filter(|wanted| !wanted.routes.is_empty())
        .map(|wanted| (wanted.service.clone(), wanted.instances().filter(well).collect()))
        .collect()
}

fn one_service(
    plan: &mut Plan,
    wanted: &Wanted,
    cures: &[&Cure],
    served: &BTreeMap<ServiceName, Vec<InstanceId>>,
) {
    let causes: Vec<&str> = cures.iter().map(|cure| cure.cause.as_str()).collect();
    let causes = causes.join("; ");
    let prepare = Action::Prepare { service: wanted.service.clone(), revision: wanted.revision.clone() };
    plan.steps.push(step(prepare, &causes, "nothing to take back"));
    let leaving: Vec<InstanceId> =
        cures.iter().filter(|cure| cure.replace).map(|cure| cure.instance.clone()).collect();
    let empty = wanted.instances().all(|id| cures.iter().any(|cure| cure.instance == id));
    let gap = match empty {
        true => {
            let (service, patience) = (&wanted.service, wanted.patience());
            Gap::Expected(format!("{service} has no instance until it is back{patience}"))
        }
        false => Gap::None,
    };
    let before = served.get(&wanted.service).cloned().unwrap_or_default();
    let stay: Vec<InstanceId> = before.iter().filter(|id| !leaving.contains(id)).cloned().collect();
    if !leaving.is_empty() && !stay.is_empty() && stay.len() < before.len() {
        let mut serving = served.clone();
        serving.insert(wanted.service.clone(), stay);
        plan.steps.push(step(Action::Admit { serving }, &causes, "admit it again"));
        let drain = Action::Drain { instances: leaving.clone(), limit: wanted.timers.drain };
        plan.steps.push(step(drain, "requests in flight may finish", "admit it again"));
    }
    for instance in leaving {
        plan.steps.push(step(Action::Remove { instance }, &causes, "start it again"));
    }
    for cure in cures {
        plan.steps.push(step(Action::Ensure { instance: cure.instance.clone() }, &cure.cause, "stop it"));
    }
    let readiness = Readiness {
        instances: cures.iter().map(|cure| cure.instance.clone()).collect(),
        ready_deadline: wanted.timers.ready_deadline,
        min_healthy: wanted.timers.min_healthy.min(HEALED_MIN_HEALTHY),
    };
    let ready = Action::AwaitReady { waits: vec![readiness] };
    plan.steps.push(step(ready, "no request goes to what is not ready", "nothing to take back"));
    plan.changes.push(change(&wanted.service, causes, gap));
}

fn change(service: &ServiceName, cause: String, gap: Gap) -> Change {
    Change { service: service.clone(), cause, gap }
}

fn step(action: Action, cause: &str, reversal: &str) -> Step {
    Step { action, cause: cause.to_owned(), gap: Gap::None, reversal: reversal.to_owned() }
}
