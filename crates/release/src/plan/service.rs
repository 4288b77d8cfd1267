//! Bringing up one service: start-first where possible, stop-first where it must be.

use seaworthy_engine::{InstanceId, InstanceKind};

use crate::plan::draft::Draft;
use crate::{Gap, StopFirst, Wanted};

/// Adds the steps that bring a service to its wish; what start-first replaces is left to `retire`.
pub(super) fn bring_up(draft: &mut Draft<'_>, wanted: &Wanted) {
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
        return;
    }
    let cause = cause(draft, wanted);
    draft.prepare(wanted, &cause);
    match &wanted.stop_first {
        Some(reason) if !old.is_empty() => {
            let gap = match (reason, wanted.replicas) {
                (StopFirst::Asked, 2..) => Gap::None,
                _ => Gap::Expected(format!("stop-first: {reason}")),
            };
            draft.change(wanted, cause.clone(), gap);
            stop_first(draft, wanted, &missing, old, &cause, reason);
        }
        _ => {
            draft.change(wanted, cause.clone(), Gap::None);
            start_first(draft, wanted, &missing, old, &cause);
        }
    }
}

/// Whole set: the first instance proves the release, then the rest start together, and all are admitted at the
/// end. In groups, when the user wrote a parallelism: each group takes over before the next one starts.
fn start_first(
    draft: &mut Draft<'_>,
    wanted: &Wanted,
    missing: &[InstanceId],
    mut old: Vec<InstanceId>,
    cause: &str,
) {
    let group = match wanted.group {
        Some(size) if (size as usize) < missing.len() && !old.is_empty() => size as usize,
        _ => {
            let (first, rest) = missing.split_at(missing.len().min(1));
            draft.start(wanted, first, cause);
            draft.start(wanted, rest, cause);
            return;
        }
    };
    let total = wanted.replicas as usize;
    let mut new: Vec<InstanceId> = wanted.instances().filter(|id| draft.is_proven(id)).collect();
    for instances in missing.chunks(group) {
        draft.start(wanted, instances, cause);
        new.extend(instances.iter().cloned());
        let keep = total.saturating_sub(new.len()).min(old.len());
        let leaving = old.split_off(keep);
        hand_over(draft, wanted, &new, &old, &leaving);
    }
}

/// The old go first: all of them when two cannot be at once, else a group at a time.
fn stop_first(
    draft: &mut Draft<'_>,
    wanted: &Wanted,
    missing: &[InstanceId],
    mut old: Vec<InstanceId>,
    cause: &str,
    reason: &StopFirst,
) {
    let group = match reason {
        StopFirst::Forced(_) => missing.len().max(old.len()),
        StopFirst::Asked => wanted.group.map_or(1, |size| size as usize).max(1),
    };
    let mut new: Vec<InstanceId> = wanted.instances().filter(|id| draft.is_proven(id)).collect();
    for instances in missing.chunks(group) {
        let leaving = old.split_off(old.len().saturating_sub(group));
        hand_over(draft, wanted, &new, &old, &leaving);
        draft.start(wanted, instances, cause);
        new.extend(instances.iter().cloned());
        if !old.is_empty() {
            hand_over(draft, wanted, &new, &old, &[]);
        }
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
