//! Why a service changes, in the words of a plan.

use std::collections::BTreeSet;

use crate::Wanted;

/// Parts that pin what runs, named by what is pinned.
const PINS: [&str; 2] = ["image", "program"];

/// What differs between two wishes for a service, as words.
pub(crate) fn of(wanted: &Wanted, older: Option<&Wanted>) -> String {
    let Some(older) = older else { return "new".to_owned() };
    let causes = parts(wanted, older);
    if !causes.is_empty() {
        causes.join(", ")
    } else if wanted.replicas == 0 && older.replicas > 0 {
        "stopped".to_owned()
    } else if older.replicas == 0 && wanted.replicas > 0 {
        format!("was stopped, {} replicas", wanted.replicas)
    } else if wanted.replicas != older.replicas {
        format!("replicas {} → {}", older.replicas, wanted.replicas)
    } else if wanted.routes != older.routes {
        "route changed".to_owned()
    } else {
        "not as it should be".to_owned()
    }
}

/// What became of a part.
#[derive(Clone, Copy)]
enum Change {
    Added,
    Changed,
    Removed,
}

fn parts(wanted: &Wanted, older: &Wanted) -> Vec<String> {
    let keys: BTreeSet<&String> = wanted.parts.keys().chain(older.parts.keys()).collect();
    let mut causes: Vec<String> = Vec::new();
    // Another image is one change, not one that came and one that went.
    let pin = |of: &Wanted| of.parts.keys().find(|key| is_pin(key)).cloned();
    let moved = match (pin(older), pin(wanted)) {
        (Some(before), Some(after)) if before != after => Some((before, after)),
        _ => None,
    };
    if let Some((before, after)) = &moved {
        let name = after.split_once(' ').map_or(after.as_str(), |(_, name)| name);
        causes.push(format!("{before} → {name}"));
    }
    for key in keys.into_iter().filter(|key| moved.is_none() || !is_pin(key)) {
        let change = match (older.parts.get(key), wanted.parts.get(key)) {
            (Some(before), Some(after)) if before == after => continue,
            (Some(_), Some(_)) => Change::Changed,
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
        };
        causes.push(words(key, change));
    }
    causes
}

fn is_pin(key: &str) -> bool {
    key.split_once(' ').is_some_and(|(kind, _)| PINS.contains(&kind))
}

fn words(key: &str, change: Change) -> String {
    match (key.split_once(' '), change) {
        (Some(("image", _)), Change::Changed) => "image digest changed".to_owned(),
        (Some(("env" | "secret", _)), Change::Changed) => format!("{key} changed (value not shown)"),
        (Some(("config" | "file", _)), Change::Changed) => format!("{key} content changed"),
        (Some(("service", name)), Change::Changed) => format!("{name} is replaced"),
        (Some(("service", name)), Change::Added) => format!("it follows {name} now"),
        (Some(("service", name)), Change::Removed) => format!("it no longer follows {name}"),
        (None, Change::Added | Change::Changed) if key == "restart" => "restart was asked for".to_owned(),
        (_, Change::Added) => format!("{key} added"),
        (_, Change::Changed) => format!("{key} changed"),
        (_, Change::Removed) => format!("{key} removed"),
    }
}
