//! Puts what `env_file` names into `environment`, and gives variables without a value theirs.

use indexmap::IndexMap;

use crate::load::dotenv::{self, Surroundings};
use crate::load::session::{Session, is_true};
use crate::load::variables::{Variable, Variables};
use crate::{Entry, Node, Say, Span, Spanned, Value};

/// Resolves the environment of one service and the arguments of its build; `env_file` is gone afterwards, since
/// nothing of it is left to say.
pub(crate) fn resolve(session: &mut Session<'_>, service: &mut Node, variables: &Variables) {
    if let Some(own) = service.get_mut("environment") {
        give_values(own, variables);
    }
    if let Some(arguments) = service.get_mut("build").and_then(|build| build.get_mut("args")) {
        give_values(arguments, variables);
        arguments.entries_mut().into_iter().for_each(|entries| entries.retain(|entry| !entry.node.is_null()));
    }
    labels(session, service);
    if !session.detail.resolve_environment {
        return;
    }
    let Some(files) = service.remove("env_file") else { return };
    let own = service.get("environment").cloned();
    let own_entries = own.as_ref().map(Node::entries).unwrap_or_default();
    let mut over = variables.clone();
    over.fill(own_entries.iter().filter_map(|Entry { key, node }| {
        let variable = Variable { value: node.text()?.to_owned(), span: Some(node.span) };
        Some((key.value.clone(), variable))
    }));
    let mut all: IndexMap<String, Variable> = IndexMap::new();
    for file in files.node.items() {
        all.extend(read(session, file, &over, &all));
    }
    let span = own.as_ref().map_or(files.node.span, |own| own.span);
    service.set("environment", lay_over(all, own_entries, span));
}

/// Gives names without a value in lists of `environment` their value, if it is set where the file is read: an included
/// file has variables of its own.
pub(crate) fn name_values(root: &mut Node, variables: &Variables) {
    let services = root.get_mut("services").into_iter().flat_map(Node::children_mut);
    for list in services.filter_map(|service| service.get_mut("environment")) {
        let Value::Sequence(items) = &mut list.value else { continue };
        for item in items {
            let Some(variable) = item.text().and_then(|name| variables.get(name)) else { continue };
            let name = item.text().unwrap_or_default().to_owned();
            let text = format!("{name}={}", variable.value);
            let mut history = std::mem::take(&mut item.history);
            history.push(Say::Variable { name, place: variable.span });
            *item = Node { history, tag: item.tag, ..Node::string(text, item.span) };
        }
    }
}

/// Puts what `label_file` names under `labels`, which win; `label_file` is gone afterwards.
fn labels(session: &mut Session<'_>, service: &mut Node) {
    let Some(files) = service.remove("label_file") else { return };
    let mut all: IndexMap<String, Variable> = IndexMap::new();
    for file in files.node.items().iter().filter(|file| file.text().is_some()) {
        let path = session.locate(file.text().unwrap_or_default());
        match session.reader.read(&path, Some(file.span)) {
            Ok(id) => {
                let around = Surroundings { over: &Variables::default(), under: &all };
                let set = dotenv::parse(id, session.reader.text(id), around, &mut session.report);
                all.extend(set);
            }
            Err(problem) => session.report.problem(problem.hint("create the file, or correct the path")),
        }
    }
    let own = service.remove("labels").map(|entry| entry.node);
    let span = own.as_ref().map_or(files.node.span, |own| own.span);
    let own = own.as_ref().map(Node::entries).unwrap_or_default();
    service.set("labels", lay_over(all, own, span));
}

/// Values read from files, and what is written beside them over those.
fn lay_over(read: IndexMap<String, Variable>, own: &[Entry], span: Span) -> Node {
    let mut entries: IndexMap<String, Entry> =
        read.into_iter().map(|(name, variable)| (name.clone(), entry(name, variable, span))).collect();
    for Entry { key, node } in own {
        let mut node = node.clone();
        if let Some(loser) = entries.get(&key.value) {
            node.history.insert(0, Say::Written(loser.node.span));
        }
        entries.insert(key.value.clone(), Entry { key: key.clone(), node });
    }
    Node::new(Value::Mapping(entries.into_values().collect()), span)
}

/// Gives names without a value the value of the variable of that name, if it is set.
fn give_values(map: &mut Node, variables: &Variables) {
    for Entry { key, node } in map.entries_mut().into_iter().flatten().filter(|entry| entry.node.is_null()) {
        if let Some(variable) = variables.get(&key.value) {
            let mut history = std::mem::take(&mut node.history);
            history.push(Say::Variable { name: key.value.clone(), place: variable.span });
            *node = Node { history, ..Node::string(&variable.value, node.span) };
        }
    }
}

fn entry(name: String, variable: Variable, fallback: Span) -> Entry {
    let span = variable.span.unwrap_or(fallback);
    Entry { key: Spanned::new(name, span), node: Node::string(variable.value, span) }
}

fn read(
    session: &mut Session<'_>,
    file: &Node,
    variables: &Variables,
    under: &IndexMap<String, Variable>,
) -> IndexMap<String, Variable> {
    let Some(path) = file.get("path").filter(|path| path.text().is_some()) else { return IndexMap::new() };
    let text = path.text().unwrap_or_default();
    let required = file.get("required").is_none_or(|required| is_true(Some(required)));
    let located = session.locate(text);
    if !required && !session.reader.files.is_file(&located) {
        return IndexMap::new();
    }
    match session.reader.read(&located, Some(path.span)) {
        Ok(id) if file.get("format").and_then(Node::text) == Some("raw") => {
            dotenv::parse_raw(id, session.reader.text(id), variables, &mut session.report)
        }
        Ok(id) => {
            let around = Surroundings { over: variables, under };
            dotenv::parse(id, session.reader.text(id), around, &mut session.report)
        }
        Err(problem) => {
            let hint = "create the file, correct the path, or say `required: false` beside `path:`";
            session.report.problem(problem.hint(hint));
            IndexMap::new()
        }
    }
}
