//! What the phases of one loading share: the reader, the report, and what was read already.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use indexmap::IndexMap;

use crate::load::dotenv::{self, Surroundings};
use crate::load::read::{Reader, absolute};
use crate::load::report::Report;
use crate::load::schema::{PROJECT, check};
use crate::load::variables::{Variable, Variables};
use crate::load::{
    Detail, canonicalize, extends, include, interpolate, merge, parse, resolve, service_environment,
};
use crate::{FileId, Node, Problem, ProblemKind, ScalarStyle, Span, Value};

/// The most Compose files one project may consist of, each inclusion counted.
pub(crate) const MAX_FILES: usize = 256;

/// One loading.
pub(crate) struct Session<'a> {
    pub(crate) reader: Reader<'a>,
    pub(crate) report: Report,
    /// The user's home folder, for `~`.
    pub(crate) home: Option<String>,
    /// The project's folder.
    pub(crate) directory: PathBuf,
    /// Files that services extend, by path: each is prepared once.
    pub(crate) extended: HashMap<PathBuf, Extended>,
    pub(crate) files_used: usize,
    pub(crate) detail: Detail,
}

/// A file that services extend.
#[derive(Default)]
pub(crate) struct Extended {
    pub(crate) root: Option<Rc<extends::Tree>>,
    /// What is wrong in it, for as long as no service with it in it is extended: Compose reads no others.
    pub(crate) unread: Vec<Problem>,
}

/// Where a file's relative paths start and which variables it sees.
pub(crate) struct Context {
    pub(crate) folder: PathBuf,
    pub(crate) variables: Variables,
}

impl Session<'_> {
    /// Reads and parses a Compose file; `None` when that failed, which is reported.
    pub(crate) fn documents(&mut self, path: &Path, from: Option<Span>) -> Option<(FileId, Vec<Node>)> {
        self.files_used += 1;
        if self.files_used > MAX_FILES {
            let message = format!("The project has more than {MAX_FILES} Compose files (`MAX_FILES`).");
            let problem = Problem { span: from, ..Problem::nowhere(ProblemKind::Limit, message) };
            self.report.problem(problem.hint("include and extend fewer files"));
            return None;
        }
        match self.reader.read(path, from) {
            Ok(id) => {
                let mut documents =
                    parse::parse(id, self.reader.text(id), parse::MAX_NODES, &mut self.report)?;
                if says_nothing(self.reader.text(id)) {
                    documents.clear();
                }
                for document in documents.iter().filter(|document| document.is_null()) {
                    let problem =
                        Problem::at(ProblemKind::WrongType, document.span, "This document is empty.");
                    self.report.problem(problem.hint("remove the `---` before it"));
                }
                documents.retain(|document| !document.is_null());
                Some((id, documents))
            }
            Err(problem) => {
                self.report.problem(problem);
                None
            }
        }
    }

    /// Where a file lies that the project names: relative to the project's folder, `~` being the user's own.
    pub(crate) fn locate(&self, named: &str) -> PathBuf {
        match (named.strip_prefix('~'), &self.home) {
            (Some(rest), Some(home)) => absolute(Path::new(home), Path::new(rest.trim_start_matches('/'))),
            _ => absolute(&self.directory, Path::new(named)),
        }
    }

    /// Tells that a file has nothing in it.
    pub(crate) fn empty(&mut self, id: FileId) {
        let start = crate::Position { byte: 0, line: 1, column: 1 };
        let span = Span { file: id, start, end: start };
        let problem = Problem::at(ProblemKind::WrongType, span, "The file is empty.");
        self.report.problem(problem.hint("write at least `services:` with one service"));
    }

    /// A whole file, its documents laid over each other, with what it includes and extends.
    pub(crate) fn layer(
        &mut self,
        path: &Path,
        (id, documents): (FileId, Vec<Node>),
        context: &Context,
        trail: &mut Vec<PathBuf>,
    ) -> Node {
        trail.push(path.to_owned());
        let mut layer: Option<Node> = None;
        for document in documents {
            let mut root = self.prepare(document, id, &context.folder, &context.variables);
            extends::extend(self, &mut root, path, context);
            include::include(self, &mut root, context, trail);
            match &mut layer {
                Some(base) => merge::merge(base, root, &mut self.report),
                None => layer = Some(root),
            }
        }
        trail.pop();
        let start = crate::Position { byte: 0, line: 1, column: 1 };
        layer.unwrap_or_else(|| Node::new(Value::Mapping(Vec::new()), Span { file: id, start, end: start }))
    }

    /// One document with variables filled in, checked, in canonical form, with absolute paths.
    pub(crate) fn prepare(
        &mut self,
        mut root: Node,
        id: FileId,
        folder: &Path,
        variables: &Variables,
    ) -> Node {
        let report = &mut self.report;
        if self.detail.interpolate {
            interpolate::interpolate(&mut root, self.reader.text(id), variables, report);
        }
        service_environment::name_values(&mut root, variables);
        if let Some(problem) = other_dialect(&root) {
            report.problem(problem);
            root.value = Value::Mapping(Vec::new());
        }
        check::object(&root, &PROJECT, "", report);
        if let Some(version) = root.remove("version") {
            let warning =
                Problem::at(ProblemKind::Dialect, version.key.span, "`version` is obsolete and ignored.");
            report.warn(warning.hint("remove the line"));
        }
        canonicalize::canonicalize(&mut root, report);
        // Paths in the project's own folder become absolute last; until then they are compared as they are written.
        if folder != self.directory {
            resolve::paths(&mut root, folder, self.home.as_deref());
        }
        root
    }

    /// The variables of environment files, the later over the earlier, seen from what is `over` them all.
    pub(crate) fn environment_files(
        &mut self,
        files: &[(PathBuf, Option<Span>)],
        over: &Variables,
    ) -> IndexMap<String, Variable> {
        let mut all = IndexMap::new();
        for (path, from) in files {
            match self.reader.read(path, *from) {
                Ok(id) => {
                    let around = Surroundings { over, under: &all };
                    let set = dotenv::parse(id, self.reader.text(id), around, &mut self.report);
                    all.extend(set);
                }
                Err(problem) => self.report.problem(problem),
            }
        }
        all
    }
}

/// Whether a file has nothing but comments in it.
fn says_nothing(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#'))
}

/// A file that is no Compose file as a whole, told once.
fn other_dialect(root: &Node) -> Option<Problem> {
    let known = |key: &str| PROJECT.key(key).is_some();
    let first = root.entries().first()?;
    if root.entries().iter().any(|entry| known(&entry.key.value) && entry.key.value != "name") {
        return None;
    }
    let all = |is: &dyn Fn(&Node) -> bool| root.entries().iter().all(|entry| is(&entry.node));
    let has = |key: &str| root.get(key).is_some();
    let is_service = |node: &Node| node.get("image").or_else(|| node.get("build")).is_some();
    let (message, hint) = if all(&is_service) {
        (
            "This is a Compose file of version 1: its services stand at the top level.",
            "put them under `services:`",
        )
    } else if has("apiVersion") && has("kind") {
        ("This is an object of Kubernetes, not a Compose file.", "name a Compose file with `-f`")
    } else if has("image") || has("build") {
        (
            "This is a part of a Compose file: the settings of one service.",
            "put them under `services:` and the service's name, or include them with `extends`",
        )
    } else {
        return None;
    };
    Some(Problem::at(ProblemKind::Dialect, first.key.span, message).hint(hint))
}

/// Whether a node is a boolean or word that says yes.
pub(crate) fn is_true(node: Option<&Node>) -> bool {
    node.is_some_and(|node| {
        matches!(&node.value, Value::Scalar(scalar) if scalar.style == ScalarStyle::Plain && scalar.text == "true")
    })
}
