//! `tls` of routes: one place that certificates come from, and what that one needs.

use std::collections::HashSet;

use crate::load::report::Report;
use crate::load::validate::section;
use crate::{Entry, Node, Problem, ProblemKind};

pub(super) fn check(root: &Node, disabled: &HashSet<&str>, report: &mut Report) {
    let default = root.at(&["x-seaworthy", "tls"]).filter(|tls| !tls.is_null());
    default.into_iter().for_each(|tls| whole(tls, report));
    for Entry { key, node } in section(root, "services") {
        let Some(route) =
            node.at(&["x-seaworthy", "route"]).filter(|_| !disabled.contains(key.value.as_str()))
        else {
            continue;
        };
        let own = route.get("tls").filter(|tls| !tls.is_null());
        own.into_iter().for_each(|tls| whole(tls, report));
        let Some(place) = own.or(default) else { continue };
        let source = own.and_then(source).or_else(|| default.and_then(source));
        let name = &key.value;
        match source {
            None => {
                let message = format!("`tls` of `{name}` does not say where its certificate comes from.");
                let problem = Problem::at(ProblemKind::Required, place.span, message);
                report.problem(
                    problem.hint("add `mode: self-signed`, `mode: acme` or `files: {certificate, key}`"),
                );
            }
            Some("acme") if route.get("host").is_none() => {
                let message = format!(
                    "`tls` of `{name}` asks for a certificate, but its route names no host to ask for."
                );
                let problem = Problem::at(ProblemKind::Required, place.span, message);
                report.problem(problem.hint("add `host:` to the route, or use `tls: self-signed`"));
            }
            Some(_) => {}
        }
    }
}

/// Where certificates come from, in a word.
fn source(tls: &Node) -> Option<&str> {
    tls.text().or_else(|| tls.get("mode")?.text()).or_else(|| tls.get("files").map(|_| "files"))
}

/// What one `tls` says alone.
fn whole(tls: &Node, report: &mut Report) {
    if let Some(files) = tls.get("files").filter(|files| !files.is_null()) {
        for key in ["certificate", "key"].into_iter().filter(|key| files.get(key).is_none()) {
            let problem = Problem::at(ProblemKind::Required, files.span, format!("`files` has no `{key}`."));
            report.problem(problem.hint(format!("add `{key}:` with the path of a file in PEM form")));
        }
    }
    if let Some(clients) = tls.get("clients").filter(|clients| !clients.is_null())
        && clients.get("ca").is_none()
    {
        let problem = Problem::at(ProblemKind::Required, clients.span, "`clients` has no `ca`.");
        let hint = "add `ca:` with the path of a file in PEM form: the certificates of those who issue your clients'";
        report.problem(problem.hint(hint));
    }
    let (Some(mode), Some(files)) = (tls.get("mode"), tls.get("files")) else { return };
    let message = "`tls` has `mode` and `files`, and a certificate comes from one place.".to_owned();
    let problem = Problem::at(ProblemKind::Conflict, mode.span, message);
    report.problem(problem.related(files.span, "`files` is here").hint("keep one of the two"));
}
