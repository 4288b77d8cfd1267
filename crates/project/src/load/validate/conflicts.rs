//! Two things that cannot both be.

use std::collections::{HashMap, HashSet};

use crate::load::report::Report;
use crate::load::validate::{section, text};
use crate::{Entry, Node, Problem, ProblemKind, Span};

pub(super) fn check(root: &Node, disabled: &HashSet<&str>, report: &mut Report) {
    ports(root, disabled, report);
    container_names(root, disabled, report);
    for service in
        section(root, "services").iter().filter(|service| !disabled.contains(service.key.value.as_str()))
    {
        let node = &service.node;
        let mode = node.get("network_mode");
        let networks = node.get("networks").filter(|networks| !networks.entries().is_empty());
        if let (Some(mode), Some(networks)) = (mode, networks) {
            let message = format!(
                "`{}` has `network_mode` and `networks`, which exclude each other.",
                service.key.value
            );
            let problem = Problem::at(ProblemKind::Conflict, mode.span, message);
            report.problem(problem.related(networks.span, "`networks` is here").hint("keep one of the two"));
        }
        let replicas = node.at(&["deploy", "replicas"]).or_else(|| node.get("scale"));
        twice(service, report);
        hashed(service, report);
        if let (Some(name), Some(replicas)) = (node.get("container_name"), replicas)
            && replicas.text().and_then(|text| text.parse::<u32>().ok()).is_some_and(|count| count > 1)
        {
            let message = format!(
                "`{}` has a `container_name`, so it cannot have several replicas.",
                service.key.value
            );
            let problem = Problem::at(ProblemKind::Conflict, name.span, message);
            report.problem(
                problem.related(replicas.span, "replicas are asked for here").hint("remove `container_name`"),
            );
        }
    }
}

/// What clients are told apart by, where nobody tells them apart.
fn hashed(service: &Entry, report: &mut Report) {
    let route = service.node.at(&["x-seaworthy", "route"]);
    let Some(by) = route.and_then(|route| route.get("hash_by")) else { return };
    let balance = route.and_then(|route| route.get("balance"));
    if balance.and_then(Node::text) != Some("hash") {
        let message = format!("`{}` has `hash_by`, which only `balance: hash` heeds.", service.key.value);
        let mut problem = Problem::at(ProblemKind::Conflict, by.span, message);
        if let Some(balance) = balance {
            problem = problem.related(balance.span, "`balance` is here");
        }
        report.problem(problem.hint("say `balance: hash` beside it, or remove it"));
    }
}

/// Old keys and the keys of `deploy` that mean the same, the last two apart.
const SAME: [(&str, &[&str], &str); 5] = [
    ("scale", &["deploy"], "replicas"),
    ("cpus", &["deploy", "resources", "limits"], "cpus"),
    ("mem_limit", &["deploy", "resources", "limits"], "memory"),
    ("pids_limit", &["deploy", "resources", "limits"], "pids"),
    ("mem_reservation", &["deploy", "resources", "reservations"], "memory"),
];

/// One thing said twice, differently. Limits that do not say it say that there is none.
fn twice(service: &Entry, report: &mut Report) {
    for (old, place, new) in SAME {
        let Some(one) = service.node.get(old).filter(|one| old == "scale" || one.text() != Some("0")) else {
            continue;
        };
        let Some(group) = service.node.at(place).filter(|group| !group.is_null()) else { continue };
        let other = group.get(new);
        if (other.is_none() && old == "scale") || other.and_then(Node::text) == one.text() {
            continue;
        }
        let new = format!("{}.{new}", place.join("."));
        let message = match other {
            Some(_) => format!("`{}` has `{old}` and another `{new}`.", service.key.value),
            None => format!("`{}` has `{old}`, and its `{}` does not.", service.key.value, place.join(".")),
        };
        let span = other.map_or(group.span, |other| other.span);
        let problem = Problem::at(ProblemKind::Conflict, one.span, message);
        let shown = if other.is_some() { new.clone() } else { place.join(".") };
        let hint =
            if other.is_some() { "keep one of the two".to_owned() } else { format!("say it as `{new}`") };
        report.problem(problem.related(span, format!("`{shown}` is here")).hint(hint));
    }
}

/// A published port of one service.
struct Taken<'a> {
    service: &'a str,
    address: Option<&'a str>,
    protocol: &'a str,
    port: u16,
    /// Host and path of the requests that it takes, where it does not take all that comes to the port.
    route: Option<(&'a str, &'a str)>,
    span: Span,
}

impl Taken<'_> {
    /// An address that is not given is all of them. Routes of other hosts or paths share a port: the gateway has it, and
    /// looks at each request.
    fn collides(&self, other: &Taken<'_>) -> bool {
        let every = |address: Option<&str>| matches!(address, None | Some("" | "0.0.0.0" | "::"));
        let shared = self.route.is_some() && other.route.is_some() && self.route != other.route;
        self.service != other.service
            && !shared
            && self.port == other.port
            && self.protocol == other.protocol
            && (every(self.address) || every(other.address) || self.address == other.address)
    }
}

/// The host and path that a service's route takes at a port of it; nothing when the route is about another one.
fn route<'a>(service: &'a Node, item: &'a Node) -> Option<(&'a str, &'a str)> {
    let route = service.get("x-seaworthy")?.get("route")?;
    let own = text(route, "port").is_none_or(|port| text(item, "target") == Some(port));
    own.then(|| (text(route, "host").unwrap_or_default(), text(route, "path").unwrap_or("/")))
}

fn ports(root: &Node, disabled: &HashSet<&str>, report: &mut Report) {
    let mut by_port: HashMap<u16, Vec<Taken<'_>>> = HashMap::new();
    for service in
        section(root, "services").iter().filter(|service| !disabled.contains(service.key.value.as_str()))
    {
        for item in service.node.get("ports").map(Node::items).unwrap_or_default() {
            // Of a range the engine takes one that is free.
            let Some(port) =
                text(item, "published").and_then(|port| port.parse().ok()).filter(|port| *port != 0)
            else {
                continue;
            };
            let taken = Taken {
                service: &service.key.value,
                address: text(item, "host_ip"),
                protocol: text(item, "protocol").unwrap_or("tcp"),
                port,
                route: route(&service.node, item),
                span: item.span,
            };
            let others = by_port.entry(port).or_default();
            if let Some(other) = others.iter().find(|other| other.collides(&taken)) {
                let (port, protocol) = (taken.port, taken.protocol);
                let message = format!(
                    "`{}` and `{}` both publish host port {port}/{protocol}.",
                    other.service, taken.service
                );
                let hint = match taken.route.is_some() && other.route.is_some() {
                    true => "give one of them another `path` or `host` in `x-seaworthy.route`",
                    false => "give one of them another host port",
                };
                report.doubt(
                    Problem::at(ProblemKind::Conflict, taken.span, message)
                        .related(other.span, format!("`{}` publishes it here", other.service))
                        .hint(hint),
                );
            }
            others.push(taken);
        }
    }
}

fn container_names(root: &Node, disabled: &HashSet<&str>, report: &mut Report) {
    let mut seen: HashMap<&str, (&str, Span)> = HashMap::new();
    for service in
        section(root, "services").iter().filter(|service| !disabled.contains(service.key.value.as_str()))
    {
        let Some(node) = service.node.get("container_name") else { continue };
        let name = node.text().unwrap_or_default();
        if let Some((other, span)) = seen.get(name) {
            let message =
                format!("`{other}` and `{}` both have the container name `{name}`.", service.key.value);
            let problem = Problem::at(ProblemKind::Conflict, node.span, message);
            report.problem(problem.related(*span, "first used here").hint("remove one `container_name`"));
        }
        seen.entry(name).or_insert((&service.key.value, node.span));
    }
}
