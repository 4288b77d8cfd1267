//! Gathers what is wrong and what is odd while the phases run.

use std::cmp::Reverse;

use crate::{Problem, ProblemKind, Span};

/// The most problems kept: a generated file with an error per line is told about its first thousand.
const MAX_PROBLEMS: usize = 1000;

/// Problems and warnings of one loading.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What is wrong.
    pub(crate) problems: Vec<Problem>,
    /// What is odd but not wrong.
    pub(crate) warnings: Vec<Problem>,
    /// How many ports the short forms of all files came to so far; a range of a few characters is thousands.
    pub(crate) ports: usize,
    /// Whether what Compose would load, though nothing could run it, is odd and not wrong: so it is in development.
    pub(crate) tolerant: bool,
    /// Whether texts with a `$` in them are taken for whatever their key wants, since nothing was filled in.
    pub(crate) templates_stay: bool,
    /// Whether the tree is one that was written out resolved.
    pub(crate) written: bool,
}

impl Report {
    /// Adds a problem.
    pub(crate) fn problem(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// Whether no further problem is kept, so that none needs to be described.
    pub(crate) fn is_full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS
    }

    /// Adds a problem at a place.
    pub(crate) fn at(&mut self, kind: ProblemKind, span: Span, message: impl Into<String>) {
        self.problem(Problem::at(kind, span, message));
    }

    /// Adds what Compose loads and nothing could run: a problem, or in development a warning.
    pub(crate) fn doubt(&mut self, problem: Problem) {
        if self.tolerant { self.warn(problem) } else { self.problem(problem) }
    }

    /// Adds a warning.
    pub(crate) fn warn(&mut self, warning: Problem) {
        if self.warnings.len() < MAX_PROBLEMS {
            self.warnings.push(warning);
        }
    }

    /// What could not be filled in is empty, and an empty value is often wrong: that is not said beside it.
    fn drop_what_follows(&mut self) {
        let is_cause = |kind: ProblemKind| matches!(kind, ProblemKind::Required | ProblemKind::Interpolation);
        let causes: Vec<Span> =
            self.problems.iter().filter(|one| is_cause(one.kind)).filter_map(|one| one.span).collect();
        if causes.is_empty() {
            return;
        }
        self.problems.retain(|one| {
            let follows = matches!(one.kind, ProblemKind::InvalidValue | ProblemKind::WrongType);
            let around = one.span.filter(|span| follows && span.start.line == span.end.line);
            around.is_none_or(|span| !causes.iter().any(|cause| holds(span, *cause)))
        });
    }

    /// In the order of the files and each said once: an anchor used twice would repeat its mistake.
    pub(crate) fn finish(&mut self) {
        self.drop_what_follows();
        for list in [&mut self.problems, &mut self.warnings] {
            list.sort_by_key(|problem| problem.span.map(|span| (span.file, span.start, Reverse(span.end))));
            let mut seen: Vec<(Option<Span>, String)> = Vec::new();
            list.retain(|problem| {
                let mark = (problem.span, problem.message.clone());
                let first = !seen.iter().rev().take(64).any(|other| *other == mark);
                seen.push(mark);
                first
            });
        }
    }
}

fn holds(outer: Span, inner: Span) -> bool {
    outer.file == inner.file && outer.start.byte <= inner.start.byte && inner.end.byte <= outer.end.byte
}
