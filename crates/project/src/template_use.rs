//! Which variables the files of a project use, for those who must fill them in.

use std::collections::BTreeMap;

use crate::load::template::{Mention, mentions};
use crate::{Node, Project, Span, Value};

/// A variable that is used in a project loaded with `interpolate: false`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VariableUse {
    /// Whether some use is `${NAME:?…}` or `${NAME?…}`.
    pub required: bool,
    /// What counts when it is not set: `${NAME:-default}`.
    pub default: String,
    /// What counts when it is set: `${NAME:+alternate}`.
    pub alternate: String,
    /// Where it is used, in the order of the tree.
    pub places: Vec<Span>,
}

/// The variables by name. Where a variable is used in several ways, the last counts, but required is required.
pub fn variable_uses(project: &Project) -> BTreeMap<String, VariableUse> {
    let mut uses = BTreeMap::new();
    walk(&project.node, &mut uses);
    uses
}

fn walk(node: &Node, uses: &mut BTreeMap<String, VariableUse>) {
    match &node.value {
        Value::Null => {}
        Value::Scalar(scalar) => {
            for Mention { name, required, default, alternate } in mentions(&scalar.text) {
                let seen = uses.entry(name).or_default();
                seen.required |= required;
                if !default.is_empty() {
                    seen.default = default;
                }
                if !alternate.is_empty() {
                    seen.alternate = alternate;
                }
                if seen.places.last() != Some(&node.span) {
                    seen.places.push(node.span);
                }
            }
        }
        Value::Sequence(items) => items.iter().for_each(|item| walk(item, uses)),
        Value::Mapping(entries) => entries.iter().for_each(|entry| walk(&entry.node, uses)),
    }
}
