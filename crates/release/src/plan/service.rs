//! Bringing up the services of a level: start-first where possible, stop-first where it must be.

use seaworthy_engine::{InstanceId, InstanceKind};

use crate::plan::draft::{Draft, Start};
use crate::{Gap, StopFirst, Wanted};

/// What is to be done for one service.
struct Task<'w> {
    wanted: &'w Wanted,
    missing: Vec<InstanceId>,
    old: Vec<InstanceId>,
    cause: String,
}

/// Adds the steps that bring the services of a level to their wishes; what start-first replaces is left to `retire`.
///
/// Services that change nothing before the one switch start together. Those that hand over on their way (in groups,
/// or stop-first) come after them, one after the other: if one of them fails, the rest was not touched.
pub(super) fn bring_up(draft: &mut Draft<'_>, level: &[&Wanted]) {
    let mut together = Vec::new();
    let mut alone = Vec::new();
    for task in level.iter().filter_map(|wanted| task(draft, wanted)) {
        let list = if hands_over(&task) { &mut alone } else { &mut together };
        list.push(task);
    }
    start_together(draft, &together);
    for task in alone {
        match &task.wanted.stop_first {
            Some(reason) => stop_first(draft, &task, reason),
            None => in_groups(draft, &task),
        }
    }
}

/// What a service needs; tells what changes, and prepares it.
fn task<'w>(draft: &mut Draft<'_>, wanted: &'w Wanted) -> Option<Task<'w>> {
    let missing: Vec<InstanceId> = wanted.instances().filter(|id| !draft.is_proven(id)).collect();
    let old: Vec<InstanceId> = outdated(draft, wanted);
    if missing.is_empty() {
        if !old.is_empty() {
            let cause = cause(draft, wanted);
            let gap = match wanted.replicas {
                0 => Gap::Expected("no replica is wished for".to_owned()),
                _ => Gap::None,
            };
            draft.change(wanted, cause, gap);
        }
        return None;
    }
    let cause = cause(draft, wanted);
    draft.prepare(wanted, &cause);
    let task = Task { wanted, missing, old, cause };
    let gap = gap(draft, &task);
    draft.change(wanted, task.cause.clone(), gap);
    Some(task)
}

/// Whether the service is without a ready instance for a while.
fn gap(draft: &Draft<'_>, task: &Task<'_>) -> Gap {
    let Some(reason) = task.wanted.stop_first.as_ref().filter(|_| !task.old.is_empty()) else {
        return Gap::None;
    };
    let some_are_new = task.wanted.instances().any(|id| draft.is_proven(&id));
    let some_stay = task.old.len() > at_a_time(task, reason);
    if *reason == StopFirst::Asked && (some_stay || some_are_new) {
        return Gap::None;
    }
    Gap::Expected(format!("stop-first: {reason}{}", task.wanted.patience()))
}

/// Whether the service moves requests, or stops anything, before all new instances of the release are proven.
fn hands_over(task: &Task<'_>) -> bool {
    let grouped = task.wanted.rolling.group.is_some_and(|size| (size as usize) < task.missing.len());
    !task.old.is_empty() && (task.wanted.stop_first.is_some() || grouped)
}

/// All of them at once, but for routed services: the first instance of one proves the release to the rest.
fn start_together(draft: &mut Draft<'_>, tasks: &[Task<'_>]) {
    let mut first = Vec::new();
    let mut rest = Vec::new();
    for task in tasks {
        let barrier = if task.wanted.routes.is_empty() { task.missing.len() } else { 1 };
        let (now, later) = task.missing.split_at(barrier.min(task.missing.len()));
        first.push(Start { wanted: task.wanted, instances: now, cause: &task.cause });
        rest.push(Start { wanted: task.wanted, instances: later, cause: &task.cause });
    }
    draft.start(&first);
    draft.start(&rest);
}

/// Each group takes over before the next one starts.
fn in_groups(draft: &mut Draft<'_>, task: &Task<'_>) {
    let wanted = task.wanted;
    let size = wanted.rolling.group.map_or(task.missing.len(), |size| size as usize).max(1);
    let total = wanted.replicas as usize;
    let mut old = task.old.clone();
    let mut new: Vec<InstanceId> = wanted.instances().filter(|id| draft.is_proven(id)).collect();
    for (index, instances) in task.missing.chunks(size).enumerate() {
        delay(draft, wanted, index);
        draft.start(&[Start { wanted, instances, cause: &task.cause }]);
        new.extend(instances.iter().cloned());
        let keep = total.saturating_sub(new.len()).min(old.len());
        let leaving = old.split_off(keep);
        hand_over(draft, wanted, &new, &old, &leaving);
    }
}

/// The old go first: all of them when two cannot be at once, else a group at a time.
fn stop_first(draft: &mut Draft<'_>, task: &Task<'_>, reason: &StopFirst) {
    let wanted = task.wanted;
    let size = at_a_time(task, reason);
    let mut old = task.old.clone();
    let mut new: Vec<InstanceId> = wanted.instances().filter(|id| draft.is_proven(id)).collect();
    for (index, instances) in task.missing.chunks(size).enumerate() {
        delay(draft, wanted, index);
        let leaving = old.split_off(old.len().saturating_sub(size));
        hand_over(draft, wanted, &new, &old, &leaving);
        draft.start(&[Start { wanted, instances, cause: &task.cause }]);
        new.extend(instances.iter().cloned());
        if !old.is_empty() {
            hand_over(draft, wanted, &new, &old, &[]);
        }
    }
}

/// How many go at a time, stop-first.
fn at_a_time(task: &Task<'_>, reason: &StopFirst) -> usize {
    let all = task.missing.len().max(task.old.len()).max(1);
    match reason {
        StopFirst::Forced(_) => all,
        StopFirst::Asked => task.wanted.rolling.group.map_or(1, |size| size as usize).clamp(1, all),
    }
}

/// The wished pause, between two groups only.
fn delay(draft: &mut Draft<'_>, wanted: &Wanted, index: usize) {
    let time = wanted.rolling.delay;
    if index > 0 && !time.is_zero() {
        draft.wait(wanted, time);
    }
}

/// Admits `new` and what stays of the old, then drains and removes those that leave.
fn hand_over(
    draft: &mut Draft<'_>,
    wanted: &Wanted,
    new: &[InstanceId],
    stay: &[InstanceId],
    leaving: &[InstanceId],
) {
    if !wanted.routes.is_empty() {
        let mut serving = draft.serving.clone();
        let mut instances = new.to_vec();
        instances.extend(stay.iter().filter(|id| draft.is_proven(id) || serves(draft, id)).cloned());
        serving.insert(wanted.service.clone(), instances);
        if serving != draft.serving {
            draft.admit(serving, "the next group takes over");
        }
        draft.drain(leaving);
    }
    for id in leaving {
        let why = draft.why_gone(id);
        draft.remove(id.clone(), why);
    }
}

fn serves(draft: &Draft<'_>, id: &InstanceId) -> bool {
    draft.serving.get(&id.service).is_some_and(|instances| instances.contains(id))
}

/// Instances of the service that are not wished for; those that get requests and are well come first, so that
/// they are the last to leave.
fn outdated(draft: &Draft<'_>, wanted: &Wanted) -> Vec<InstanceId> {
    let wished: Vec<InstanceId> = wanted.instances().collect();
    let mut old: Vec<InstanceId> = draft
        .present()
        .filter(|instance| instance.kind == InstanceKind::Replica && instance.id.service == wanted.service)
        .map(|instance| instance.id.clone())
        .filter(|id| !wished.contains(id))
        .collect();
    old.sort_by_key(|id| (!draft.is_proven(id), !serves(draft, id)));
    old
}

fn cause(draft: &Draft<'_>, wanted: &Wanted) -> String {
    let older = draft.world.current.as_ref().and_then(|current| current.get(&wanted.service));
    wanted.cause(older)
}
