//! `extends`: a service built on another one, of this file or of another (Compose Specification, "extends").

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::load::merge;
use crate::load::read::absolute;
use crate::load::schema::check::nearest;
use crate::load::session::{Context, Extended, Session};
use crate::{Entry, Node, Problem, ProblemKind, Span, Value};

/// The longest chain of services that extend each other.
pub(crate) const MAX_CHAIN: usize = 64;

/// The services on the way to the one that is being built, to notice a circle.
type Chain = Vec<(PathBuf, String)>;

/// Replaces each service that extends another by the two merged. Paths in the tree are absolute already.
pub(crate) fn extend(session: &mut Session<'_>, root: &mut Node, path: &Path, context: &Context) {
    let names: Vec<String> = root
        .get("services")
        .map(Node::entries)
        .unwrap_or_default()
        .iter()
        .filter(|entry| entry.node.get("extends").is_some())
        .map(|entry| entry.key.value.clone())
        .collect();
    if names.is_empty() {
        return;
    }
    let nothing = Node::new(Value::Null, root.span);
    let mut original = Tree::new(std::mem::replace(root, nothing));
    let bases: HashSet<String> =
        original.services().iter().filter_map(base_name).map(str::to_owned).collect();
    // A service that others are built on must stay as it is written until they are.
    let (last, first): (Vec<String>, Vec<String>) = names.into_iter().partition(|name| bases.contains(name));
    for name in first {
        if let Some(built) = build(session, &original, path, &name, context, &mut Vec::new()) {
            original.place(&name, built);
        }
    }
    let built: Vec<(String, Node)> = last
        .into_iter()
        .filter_map(|name| {
            let built = build(session, &original, path, &name, context, &mut Vec::new())?;
            Some((name, built))
        })
        .collect();
    built.into_iter().for_each(|(name, built)| original.place(&name, built));
    *root = original.root;
}

/// A file's tree, whose services are found by their names.
#[derive(Debug)]
pub(crate) struct Tree {
    root: Node,
    places: HashMap<String, usize>,
}

impl Tree {
    fn new(root: Node) -> Self {
        let services = root.get("services").map(Node::entries).unwrap_or_default();
        let place = |(place, entry): (usize, &Entry)| (entry.key.value.clone(), place);
        let places = services.iter().enumerate().map(place).collect();
        Self { root, places }
    }

    fn services(&self) -> &[Entry] {
        self.root.get("services").map(Node::entries).unwrap_or_default()
    }

    fn service(&self, name: &str) -> Option<&Entry> {
        self.services().get(*self.places.get(name)?)
    }

    fn place(&mut self, name: &str, service: Node) {
        let services = self.root.get_mut("services").and_then(Node::entries_mut);
        let place = self.places.get(name).copied();
        if let Some(entry) = services.zip(place).and_then(|(services, place)| services.get_mut(place)) {
            entry.node = service;
        }
    }
}

fn base_name(service: &Entry) -> Option<&str> {
    service.node.get("extends")?.get("service")?.text()
}

fn build(
    session: &mut Session<'_>,
    root: &Tree,
    path: &Path,
    name: &str,
    context: &Context,
    chain: &mut Chain,
) -> Option<Node> {
    let entry = root.service(name)?;
    let mut service = entry.node.clone();
    if let Some(extended) = session.extended.get_mut(path) {
        let inside = |problem: &mut Problem| {
            problem.span.is_none_or(|span| {
                span.file != entry.key.span.file
                    || (entry.key.span.start <= span.start && span.end <= entry.node.span.end)
            })
        };
        let wrong: Vec<Problem> = extended.unread.extract_if(.., inside).collect();
        wrong.into_iter().for_each(|problem| session.report.problem(problem));
    }
    let Some(extends) = service.remove("extends") else { return Some(service) };
    let extends = extends.node;
    let Some(base_name) = extends.get("service").filter(|base| base.text().is_some()) else {
        session.report.problem(
            Problem::at(ProblemKind::InvalidValue, extends.span, "`extends` does not say which service.")
                .hint("add `service:` with its name"),
        );
        return Some(service);
    };
    let base_text = base_name.text().unwrap_or_default().to_owned();
    chain.push((path.to_owned(), name.to_owned()));
    let file = match extends.get("file").and_then(Node::text) {
        Some(file) => absolute(&context.folder, Path::new(file)),
        None => path.to_owned(),
    };
    let base = if stops(session, chain, &file, &base_text, base_name.span) {
        None
    } else if file == path {
        undefined(session, root, &base_text, base_name.span);
        build(session, root, path, &base_text, context, chain)
    } else {
        let from = extends.get("file").map_or(extends.span, |file| file.span);
        let other = other_file(session, &file, from, context);
        other.and_then(|other| {
            undefined(session, &other, &base_text, base_name.span);
            build(session, &other, &file, &base_text, context, chain)
        })
    };
    chain.pop();
    let Some(mut base) = base else { return Some(service) };
    let span = service.span;
    merge::merge_service(&mut base, service, &mut session.report);
    base.span = span;
    Some(base)
}

/// Whether to go no further: the chain is too long or runs in a circle.
fn stops(session: &mut Session<'_>, chain: &Chain, file: &Path, name: &str, span: Span) -> bool {
    let start = chain.iter().position(|(path, service)| path == file && service == name);
    if let Some(start) = start {
        let names = chain[start..].iter().map(|(_, service)| service.as_str()).chain([name]);
        let shown = names.collect::<Vec<_>>().join("` → `");
        let message = format!("`extends` runs in a circle: `{shown}`.");
        session
            .report
            .problem(Problem::at(ProblemKind::Cycle, span, message).hint("remove one of these `extends`"));
    } else if chain.len() > MAX_CHAIN {
        let message = format!("More than {MAX_CHAIN} services extend each other in a chain (`MAX_CHAIN`).");
        session.report.at(ProblemKind::Limit, span, message);
    }
    start.is_some() || chain.len() > MAX_CHAIN
}

fn undefined(session: &mut Session<'_>, root: &Tree, name: &str, span: Span) {
    if root.service(name).is_some() {
        return;
    }
    let services = root.services();
    let problem =
        Problem::at(ProblemKind::Undefined, span, format!("There is no service `{name}` to extend."));
    let near = nearest(name, services.iter().map(|entry| entry.key.value.as_str()));
    let hint =
        near.map_or_else(|| "check its name and file".to_owned(), |near| format!("did you mean `{near}`?"));
    session.report.problem(problem.hint(hint));
}

/// The file that is extended, prepared once; its relative paths start in its own folder.
fn other_file(session: &mut Session<'_>, file: &Path, from: Span, context: &Context) -> Option<Rc<Tree>> {
    if let Some(known) = session.extended.get(file) {
        return known.root.clone();
    }
    let folder = file.parent().unwrap_or(file).to_owned();
    let mut extended = Extended::default();
    let mut whole: Option<Node> = None;
    if let Some((id, documents)) = session.documents(file, Some(from)) {
        if documents.is_empty() {
            session.empty(id);
        }
        for document in documents {
            let before = session.report.problems.len();
            let root = session.prepare(document, id, &folder, &context.variables);
            let found = session.report.problems.split_off(before);
            let (wrong, unread): (Vec<Problem>, Vec<Problem>) =
                found.into_iter().partition(|problem| concerns_all(problem.kind));
            session.report.problems.extend(wrong);
            extended.unread.extend(unread);
            match &mut whole {
                Some(base) => merge::merge(base, root, &mut session.report),
                None => whole = Some(root),
            }
        }
    }
    extended.root = whole.map(|root| Rc::new(Tree::new(root)));
    let root = extended.root.clone();
    session.extended.insert(file.to_owned(), extended);
    root
}

/// Whether a problem stands in the way of every service of its file.
fn concerns_all(kind: ProblemKind) -> bool {
    !matches!(kind, ProblemKind::UnknownKey | ProblemKind::WrongType | ProblemKind::InvalidValue)
}
