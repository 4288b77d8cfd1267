//! The edits that take a right away, at the level that what is known of the image allows.

use super::{CAP_DROP, NO_NEW_PRIVILEGES, PIDS, READ_ONLY};
use crate::build_file::is_root;
use crate::{Edit, EditValue, Fix, Level, Subject};

/// Processes and threads that a service may have where nothing better is known.
const PIDS_LIMIT: u32 = 200;

const STARTING_POINT: &str = "A starting point: measure and adjust.";

/// The fix of one point; a user is never made up.
pub(super) fn fix(service: &Subject<'_>, point: &'static str) -> Option<Fix> {
    let fix = match point {
        READ_ONLY => read_only(service),
        CAP_DROP => cap_drop(service),
        NO_NEW_PRIVILEGES => no_new_privileges(service),
        PIDS => pids(service),
        _ => return None,
    };
    let unproven =
        service.known.and_then(|image| image.hardening.as_ref()).is_some_and(|facts| facts.unproven);
    let rests = fix.level == Level::NeedsImageKnowledge;
    Some(fix.point(point).unproven(unproven && rests))
}

/// Whether the service is told to run as a number that is not root: such a process holds no capabilities.
fn is_plain_user(service: &Subject<'_>) -> bool {
    let uid = |user: &str| user.split(':').next().is_some_and(|uid| uid.parse::<u32>().is_ok());
    service.user.as_ref().is_some_and(|user| uid(&user.value) && !is_root(&user.value))
}

fn read_only(service: &Subject<'_>) -> Fix {
    let known = service
        .known
        .and_then(|image| image.hardening.as_ref())
        .and_then(|hardening| hardening.writable.as_ref());
    let tmp = vec!["/tmp".to_owned()];
    let mounted = |path: &&String| {
        !service.mounts.iter().any(|mount| mount.value.target.trim_end_matches('/') == **path)
    };
    let folders: Vec<String> = known.unwrap_or(&tmp).iter().filter(mounted).cloned().collect();
    let mut edits = vec![service.edit(&["read_only"], EditValue::plain(true))];
    if !folders.is_empty() {
        edits.push(service.edit(&["tmpfs"], EditValue::List(folders)));
    }
    match known {
        Some(_) => Fix::new(Level::NeedsImageKnowledge, edits)
            .may_break("A plugin that writes elsewhere stops working."),
        None => Fix::new(Level::BehaviourChanging, edits)
            .may_break("What the service writes outside `/tmp` and its volumes fails."),
    }
}

fn cap_drop(service: &Subject<'_>) -> Fix {
    let hardening = service.known.and_then(|image| image.hardening.as_ref());
    let known = hardening.and_then(|hardening| hardening.capabilities.as_ref());
    let mut edits: Vec<Edit> = vec![service.edit(&["cap_drop"], EditValue::list(["ALL"]))];
    let plain = is_plain_user(service);
    let needed = known.map(Vec::as_slice).unwrap_or_default();
    if !needed.is_empty() && !plain {
        edits.push(service.edit(&["cap_add"], EditValue::list(needed.iter().map(String::as_str))));
    }
    if plain && service.known.is_none() {
        Fix::new(Level::Safe, edits)
            .may_break("A program that carries capabilities of its own (`setcap`) does not start.")
    } else if known.is_some() {
        Fix::new(Level::NeedsImageKnowledge, edits)
    } else {
        Fix::new(Level::BehaviourChanging, edits)
            .may_break("A start script that changes owners or users as root fails.")
    }
}

fn no_new_privileges(service: &Subject<'_>) -> Fix {
    let edits = vec![service.edit(&["security_opt"], EditValue::list(["no-new-privileges:true"]))];
    let known =
        service.known.and_then(|image| image.hardening.as_ref()).is_some_and(|facts| facts.no_new_privileges);
    if known {
        Fix::new(Level::NeedsImageKnowledge, edits)
    } else if is_plain_user(service) {
        Fix::new(Level::Safe, edits).may_break("`sudo` and other setuid programs inside stop working.")
    } else {
        Fix::new(Level::BehaviourChanging, edits)
            .may_break("`sudo` and other setuid programs inside stop working.")
    }
}

fn pids(service: &Subject<'_>) -> Fix {
    let limit =
        service.known.and_then(|image| image.limits.as_ref()).map_or(PIDS_LIMIT, |limits| limits.pids);
    let edit = if service.node.get("pids_limit").is_some() {
        service.edit(&["pids_limit"], EditValue::plain(limit))
    } else {
        service.edit(&["deploy", "resources", "limits", "pids"], EditValue::plain(limit))
    };
    // The other limits bring the same line when they are missing too.
    let alone = service.memory_limit().is_some() && service.cpu_limit().is_some();
    Fix::new(Level::Safe, vec![if alone { edit.comment(STARTING_POINT) } else { edit }])
}
