//! Lays one tree over another (Compose Specification, "Merge"): maps merge, lists grow, some keys replace.

mod pools;
mod rules;

use indexmap::IndexMap;

use crate::load::canonicalize::is_reset;
use crate::load::merge::rules::{Rule, rule};
use crate::load::report::Report;
use crate::{Entry, Node, Problem, ProblemKind, Say, Span, Tag, Value};

/// Lays `over` over `base`; both canonical. What loses is kept in the winner's history.
pub(crate) fn merge(base: &mut Node, over: Node, report: &mut Report) {
    Merge { path: Vec::new(), report }.lay(base, over);
}

/// As [`merge`], for one service.
pub(crate) fn merge_service(base: &mut Node, over: Node, report: &mut Report) {
    Merge { path: vec!["services".to_owned(), String::new()], report }.lay(base, over);
}

/// Uses up what is left of `!reset` and `!override`, and drops items of lists that a later item replaces.
pub(crate) fn settle(root: &mut Node) {
    settle_at(root, &mut Vec::new());
}

/// Up to so many comparisons of keys it is quicker to search than to make an index.
const SEARCHED: usize = 1000;

/// One merging, at a path of keys.
struct Merge<'a> {
    path: Vec<String>,
    report: &'a mut Report,
}

impl Merge<'_> {
    fn lay(&mut self, base: &mut Node, mut over: Node) {
        if over.tag == Some(Tag::Override) {
            over.tag = None;
            return replace(base, over);
        }
        match (&mut base.value, over.value) {
            (Value::Mapping(_), Value::Mapping(entries)) => {
                if rule(&self.path) == Rule::Replace
                    || (rule(&self.path) == Rule::Driver && other_driver(base, &entries))
                {
                    over.value = Value::Mapping(entries);
                    return replace(base, over);
                }
                base.say(Say::Written(over.span));
                let Value::Mapping(own) = std::mem::replace(&mut base.value, Value::Null) else { return };
                base.value = Value::Mapping(self.lay_entries(own, entries));
            }
            (Value::Sequence(_), Value::Sequence(items)) if rule(&self.path) == Rule::Replace => {
                over.value = Value::Sequence(items);
                replace(base, over);
            }
            (Value::Sequence(own), Value::Sequence(mut items)) => {
                // To reset one item of a list has no meaning: what it meant is not known.
                items.retain(|item| !is_reset(item));
                match rule(&self.path) {
                    Rule::New => {
                        let known: Vec<String> =
                            own.iter().filter_map(|item| item.text().map(str::to_owned)).collect();
                        items.retain(|item| {
                            !item.text().is_some_and(|text| known.iter().any(|own| own == text))
                        });
                        own.extend(items);
                    }
                    Rule::Pools => *own = pools::merge(own, items),
                    _ => own.extend(items),
                }
                base.say(Say::Written(over.span));
                unify(base, &self.path);
            }
            // A key left empty says nothing new, except where emptiness is a value.
            (_, Value::Null) if rule(&self.path) != Rule::Replace => {}
            (own, value) => {
                let kept = matches!(own, Value::Mapping(_) | Value::Sequence(_));
                if kept && rule(&self.path) != Rule::Replace {
                    self.cannot_lay(base, over.span);
                    return;
                }
                over.value = value;
                replace(base, over);
            }
        }
    }

    fn lay_entries(&mut self, mut own: Vec<Entry>, over: Vec<Entry>) -> Vec<Entry> {
        if own.len().saturating_mul(over.len()) > SEARCHED {
            let mut own: IndexMap<String, Entry> =
                own.into_iter().map(|entry| (entry.key.value.clone(), entry)).collect();
            over.into_iter().for_each(|entry| self.lay_entry(&mut own, entry));
            return own.into_values().collect();
        }
        for over in over {
            let place = own.iter().position(|entry| entry.key.value == over.key.value);
            match place {
                Some(place) if is_reset(&over.node) => drop(own.remove(place)),
                Some(place) => {
                    self.path.push(over.key.value);
                    self.lay(&mut own[place].node, over.node);
                    self.path.pop();
                }
                None if is_reset(&over.node) => {}
                None => own.push(over),
            }
        }
        own
    }

    fn lay_entry(&mut self, own: &mut IndexMap<String, Entry>, over: Entry) {
        if is_reset(&over.node) {
            own.shift_remove(&over.key.value);
            return;
        }
        match own.get_mut(&over.key.value) {
            Some(entry) => {
                self.path.push(over.key.value);
                self.lay(&mut entry.node, over.node);
                self.path.pop();
            }
            None => {
                own.insert(over.key.value.clone(), over);
            }
        }
    }

    fn cannot_lay(&mut self, base: &Node, over: Span) {
        let kind = if matches!(base.value, Value::Mapping(_)) { "a map" } else { "a list" };
        let key = self.path.last().map_or("", String::as_str);
        let message = format!("`{key}` is {kind} in the file below, and something else here.");
        let problem = Problem::at(ProblemKind::WrongType, over, message);
        let problem = problem.related(base.span, format!("{kind} here"));
        self.report.problem(problem.hint(format!("write {kind}, or put `!override` before it")));
    }
}

fn replace(base: &mut Node, mut over: Node) {
    let mut history = std::mem::take(&mut base.history);
    history.reserve_exact(1 + over.history.len());
    history.push(Say::Written(base.span));
    history.append(&mut over.history);
    *base = Node { history, ..over };
}

fn other_driver(base: &Node, over: &[Entry]) -> bool {
    let new = over.iter().find(|entry| entry.key.value == "driver").and_then(|entry| entry.node.text());
    let old = base.get("driver").and_then(Node::text);
    new.is_some() && old.is_some() && new != old
}

/// Keeps one item per identity: the last said, at the place of the first.
fn unify(list: &mut Node, path: &[String]) {
    let Rule::Unique(identity) = rule(path) else { return };
    let Value::Sequence(items) = &mut list.value else { return };
    // The identity of an item that has none is its index.
    let mut unique: IndexMap<Result<String, usize>, Node> = IndexMap::new();
    for (index, mut item) in std::mem::take(items).into_iter().enumerate() {
        let key = identity(&item).ok_or(index);
        if let Some(earlier) = unique.get(&key) {
            item.history.insert(0, Say::Written(earlier.span));
        }
        unique.insert(key, item);
    }
    *items = unique.into_values().collect();
}

fn settle_at(node: &mut Node, path: &mut Vec<String>) {
    node.tag = None;
    match &mut node.value {
        Value::Sequence(items) => {
            items.retain(|item| !is_reset(item));
            // Items have no key; their own maps hold nothing that unites.
            path.push("[]".to_owned());
            items.iter_mut().for_each(|item| settle_at(item, path));
            path.pop();
        }
        Value::Mapping(entries) => {
            entries.retain(|entry| !is_reset(&entry.node));
            for entry in entries.iter_mut() {
                // The key is lent to the path.
                path.push(std::mem::take(&mut entry.key.value));
                settle_at(&mut entry.node, path);
                entry.key.value = path.pop().unwrap_or_default();
            }
        }
        _ => {}
    }
    unify(node, path);
}
