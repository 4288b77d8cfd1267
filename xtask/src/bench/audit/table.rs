//! The figures of `bench audit`: what was found, how quickly, and which goals were missed.

use std::collections::HashSet;
use std::fmt::{self, Write};
use std::path::Path;

use serde_json::Value;

use super::sample::{Seed, kind};
use crate::bench::measure::Cost;

const KINDS: [&str; 3] = ["Compose", "Dockerfile", ".env"];
/// Of a hundred defects, how many must be found at least.
const LEAST_FOUND: usize = 95;
/// The most that one cold run over one project may take, in milliseconds and MiB.
const ONE_RUN: (f64, f64) = (15.0, 20.0);
/// The most seconds over all the files.
const ALL_FILES: f64 = 0.5;
/// The most findings of a file on average, hygiene left out and what is merely absent counted once.
const PER_FILE: f64 = 4.0;

/// What one checker found.
pub(super) struct Row {
    name: &'static str,
    found: Vec<Seed>,
    /// Findings in the hardened twins.
    pub(super) twins: usize,
    /// Files to which it gave no answer that can be read.
    pub(super) unread: usize,
}

impl Row {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, found: Vec::new(), twins: 0, unread: 0 }
    }

    pub(super) fn count(&mut self, found: &[Seed]) {
        self.found.extend_from_slice(found);
    }
}

fn of(kind: &str, seeds: &[Seed]) -> usize {
    seeds.iter().filter(|seed| seed.kind() == kind).count()
}

pub(super) fn found(listed: &[Seed], rows: &[Row]) -> String {
    let mut text = String::from("| checker |");
    for kind in KINDS {
        let _ = write!(text, " {kind} of {} |", of(kind, listed));
    }
    text.push_str(
        " said of hardened twins | files without an answer |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for row in rows {
        let _ = write!(text, "| {} |", row.name);
        for kind in KINDS {
            let _ = write!(text, " {} |", of(kind, &row.found));
        }
        let _ = writeln!(text, " {} | {} |", row.twins, row.unread);
    }
    text
}

pub(super) fn missed(listed: &[Seed], own: &Row) -> Vec<String> {
    let mut missed = Vec::new();
    for kind in KINDS {
        let (found, all) = (of(kind, &own.found), of(kind, listed));
        if found * 100 < all * LEAST_FOUND {
            missed.push(format!("{found} of {all} defects in {kind} files were found."));
        }
    }
    if own.twins > 0 {
        missed.push(format!("{} findings in the hardened twins.", own.twins));
    }
    missed
}

pub(super) fn speed<'row>(lines: impl Iterator<Item = (&'row str, &'row str, Cost)>) -> String {
    let mut text = String::from("| run | program | ms | MiB |\n| --- | --- | --- | --- |\n");
    for (what, program, cost) in lines {
        let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
        let _ = writeln!(text, "| {what} | {name} | {:.1} | {:.1} |", milliseconds(&cost), mebibytes(&cost));
    }
    text
}

fn milliseconds(cost: &Cost) -> f64 {
    cost.time.as_secs_f64() * 1e3
}

fn mebibytes(cost: &Cost) -> f64 {
    cost.memory as f64 / 1024.0
}

/// The goals of speed; the runs are one project, then all files, ours before a peer's.
pub(super) fn missed_speed(costs: &[Cost], with_peer: bool, missed: &mut Vec<String>) {
    if let Some(one) = costs.first()
        && (milliseconds(one) > ONE_RUN.0 || mebibytes(one) > ONE_RUN.1)
    {
        missed.push(format!("one project took {:.1} ms and {:.1} MiB.", milliseconds(one), mebibytes(one)));
    }
    let many = costs.get(if with_peer { 2 } else { 1 });
    if let Some(many) = many.filter(|many| many.time.as_secs_f64() > ALL_FILES) {
        missed.push(format!("all files took {:.2} s.", many.time.as_secs_f64()));
    }
}

/// How much is said of the projects of others.
pub(super) struct Said {
    /// Compose files, one a project.
    projects: usize,
    /// Dockerfiles and environment files.
    others: usize,
    unchecked: usize,
    in_compose: usize,
    in_others: usize,
}

/// Counts findings above hygiene in the file in which they stand; what a project merely lacks is one, in its Compose file.
pub(super) fn said(report: &Value, projects: usize, others: usize) -> Said {
    let all = report["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let counts = |finding: &&Value| {
        ["critical", "high", "medium"].iter().any(|severity| finding["severity"] == **severity)
    };
    let (absent, present): (Vec<&Value>, Vec<&Value>) =
        all.iter().filter(counts).partition(|finding| !finding["within"].is_null());
    let with_absent: HashSet<&str> =
        absent.iter().filter_map(|finding| finding["project"].as_str()).collect();
    let of_compose =
        |finding: &&&Value| finding["place"]["path"].as_str().is_some_and(|path| kind(path) == KINDS[0]);
    let in_compose = present.iter().filter(of_compose).count();
    Said {
        projects,
        others,
        unchecked: report["unchecked"].as_array().map_or(0, Vec::len),
        in_others: present.len() - in_compose,
        in_compose: in_compose + with_absent.len(),
    }
}

impl Said {
    fn per_compose(&self) -> f64 {
        self.in_compose as f64 / self.projects.max(1) as f64
    }

    fn per_other(&self) -> f64 {
        self.in_others as f64 / self.others.max(1) as f64
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (projects, others, unchecked) = (self.projects, self.others, self.unchecked);
        let per_project = (self.in_compose + self.in_others) as f64 / projects.max(1) as f64;
        write!(
            f,
            "{projects} Compose files and {others} files beside them, {unchecked} not checked. Findings above hygiene, what is \
             absent as one: {:.1} a Compose file, {:.1} a Dockerfile or environment file, {per_project:.1} a project.",
            self.per_compose(),
            self.per_other(),
        )
    }
}

pub(super) fn missed_quiet(said: &Said, missed: &mut Vec<String>) {
    for (per_file, of) in [(said.per_compose(), "Compose file"), (said.per_other(), "other file")] {
        if per_file > PER_FILE {
            missed.push(format!("{per_file:.1} findings a {of}."));
        }
    }
}
