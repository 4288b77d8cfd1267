//! Target and world in, plan out: pure, deterministic, printable.
//!
//! New instances are started and proven first, across all services; then the gateway takes the whole new set at
//! once; then the old ones drain and go. So until the first `Admit` a failure is undone by removing what is new.

mod draft;
mod levels;
mod service;

use std::collections::{BTreeMap, BTreeSet};

use seaworthy_engine::{Instance, InstanceId, InstanceKind, InstanceState};
use seaworthy_project::ServiceName;
use seaworthy_project::model::settings::RunWhen;

use crate::plan::draft::Draft;
use crate::routes::served_as_wished;
use crate::{Action, Gap, Plan, Target, Wanted, WantedKind, World};

/// Why there can be no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// More replicas than are ever meant.
    #[error("service `{service}` asks for more than {MOST_REPLICAS} replicas")]
    TooMany {
        /// The service.
        service: String,
    },
    /// More than one replica where one writer is allowed.
    #[error("service `{service}` asks for {replicas} replicas, but {reason}")]
    OneWriter {
        /// The service.
        service: String,
        /// How many were asked for.
        replicas: u32,
        /// Why there can be one only.
        reason: String,
    },
}

/// More replicas of one service than a machine can be asked for; the number is most likely a slip.
const MOST_REPLICAS: u32 = 1000;

/// The steps from `world` to `target`. A reached target gives an empty plan.
///
/// # Errors
/// When the target contradicts itself.
pub fn plan(target: &Target, world: &World) -> Result<Plan, PlanError> {
    one_writer(target)?;
    not_too_many(target)?;
    let mut draft = Draft::new(target, world);
    for level in levels::of(target) {
        let (replicas, jobs): (Vec<&Wanted>, Vec<&Wanted>) =
            level.into_iter().partition(|wanted| wanted.kind == WantedKind::Replica);
        for wanted in jobs {
            job(&mut draft, wanted);
        }
        service::bring_up(&mut draft, &replicas);
    }
    moved(&mut draft);
    switch(&mut draft);
    retire(&mut draft);
    orphans(&mut draft);
    for wanted in target.services.iter().filter(|wanted| wanted.kind == WantedKind::Job(RunWhen::AfterDeploy))
    {
        job(&mut draft, wanted);
    }
    Ok(draft.finish())
}

fn not_too_many(target: &Target) -> Result<(), PlanError> {
    match target.services.iter().find(|wanted| wanted.replicas > MOST_REPLICAS) {
        Some(wanted) => Err(PlanError::TooMany { service: wanted.service.to_string() }),
        None => Ok(()),
    }
}

fn one_writer(target: &Target) -> Result<(), PlanError> {
    let crowded = target.services.iter().find_map(|wanted| match &wanted.stop_first {
        Some(crate::StopFirst::Forced(reason)) if wanted.replicas > 1 => Some((wanted, reason)),
        _ => None,
    });
    match crowded {
        Some((wanted, reason)) => Err(PlanError::OneWriter {
            service: wanted.service.to_string(),
            replicas: wanted.replicas,
            reason: reason.clone(),
        }),
        None => Ok(()),
    }
}

/// Runs a job once per release.
fn job(draft: &mut Draft<'_>, wanted: &Wanted) {
    let Some(release) = draft.target.release else { return };
    if draft.world.jobs_done.contains(&(release, wanted.service.clone())) {
        return;
    }
    draft.prepare(wanted, "the job needs it");
    draft.change(wanted, format!("job, once for release {release}"), Gap::None);
    let action = Action::RunOnce { service: wanted.service.clone(), revision: wanted.revision.clone() };
    draft.step(
        action,
        format!("once for release {release}"),
        Gap::None,
        "what a job changed is not taken back",
    );
}

/// Tells what changes for services that need no new instance: those that go, and those whose routes change.
fn moved(draft: &mut Draft<'_>) {
    let target = draft.target;
    let current: Vec<Wanted> =
        draft.world.current.iter().flat_map(|current| current.services.clone()).collect();
    let listens =
        |wanted: &Wanted| wanted.routes.iter().map(|wish| wish.route.listen).collect::<BTreeSet<_>>();
    for before in &current {
        let kept = target.get(&before.service);
        let after = kept.map(listens).unwrap_or_default();
        let left: Vec<String> = listens(before).difference(&after).map(ToString::to_string).collect();
        let gap = match left.as_slice() {
            [] => Gap::None,
            left => Gap::Expected(format!("nothing answers at {} any more", left.join(", "))),
        };
        match kept {
            None if before.kind == WantedKind::Replica => {
                draft.gone(&before.service, "removed".to_owned(), gap);
            }
            Some(wanted) if wanted.routes != before.routes => draft.widen(wanted, "route changed", gap),
            _ => {}
        }
    }
    let known = |service: &ServiceName| {
        target.get(service).is_some() || current.iter().any(|before| &before.service == service)
    };
    let unknown: BTreeSet<ServiceName> = draft
        .present()
        .map(|instance| instance.id.service.clone())
        .filter(|service| !known(service))
        .collect();
    for service in unknown {
        draft.gone(&service, "left over: removed".to_owned(), Gap::None);
    }
}

/// Removes what another tool made under the project's name, if that is wished for; else only names it.
fn orphans(draft: &mut Draft<'_>) {
    for stranger in &draft.world.strangers {
        let name = &stranger.name;
        if draft.target.remove_orphans {
            let action = Action::RemoveOrphan { name: name.clone() };
            let cause = "another tool made it under the name of this project";
            draft.step(action, cause, Gap::None, "what it was made from is not known here");
        } else {
            let state = if stranger.running { "runs" } else { "is there" };
            draft.note(format!(
                "container `{name}` {state} under the name of this project and was not made by seaworthy: it stays; `deploy --remove-orphans` removes it after the switch"
            ));
        }
    }
}

/// Lets the gateway take the final set of backends, in one step for all services.
fn switch(draft: &mut Draft<'_>) {
    let wished: BTreeMap<ServiceName, Vec<InstanceId>> = draft
        .target
        .services
        .iter()
        .filter(|wanted| !wanted.routes.is_empty())
        .map(|wanted| (wanted.service.clone(), wanted.instances().collect()))
        .collect();
    let untouched = draft.serving == wished && !draft.started_any(wished_instances(&wished));
    if untouched && served_as_wished(draft.target, &wished, draft.world) {
        return;
    }
    if draft.serving == wished && !untouched && draft.admitted_as_wished(&wished) {
        return;
    }
    if wished.is_empty()
        && draft.serving.is_empty()
        && draft.world.serving.as_ref().is_none_or(|set| set.routes.is_empty())
    {
        return;
    }
    draft.admit(wished, "every new instance is ready");
}

fn wished_instances(wished: &BTreeMap<ServiceName, Vec<InstanceId>>) -> impl Iterator<Item = &InstanceId> {
    wished.values().flatten()
}

/// Whether a job failed for a release that is gone back from: it stays to be looked at until the next release.
fn is_evidence(target: &Target, instance: &Instance) -> bool {
    let failed = instance.state == InstanceState::Exited && instance.exit.is_some_and(|exit| !exit.success());
    failed && target.release.is_some_and(|release| instance.release > release)
}

/// Drains and removes everything that is not wished for, dependents before what they depend on.
fn retire(draft: &mut Draft<'_>) {
    let wished: BTreeSet<InstanceId> = draft
        .target
        .services
        .iter()
        .filter(|wanted| wanted.kind == WantedKind::Replica)
        .flat_map(Wanted::instances)
        .collect();
    let jobs: BTreeSet<InstanceId> = draft
        .target
        .services
        .iter()
        .filter(|wanted| wanted.kind != WantedKind::Replica)
        .flat_map(Wanted::instances)
        .collect();
    let surplus: Vec<InstanceId> = draft
        .present()
        .filter(|instance| match instance.kind {
            InstanceKind::Replica => !wished.contains(&instance.id),
            InstanceKind::Job => !jobs.contains(&instance.id) && !is_evidence(draft.target, instance),
        })
        .map(|instance| instance.id.clone())
        .collect();
    let place = |target: &Target, id: &InstanceId| {
        target.services.iter().position(|wanted| wanted.service == id.service)
    };
    let before = |id: &InstanceId| draft.world.current.as_ref().and_then(|current| place(current, id));
    let order = |id: &InstanceId| place(draft.target, id).or_else(|| before(id));
    let mut surplus: Vec<(Option<usize>, InstanceId)> =
        surplus.into_iter().map(|id| (order(&id), id)).collect();
    surplus.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let surplus: Vec<InstanceId> = surplus.into_iter().map(|(_, id)| id).collect();
    draft.drain(&surplus);
    for id in surplus {
        let cause = draft.why_gone(&id);
        draft.remove(id, cause);
    }
}
