//! `include`: other Compose projects as parts of this one (Compose Specification, "Include").

use std::path::{Path, PathBuf};

use crate::load::read::absolute;
use crate::load::session::{Context, Session};
use crate::load::typed::CAPTURED_VALUE;
use crate::load::{merge, resolve};
use crate::{Node, Problem, ProblemKind, Span, Value};

/// Replaces `include` by what it names. `trail` are the files on the way here, to notice a circle.
pub(crate) fn include(
    session: &mut Session<'_>,
    root: &mut Node,
    context: &Context,
    trail: &mut Vec<PathBuf>,
) {
    let Some(include) = root.remove("include") else { return };
    for item in include.node.items() {
        if let Some(part) = part(session, item, context, trail) {
            join(session, root, part);
        }
    }
}

fn part(session: &mut Session<'_>, item: &Node, context: &Context, trail: &mut Vec<PathBuf>) -> Option<Node> {
    let paths = named(item.get("path").unwrap_or(item));
    if let Some((_, span)) = paths.iter().find(|(path, _)| is_remote(path)) {
        let message = "Files from another machine cannot be included yet.";
        session.report.problem(
            Problem::at(ProblemKind::Unsupported, *span, message)
                .hint("copy the file here and include the copy"),
        );
        return None;
    }
    let paths: Vec<(PathBuf, Span)> =
        paths.into_iter().map(|(path, span)| (absolute(&context.folder, Path::new(&path)), span)).collect();
    let Some((first, _)) = paths.first() else {
        session.report.problem(
            Problem::at(ProblemKind::InvalidValue, item.span, "This `include` does not say which file.")
                .hint("add `path:`"),
        );
        return None;
    };
    let folder = match item.get("project_directory").and_then(Node::text) {
        Some(folder) => absolute(&context.folder, Path::new(folder)),
        None => first.parent().unwrap_or(first).to_owned(),
    };
    let inner = surroundings(session, item, context, folder);
    let mut part: Option<Node> = None;
    for (path, span) in paths {
        if let Some(start) = trail.iter().position(|file| *file == path) {
            session.report.problem(circle(session, &trail[start..], &path, span));
            continue;
        }
        let Some(documents) = session.documents(&path, Some(span)) else { continue };
        let layer = session.layer(&path, documents, &inner, trail);
        match &mut part {
            Some(base) => merge::merge(base, layer, &mut session.report),
            None => part = Some(layer),
        }
    }
    if let Some(part) = &mut part {
        merge::settle(part);
        resolve::build_contexts(part);
        resolve::paths(part, &inner.folder, session.home.as_deref());
        capture(part, &inner);
    }
    part
}

/// Secrets and configs from variables get their values from the included project's own, which nobody else knows.
fn capture(part: &mut Node, context: &Context) {
    for key in ["secrets", "configs"] {
        for resource in part.get_mut(key).into_iter().flat_map(Node::children_mut) {
            let name = resource.get("environment").and_then(Node::text);
            let variable = name.and_then(|name| context.variables.get(name));
            if let Some(variable) = variable {
                let place = variable.span.unwrap_or(resource.span);
                resource.set(CAPTURED_VALUE, Node::string(variable.value.clone(), place));
            }
        }
    }
}

/// Whether two trees say the same, wherever they were written.
fn same(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Value::Sequence(a), Value::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Mapping(a), Value::Mapping(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|entry| other.get(&entry.key.value).is_some_and(|node| same(&entry.node, node)))
        }
        (a, b) => a == b,
    }
}

/// The included project's own folder and variables; those of the including one win.
fn surroundings(session: &mut Session<'_>, item: &Node, context: &Context, folder: PathBuf) -> Context {
    let mut files: Vec<(PathBuf, Option<Span>)> = Vec::new();
    match item.get("env_file") {
        Some(list) => files.extend(
            named(list)
                .into_iter()
                .map(|(path, span)| (absolute(&context.folder, Path::new(&path)), Some(span))),
        ),
        None if folder != context.folder && session.reader.files.is_file(&folder.join(".env")) => {
            files.push((folder.join(".env"), None));
        }
        None => {}
    }
    let mut variables = context.variables.clone();
    variables.fill(session.environment_files(&files, &context.variables));
    Context { folder, variables }
}

/// One text or a list of them, each with its place.
fn named(node: &Node) -> Vec<(String, Span)> {
    let items = if node.text().is_some() { std::slice::from_ref(node) } else { node.items() };
    items.iter().filter_map(|item| Some((item.text()?.to_owned(), item.span))).collect()
}

fn is_remote(path: &str) -> bool {
    path.contains("://") || path.starts_with("git@") || path.starts_with("github.com/")
}

fn circle(session: &Session<'_>, trail: &[PathBuf], path: &Path, span: Span) -> Problem {
    let shown = |path: &Path| path.strip_prefix(&session.reader.base).unwrap_or(path).display().to_string();
    let names: Vec<String> = trail.iter().map(|file| shown(file)).chain([shown(path)]).collect();
    Problem::at(ProblemKind::Cycle, span, format!("`include` runs in a circle: `{}`.", names.join("` → `")))
        .hint("remove one of these `include`s")
}

/// Adds the resources of an included project; one that both define is a conflict, unless it is the very same.
fn join(session: &mut Session<'_>, root: &mut Node, part: Node) {
    let Value::Mapping(sections) = part.value else { return };
    for section in sections {
        let key = section.key.value.as_str();
        if !matches!(key, "services" | "networks" | "volumes" | "secrets" | "configs" | "models") {
            continue;
        }
        let Some(own) = root.get_mut(key).filter(|own| !own.is_null()) else {
            root.set(key, section.node);
            continue;
        };
        let Value::Mapping(entries) = section.node.value else { continue };
        for entry in entries {
            match own.entry(&entry.key.value) {
                None => own.entries_mut().into_iter().for_each(|entries| entries.push(entry.clone())),
                Some(there) if same(&there.node, &entry.node) => {}
                Some(there) => {
                    let message =
                        format!("`{key}.{}` is defined here and in an included file.", entry.key.value);
                    session.report.problem(
                        Problem::at(ProblemKind::Conflict, there.key.span, message)
                            .related(entry.key.span, "included from here")
                            .hint("rename one, or change it in a file of its own given with `-f`"),
                    );
                }
            }
        }
    }
}
