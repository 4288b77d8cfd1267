//! What only the whole project can show: references, circles, conflicts, what is missing.

mod conflicts;
mod cycles;
mod exclusive;
pub(crate) mod references;
mod required;
mod site;
mod tls;
mod traces;

use std::collections::HashSet;

use crate::load::report::Report;
use crate::{Entry, Node};

/// Checks a merged, canonical tree. `disabled` are the services that the profiles leave out.
pub(crate) fn validate(root: &Node, disabled: &[String], report: &mut Report) {
    let disabled: HashSet<&str> = disabled.iter().map(String::as_str).collect();
    let disabled = &disabled;
    required::check(root, disabled, report);
    references::check(root, disabled, report);
    cycles::check(root, disabled, report);
    conflicts::check(root, disabled, report);
    exclusive::check(root, disabled, report);
    site::check(root, disabled, report);
    tls::check(root, disabled, report);
    traces::check(root, disabled, report);
}

/// The entries of a section.
fn section<'a>(root: &'a Node, key: &str) -> &'a [Entry] {
    root.get(key).map(Node::entries).unwrap_or_default()
}

/// What a service names under the keys `list`, in any of the canonical forms.
fn text<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key).and_then(Node::text)
}
