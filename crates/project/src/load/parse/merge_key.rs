//! The merge key `<<` (YAML 1.1, "Merge Key Language-Independent Type"), which Compose files use with anchors.

use crate::load::report::Report;
use crate::{Entry, Node, ProblemKind, Say, Span, Value};

/// Replaces the `<<` at one of these places by the entries it stands for. What is written beside it wins; of several maps, the earlier wins.
pub(super) fn apply(entries: &mut Vec<Entry>, places: &[Span], report: &mut Report) {
    let Some(index) = entries.iter().position(|entry| places.contains(&entry.key.span)) else { return };
    let merge = entries.remove(index).node;
    let maps = match merge.value {
        Value::Sequence(items) => items,
        _ => vec![merge],
    };
    for map in maps {
        add(entries, map, report);
    }
}

fn add(entries: &mut Vec<Entry>, map: Node, report: &mut Report) {
    let Value::Mapping(merged) = map.value else {
        report.at(ProblemKind::WrongType, map.span, "`<<` needs a map or a list of maps, usually an alias.");
        return;
    };
    for entry in merged {
        match entries.iter_mut().find(|own| own.key.value == entry.key.value) {
            Some(own) => own.node.say(Say::Written(entry.node.span)),
            None => entries.push(entry),
        }
    }
}
