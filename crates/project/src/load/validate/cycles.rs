//! Services that wait for each other in a circle.

use std::collections::{HashMap, HashSet};

use crate::load::report::Report;
use crate::load::validate::{references::needed_services, section};
use crate::{Node, Problem, ProblemKind, Span};

/// What a service waits for, by its name.
type Edges = HashMap<String, Vec<(String, Span)>>;

pub(super) fn check(root: &Node, disabled: &HashSet<&str>, report: &mut Report) {
    let mut edges = Edges::new();
    for service in
        section(root, "services").iter().filter(|service| !disabled.contains(service.key.value.as_str()))
    {
        let written = section(&service.node, "depends_on").iter();
        let written = written.map(|entry| (entry.key.value.clone(), entry.key.span));
        let needed = needed_services(&service.node).into_iter().map(|needed| (needed.name, needed.place));
        edges.insert(service.key.value.clone(), written.chain(needed).collect());
    }
    let mut done: HashSet<&str> = HashSet::new();
    for service in section(root, "services") {
        walk(&service.key.value, &edges, &mut done, report);
    }
}

/// Goes depth first with a stack of its own: a chain may be as long as the file.
fn walk<'a>(start: &'a str, edges: &'a Edges, done: &mut HashSet<&'a str>, report: &mut Report) {
    let mut path: Vec<(&str, usize)> = vec![(start, 0)];
    let mut on_path: HashMap<&str, usize> = HashMap::from([(start, 0)]);
    while let Some((name, next)) = path.last_mut() {
        let name: &'a str = name;
        let edge = if done.contains(name) { None } else { edges.get(name).and_then(|list| list.get(*next)) };
        *next += 1;
        let Some((target, span)) = edge else {
            done.insert(name);
            path.pop();
            on_path.remove(name);
            continue;
        };
        match on_path.get(target.as_str()).copied() {
            Some(start) => report.problem(circle(&path[start..], target, *span, edges)),
            None if done.contains(target.as_str()) => {}
            None => {
                on_path.insert(target, path.len());
                path.push((target, 0));
            }
        }
    }
}

fn circle(path: &[(&str, usize)], target: &str, span: Span, edges: &Edges) -> Problem {
    let names: Vec<&str> = path.iter().map(|(name, _)| *name).chain([target]).collect();
    let message = format!("The services wait for each other in a circle: `{}`.", names.join("` → `"));
    let mut problem = Problem::at(ProblemKind::Cycle, span, message).hint("remove one of these `depends_on`");
    for pair in names.windows(2) {
        let place = edges.get(pair[0]).and_then(|list| list.iter().find(|(name, _)| name == pair[1]));
        if let Some((_, place)) = place.filter(|(_, place)| *place != span) {
            problem = problem.related(*place, format!("`{}` waits for `{}`", pair[0], pair[1]));
        }
    }
    problem
}
