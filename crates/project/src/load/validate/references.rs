//! Names that refer to nothing.

use std::collections::{HashMap, HashSet};

use crate::load::report::Report;
use crate::load::schema::check::nearest;
use crate::load::session::is_true;
use crate::load::validate::{section, text};
use crate::{Entry, Node, Problem, ProblemKind, Span};

/// What stands in each section, by its name.
struct Names<'a>(HashMap<&'static str, HashMap<&'a str, &'a Entry>>);

impl<'a> Names<'a> {
    fn of(root: &'a Node) -> Self {
        let sections = ["services", "networks", "volumes", "secrets", "configs", "models"];
        let by_name =
            |key| section(root, key).iter().map(|entry| (entry.key.value.as_str(), entry)).collect();
        Self(sections.into_iter().map(|key| (key, by_name(key))).collect())
    }

    fn get(&self, section: &str, name: &str) -> Option<&'a Entry> {
        self.0.get(section)?.get(name).copied()
    }
}

pub(super) fn check(root: &Node, disabled: &HashSet<&str>, report: &mut Report) {
    let names = &Names::of(root);
    for service in section(root, "services") {
        if disabled.contains(service.key.value.as_str()) {
            continue;
        }
        for needed in needed_services(&service.node) {
            named((root, names), "services", &needed.name, needed.place, report);
            if let Some(known) = names.get("services", &needed.name)
                && disabled.contains(needed.name.as_str())
            {
                report.problem(left_out(&service.key.value, &needed.name, &known.node, needed.place));
            }
        }
        dependencies((root, names), service, disabled, report);
        for network in
            section(&service.node, "networks").iter().filter(|network| network.key.value != "default")
        {
            named((root, names), "networks", &network.key.value, network.key.span, report);
        }
        for model in section(&service.node, "models") {
            named((root, names), "models", &model.key.value, model.key.span, report);
        }
        let items = |key: &str| service.node.get(key).map(Node::items).unwrap_or_default();
        for mount in items("volumes").iter().filter(|mount| text(mount, "type") == Some("volume")) {
            if let Some(source) = mount.get("source").filter(|source| source.text() != Some("")) {
                named((root, names), "volumes", source.text().unwrap_or_default(), source.span, report);
            }
        }
        let build = service.node.get("build").and_then(|build| build.get("secrets"));
        for secret in items("secrets").iter().chain(build.map(Node::items).unwrap_or_default()) {
            granted((root, names), "secrets", secret, report);
        }
        let users = service.node.at(&["x-seaworthy", "route", "auth", "users"]);
        if let Some((users, name)) = users.and_then(|users| Some((users, users.text()?))) {
            named((root, names), "secrets", name, users.span, report);
        }
        for config in items("configs") {
            granted((root, names), "configs", config, report);
        }
    }
}

fn granted(root: (&Node, &Names<'_>), key: &str, grant: &Node, report: &mut Report) {
    match grant.get("source") {
        Some(source) => named(root, key, source.text().unwrap_or_default(), source.span, report),
        None => {
            let message = format!("This does not say which of the `{key}` is granted.");
            let problem = Problem::at(ProblemKind::InvalidValue, grant.span, message);
            report.problem(problem.hint("add `source:`"));
        }
    }
}

fn named((root, names): (&Node, &Names<'_>), key: &str, name: &str, span: Span, report: &mut Report) {
    if names.get(key, name).is_some() || report.is_full() {
        return;
    }
    let known = section(root, key);
    let singular = key.trim_end_matches('s');
    let problem = Problem::at(ProblemKind::Undefined, span, format!("There is no {singular} `{name}`."));
    let near = nearest(name, known.iter().map(|entry| entry.key.value.as_str()));
    report.problem(problem.hint(match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("add `{name}` under the top-level `{key}:`"),
    }));
}

fn dependencies(root: (&Node, &Names<'_>), service: &Entry, disabled: &HashSet<&str>, report: &mut Report) {
    for dependency in section(&service.node, "depends_on") {
        let name = &dependency.key.value;
        let optional = dependency.node.get("required").is_some_and(|required| !is_true(Some(required)));
        let Some(known) = root.1.get("services", name).map(|entry| &entry.node) else {
            // In a project that was written out, services that profiles leave out are gone.
            if !(optional && report.written) {
                named(root, "services", name, dependency.key.span, report);
            }
            continue;
        };
        if disabled.contains(name.as_str()) && !optional {
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
