//! `traces` of routes: what is said of a collector needs its address, and its files are there for that one alone.

use std::collections::HashSet;

use crate::load::report::Report;
use crate::load::validate::section;
use crate::{Entry, Node, Problem, ProblemKind};

pub(super) fn check(root: &Node, disabled: &HashSet<&str>, report: &mut Report) {
    let default = root.at(&["x-seaworthy", "traces"]).filter(|traces| !traces.is_null());
    default.into_iter().for_each(|traces| addressed(traces, None, report));
    for Entry { key, node } in section(root, "services") {
        let own = node.at(&["x-seaworthy", "route", "traces"]).filter(|traces| !traces.is_null());
        if let Some(own) = own.filter(|_| !disabled.contains(key.value.as_str())) {
            addressed(own, default, report);
        }
    }
}

/// Reports a map that names no collector, where none is named for all routes.
fn addressed(traces: &Node, default: Option<&Node>, report: &mut Report) {
    let is_said =
        |traces: &Node| traces.text().is_some() || traces.get("endpoint").is_some_and(|at| !at.is_null());
    if is_said(traces) || default.is_some_and(is_said) {
        return;
    }
    let problem = Problem::at(ProblemKind::Required, traces.span, "`traces` has no `endpoint`.");
    report.problem(
        problem.hint("add `endpoint:` with the address of a collector, such as `http://127.0.0.1:4318`"),
    );
}
