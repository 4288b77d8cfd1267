//! Top-level `networks`, `volumes`, `secrets` and `configs`.

use indexmap::IndexMap;

use crate::load::typed::access::{flag, plain_text, text};
use crate::model::resource::{FileResource, FileResourceSource, Network, Volume};
use crate::{Entry, Node, ProjectName, Sensitive};

/// Where a resolved secret or config carries the value of the variable it comes from, so that a project written out
/// needs no shell to run again.
pub(crate) const CAPTURED_VALUE: &str = "x-seaworthy-value";

pub(super) fn network(entry: &Entry, project: &ProjectName) -> (String, Network) {
    let node = &entry.node;
    let network = Network {
        key: entry.key.clone(),
        name: name(entry, project),
        external: flag(node, "external"),
        internal: flag(node, "internal"),
        node: node.clone(),
    };
    (entry.key.value.clone(), network)
}

pub(super) fn volume(entry: &Entry, project: &ProjectName) -> (String, Volume) {
    let node = &entry.node;
    let volume = Volume {
        key: entry.key.clone(),
        name: name(entry, project),
        external: flag(node, "external"),
        exclusive: node.get("x-seaworthy").is_some_and(|own| flag(own, "exclusive")),
        node: node.clone(),
    };
    (entry.key.value.clone(), volume)
}

fn name(entry: &Entry, project: &ProjectName) -> String {
    plain_text(&entry.node, "name").unwrap_or_else(|| match flag(&entry.node, "external") {
        true => entry.key.value.clone(),
        false => format!("{project}_{}", entry.key.value),
    })
}

pub(super) fn file(entry: &Entry, variables: &IndexMap<String, String>) -> Option<(String, FileResource)> {
    let node = &entry.node;
    let source = if flag(node, "external") || node.get("driver").is_some() {
        FileResourceSource::External
    } else if let Some(file) = text(node, "file") {
        FileResourceSource::File(file)
    } else if let Some(variable) = text(node, "environment") {
        let captured = || node.get(CAPTURED_VALUE).and_then(Node::text);
        let value = variables.get(&variable.value).map(String::as_str).or_else(captured);
        FileResourceSource::Environment(variable, value.map(Sensitive::new))
    } else {
        FileResourceSource::Content(text(node, "content")?.map(Sensitive::new))
    };
    Some((entry.key.value.clone(), FileResource { key: entry.key.clone(), source, node: node.clone() }))
}
