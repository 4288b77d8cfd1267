//! Holds a resolved project before a fix against the one after it: only what the edits name may differ.

use seaworthy_project::{Node, Value};

use crate::Edit;

/// From this depth on (`services`, a name, a key), a change above an edit's own key is the edit's doing.
const OWN_DEPTH: usize = 3;

/// The first key that differs though no edit names it, its parents or its children.
pub(crate) fn unintended<'edit>(
    before: &Node,
    after: &Node,
    edits: impl Iterator<Item = &'edit Edit> + Clone,
) -> Option<String> {
    let mut differing = Vec::new();
    compare(before, after, &mut Vec::new(), &mut differing);
    let intended = |path: &Vec<String>| {
        edits.clone().any(|edit| {
            let shared = path.len().min(edit.path.len());
            // A new secret or volume brings its own name with it.
            let same_resource =
                edit.path.len() > 2 && edit.path[0] != "services" && path.starts_with(&edit.path[..2]);
            same_resource
                || (path[..shared] == edit.path[..shared] && path.len() >= edit.path.len().min(OWN_DEPTH))
        })
    };
    differing.into_iter().find(|path| !intended(path) && !is_ours(path)).map(|path| path.join("."))
}

/// The mark of an overlay at the top level, which a new overlay brings.
fn is_ours(path: &[String]) -> bool {
    path.first().is_some_and(|key| key == "x-seaworthy")
}

fn compare(before: &Node, after: &Node, path: &mut Vec<String>, differing: &mut Vec<Vec<String>>) {
    match (&before.value, &after.value) {
        (Value::Mapping(old), Value::Mapping(new)) => {
            let added = new.iter().filter(|entry| before.get(&entry.key.value).is_none());
            for entry in old.iter().chain(added) {
                let key = &entry.key.value;
                path.push(key.clone());
                match (before.get(key), after.get(key)) {
                    (Some(one), Some(other)) => compare(one, other, path, differing),
                    (Some(node), None) | (None, Some(node)) => leaves(node, path, differing),
                    (None, None) => {}
                }
                path.pop();
            }
        }
        _ if !is_equal(before, after) => differing.push(path.clone()),
        _ => {}
    }
}

/// The paths of all that stands below a key that came or went. An empty map says nothing: the loader writes some where a
/// section is there at all.
fn leaves(node: &Node, path: &mut Vec<String>, differing: &mut Vec<Vec<String>>) {
    if !matches!(node.value, Value::Mapping(_)) {
        differing.push(path.clone());
    }
    for entry in node.entries() {
        path.push(entry.key.value.clone());
        leaves(&entry.node, path, differing);
        path.pop();
    }
}

/// Whether two trees say the same, wherever they were written.
fn is_equal(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Value::Null, Value::Null) => true,
        (Value::Scalar(one), Value::Scalar(other)) => one.text == other.text,
        (Value::Sequence(one), Value::Sequence(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_equal(one, other))
        }
        (Value::Mapping(old), Value::Mapping(new)) => {
            old.len() == new.len()
                && old
                    .iter()
                    .all(|entry| other.get(&entry.key.value).is_some_and(|node| is_equal(&entry.node, node)))
        }
        _ => false,
    }
}
