//! Names that refer to nothing.

use crate::load::report::Report;
use crate::load::schema::check::nearest;
use crate::load::session::is_true;
use crate::load::validate::{section, text};
use crate::{Entry, Node, Problem, ProblemKind, Span};

pub(super) fn check(root: &Node, disabled: &[String], report: &mut Report) {
    for service in section(root, "services") {
        if disabled.contains(&service.key.value) {
            continue;
        }
        for needed in needed_services(&service.node) {
            named(root, "services", &needed.name, needed.place, report);
            if let Some(known) = root.at(&["services", &needed.name])
                && disabled.contains(&needed.name)
            {
                report.problem(left_out(&service.key.value, &needed.name, known, needed.place));
            }
        }
        dependencies(root, service, disabled, report);
        for network in
            section(&service.node, "networks").iter().filter(|network| network.key.value != "default")
        {
            named(root, "networks", &network.key.value, network.key.span, report);
        }
        for model in section(&service.node, "models") {
            named(root, "models", &model.key.value, model.key.span, report);
        }
        let items = |key: &str| service.node.get(key).map(Node::items).unwrap_or_default();
        for mount in items("volumes").iter().filter(|mount| text(mount, "type") == Some("volume")) {
            if let Some(source) = mount.get("source").filter(|source| source.text() != Some("")) {
                named(root, "volumes", source.text().unwrap_or_default(), source.span, report);
            }
        }
        let build = service.node.get("build").and_then(|build| build.get("secrets"));
        for secret in items("secrets").iter().chain(build.map(Node::items).unwrap_or_default()) {
            granted(root, "secrets", secret, report);
        }
        for config in items("configs") {
            granted(root, "configs", config, report);
        }
    }
}

fn granted(root: &Node, key: &str, grant: &Node, report: &mut Report) {
    match grant.get("source") {
        Some(source) => named(root, key, source.text().unwrap_or_default(), source.span, report),
        None => {
            let message = format!("This does not say which of the `{key}` is granted.");
            let problem = Problem::at(ProblemKind::InvalidValue, grant.span, message);
            report.problem(problem.hint("add `source:`"));
        }
    }
}

fn named(root: &Node, key: &str, name: &str, span: Span, report: &mut Report) {
    let known = section(root, key);
    if known.iter().any(|entry| entry.key.value == name) {
        return;
    }
    let singular = key.trim_end_matches('s');
    let problem = Problem::at(ProblemKind::Undefined, span, format!("There is no {singular} `{name}`."));
    let near = nearest(name, known.iter().map(|entry| entry.key.value.as_str()));
    report.problem(problem.hint(match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("add `{name}` under the top-level `{key}:`"),
    }));
}

fn dependencies(root: &Node, service: &Entry, disabled: &[String], report: &mut Report) {
    for dependency in section(&service.node, "depends_on") {
        let name = &dependency.key.value;
        let optional = dependency.node.get("required").is_some_and(|required| !is_true(Some(required)));
        let Some(known) = root.at(&["services", name]) else {
            // In a project that was written out, services that profiles leave out are gone.
            if !(optional && report.written) {
                named(root, "services", name, dependency.key.span, report);
            }
            continue;
        };
        if disabled.contains(name) && !optional {
            let problem = left_out(&service.key.value, name, known, dependency.key.span);
            let hint = problem.hint.as_deref().unwrap_or_default();
            let hint = format!("{hint}, or say `required: false`");
            report.problem(problem.hint(hint));
        }
    }
}

/// The problem of a service that needs another one, which its profiles leave out.
fn left_out(service: &str, name: &str, known: &Node, place: Span) -> Problem {
    let profiles = known.get("profiles").map(Node::items).unwrap_or_default();
    let profile = profiles.first().and_then(Node::text).unwrap_or_default();
    let message = format!("`{service}` needs `{name}`, which its profiles leave out.");
    Problem::at(ProblemKind::Undefined, place, message)
        .related(known.span, format!("`{name}` is only in the profile `{profile}`"))
        .hint(format!("add `--profile {profile}`"))
}

/// A service named elsewhere than in `depends_on`.
pub(crate) struct Needed {
    pub(crate) name: String,
    pub(crate) place: Span,
    /// Whether this service is restarted with it.
    pub(crate) restart: bool,
}

/// Services named elsewhere than in `depends_on`, in the order in which Compose looks for them.
pub(crate) fn needed_services(service: &Node) -> Vec<Needed> {
    let mut needed = Vec::new();
    let mut add = |name: &str, place: Span, restart: bool| {
        needed.push(Needed { name: name.to_owned(), place, restart });
    };
    let items = |key: &str| service.get(key).map(Node::items).unwrap_or_default();
    for link in items("links") {
        let text = link.text().unwrap_or_default();
        let name =
            text.split_once(':').filter(|(_, alias)| !alias.contains(':')).map_or(text, |(name, _)| name);
        add(name, link.span, true);
    }
    for key in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
        let Some(node) = service.get(key) else { continue };
        if let Some(name) = node.text().and_then(|text| text.strip_prefix("service:")) {
            add(name, node.span, true);
        }
    }
    for from in items("volumes_from") {
        let text = from.text().unwrap_or_default();
        if !text.starts_with("container:") {
            add(text.split(':').next().unwrap_or_default(), from.span, false);
        }
    }
    needed
}
