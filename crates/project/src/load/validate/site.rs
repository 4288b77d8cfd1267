//! What the gateway answers by itself, where it leads nowhere.

use std::collections::HashSet;

use crate::load::report::Report;
use crate::load::typed::site::redirect;
use crate::load::validate::{section, text};
use crate::model::site::{Origin, Redirect};
use crate::{Node, Problem, ProblemKind};

pub(super) fn check(root: &Node, disabled: &HashSet<&str>, report: &mut Report) {
    for service in section(root, "services") {
        let name = service.key.value.as_str();
        let Some(route) = service.node.at(&["x-seaworthy", "route"]).filter(|_| !disabled.contains(name))
        else {
            continue;
        };
        whole(name, route, report);
        for key in ["canary", "mirror"] {
            shared(name, (key, route, root), disabled, report);
        }
        redirects(name, route, report);
        cors(name, route, report);
        framing(name, route, report);
        if let Some(strip) = route.get("strip_path").filter(|strip| strip.text() == Some("true"))
            && matches!(text(route, "path"), None | Some("/"))
        {
            let message = format!("`{name}` has `strip_path`, and its route has no `path` to take off.");
            let problem = Problem::at(ProblemKind::Conflict, strip.span, message);
            report.problem(problem.hint("add `path:` to the route, or remove `strip_path`"));
        }
    }
}

/// What each of these cannot do without.
const NEEDED: [(&str, &str); 8] = [
    ("auth", "users"),
    ("cors", "origins"),
    ("rate_limit", "rate"),
    ("files", "folder"),
    ("canary", "service"),
    ("canary", "percent"),
    ("mirror", "service"),
    ("mirror", "percent"),
];

/// A protection that says half of what it needs protects nothing.
fn whole(name: &str, route: &Node, report: &mut Report) {
    for (key, needed) in NEEDED {
        let Some(node) = route.get(key) else { continue };
        if node.text().is_none() && node.get(needed).is_none_or(Node::is_null) {
            let message = format!("`{key}` of the route of `{name}` has no `{needed}`.");
            report.problem(
                Problem::at(ProblemKind::Required, node.span, message).hint(format!("add `{needed}:`")),
            );
        }
    }
}

/// Headers that say how long a message is and how long its connection lasts, which each hop says for itself.
const FRAMING: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A length that is written by hand would be a lie about every message.
fn framing(name: &str, route: &Node, report: &mut Report) {
    let edits = ["request", "response"].into_iter().filter_map(|side| route.at(&["headers", side]));
    for edit in edits {
        let set = ["set", "add"].into_iter().filter_map(|key| edit.get(key)).flat_map(Node::entries);
        let set = set.map(|entry| (entry.key.value.as_str(), entry.key.span));
        let removed = edit.get("remove").map(Node::items).unwrap_or_default();
        let removed = removed.iter().filter_map(|item| Some((item.text()?, item.span)));
        for (header, span) in set.chain(removed) {
            if !FRAMING.iter().any(|own| own.eq_ignore_ascii_case(header)) {
                continue;
            }
            let message = format!(
                "`headers` of the route of `{name}` changes `{header}`, which the gateway says itself."
            );
            let problem = Problem::at(ProblemKind::InvalidValue, span, message);
            report.problem(problem.hint("remove it: how long a message is follows from what is sent"));
        }
    }
}

fn redirects(name: &str, route: &Node, report: &mut Report) {
    let items = route.get("redirect").map(Node::items).unwrap_or_default();
    let mut seen: Vec<(Origin, crate::Span)> = Vec::new();
    for (rule, node) in items.iter().filter_map(|node| Some((redirect(node)?, node))) {
        let from = node.get("from").map_or(node.span, |from| from.span);
        if let Some((_, first)) = seen.iter().find(|(other, _)| *other == rule.from) {
            let message = format!("`{name}` sends the same elsewhere twice.");
            let problem = Problem::at(ProblemKind::Conflict, from, message);
            report.problem(problem.related(*first, "first here").hint("keep one of the two"));
        }
        if let Some(why) = nowhere(&rule, text(route, "host")) {
            let to = node.get("to").map_or(node.span, |to| to.span);
            let problem = Problem::at(ProblemKind::Conflict, to, format!("A redirect of `{name}` {why}."));
            report.problem(problem.related(from, "it comes from here").hint("name another `to`"));
        }
        seen.push((rule.from, from));
    }
}

/// What is shared goes to a service that has a route.
fn shared(
    name: &str,
    (key, route, root): (&str, &Node, &Node),
    disabled: &HashSet<&str>,
    report: &mut Report,
) {
    let Some(service) = route.at(&[key, "service"]) else { return };
    let other = service.text().unwrap_or_default();
    let node = root.at(&["services", other]).filter(|_| !disabled.contains(other));
    let routed =
        node.and_then(|node| node.at(&["x-seaworthy", "route"])).is_some_and(|route| !route.is_null());
    if other == name || !routed {
        let message = format!("`{key}` of `{name}` names `{other}`, which is no other service with a route.");
        let problem = Problem::at(ProblemKind::Undefined, service.span, message);
        let hint = "name a service that has `x-seaworthy.route`, with a `host` or `path` of its own";
        report.problem(problem.hint(hint));
    }
}

/// All other sites and the cookies of one's own users do not go together.
fn cors(name: &str, route: &Node, report: &mut Report) {
    let Some(cors) = route.get("cors") else { return };
    let origins = cors.get("origins").map(Node::items).unwrap_or_default();
    let Some(any) = origins.iter().find(|origin| origin.text() == Some("*")) else {
        if origins.is_empty() && cors.get("origins").is_some() {
            let message = format!("`cors` of `{name}` names no site.");
            let problem = Problem::at(ProblemKind::InvalidValue, cors.span, message);
            report.problem(problem.hint("name sites such as `https://app.example`, or remove `cors`"));
        }
        return;
    };
    if let Some(credentials) = cors.get("credentials").filter(|said| said.text() == Some("true")) {
        let message = format!("`cors` of `{name}` lets every site ask with the cookies of its users.");
        let problem = Problem::at(ProblemKind::Conflict, credentials.span, message);
        report.problem(problem.related(any.span, "every site is here").hint("name the sites that may"));
    } else if origins.len() > 1 {
        let message = format!("`cors` of `{name}` names every site and others.");
        let problem = Problem::at(ProblemKind::Conflict, any.span, message);
        report.problem(problem.hint("keep `*` or the others"));
    }
}

/// Why a redirect cannot be followed.
fn nowhere(rule: &Redirect, host: Option<&str>) -> Option<&'static str> {
    let star = rule.to.contains('*');
    match &rule.from {
        Origin::Path(from) => {
            if star && !from.ends_with("/*") {
                return Some("has a `*` in `to`, and none in `from`");
            }
            let own = rule.to.starts_with('/');
            let path = rule.to.split(['?', '#']).next().unwrap_or_default().replace('*', "a");
            (own && rule.from.has(&path)).then_some("leads back to itself")
        }
        Origin::Host(from) => {
            if host.is_some_and(|host| host.eq_ignore_ascii_case(from)) {
                return Some("comes from the route's own host, which would answer nothing then");
            }
            if rule.to.starts_with('/') {
                return Some("has no host to go to");
            }
            let rest = ["https://", "http://"].iter().find_map(|scheme| rule.to.strip_prefix(scheme));
            let to = rest.unwrap_or(&rule.to).split(['/', ':', '?']).next().unwrap_or_default();
            to.eq_ignore_ascii_case(from).then_some("leads back to itself")
        }
    }
}
