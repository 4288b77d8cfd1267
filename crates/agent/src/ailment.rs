//! What is not as it should be, and why. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use seaworthy_engine::{Instance, InstanceId, InstanceState};
use seaworthy_project::Service;
use seaworthy_release::{Cure, Standing, WantedKind};

/// What a service's file says about starting it again after it ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    Always,
    OnFailure,
    /// Somebody wrote so; nothing written is no such word.
    Never,
}

/// Instances that should run and do not, and those that run and are not well (`unwell`, with what was seen). What ended
/// before the machine was last started (`booted`) was lost with it, whatever the file says about its end.
///
/// Of the instances of a service that run and are not well, one at a time is named: the others may still serve.
pub fn ailments(
    standing: &Standing,
    booted: Option<Timestamp>,
    unwell: &BTreeMap<InstanceId, String>,
) -> Vec<Cure> {
    let mut found = Vec::new();
    let replicas = standing.target.services.iter().filter(|wanted| wanted.kind == WantedKind::Replica);
    for wanted in replicas {
        let Some(revision) = standing.revisions.get(&wanted.service) else { continue };
        let seen = |id: &InstanceId| standing.world.observed.instances.iter().find(|one| &one.id == id);
        let dead: Vec<Cure> = wanted
            .instances()
            .filter_map(|id| {
                let what = dead(seen(&id), again(&revision.service), booted)?;
                Some(cure(id, &what, false))
            })
            .collect();
        if dead.is_empty() {
            let sick = wanted.instances().find_map(|id| {
                let what = unwell.get(&id)?;
                Some(cure(id, &format!("was not well: {what}"), true))
            });
            found.extend(sick);
        }
        found.extend(dead);
    }
    found
}

fn cure(instance: InstanceId, what: &str, replace: bool) -> Cure {
    let cause = format!("{}.{} {what}", instance.service, instance.slot);
    Cure { instance, cause, replace }
}

/// Why an instance must be started; `None` when it runs, or is to stay as it is.
fn dead(instance: Option<&Instance>, again: Again, booted: Option<Timestamp>) -> Option<String> {
    let Some(instance) = instance else { return Some("was not there".to_owned()) };
    let started = instance.started_at.unwrap_or(instance.created_at);
    let lost_with_machine = booted.is_some_and(|booted| started < booted);
    match instance.state {
        InstanceState::Running | InstanceState::Waiting => None,
        _ if lost_with_machine => Some("was lost at a restart of the machine".to_owned()),
        InstanceState::Lost => Some("was lost with what watched over it".to_owned()),
        InstanceState::Created => Some("was made and never started".to_owned()),
        InstanceState::Exited => {
            let Some(exit) = instance.exit else { return Some("ended".to_owned()) };
            let stays = again == Again::Never || (again == Again::OnFailure && exit.success());
            match (stays, exit.out_of_memory, exit.signal) {
                (true, ..) => None,
                (_, true, _) => Some("was killed for want of memory".to_owned()),
                (_, _, Some(signal)) => Some(format!("was ended by signal {signal}")),
                (_, _, None) => Some(format!("ended with exit code {}", exit.code)),
            }
        }
    }
}

fn again(service: &Service) -> Again {
    if let Some(policy) = &service.deploy.restart {
        return match policy.condition.as_deref() {
            Some("none") => Again::Never,
            Some("on-failure") => Again::OnFailure,
            _ => Again::Always,
        };
    }
    match service.restart.as_ref().map(|restart| restart.value.as_str()) {
        Some("no") => Again::Never,
        Some(said) if said.starts_with("on-failure") => Again::OnFailure,
        _ => Again::Always,
    }
}
