//! What must hold whatever a user's files say: the bodies of the fuzz targets, which a test replays too.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::Value;

use crate::fixture::{MemoryFiles, request};
use crate::{
    Detail, EnvironmentName, Loaded, Node, Problem, ProblemKind, Project, Request, Say, Show, Sources, Span,
    load, load_resolved, show_json, show_yaml, variable_uses, write_json,
};

/// Stands between the parts of an input that is several files.
pub const SEPARATOR: &str = "\n=====\n";

/// Shown whole: what is redacted cannot be loaded again.
const WHOLE: Show = Show { redact: false, escape_dollars: true };

/// What a target does with its input; it panics when a property does not hold.
pub type Body = fn(&[u8]);

/// The functions by the names of their fuzz targets.
pub const TARGETS: [(&str, Body); 4] =
    [("parse", parse), ("interpolate", interpolate), ("dotenv", dotenv), ("merge", merge)];

/// One Compose file of any bytes.
pub fn parse(bytes: &[u8]) {
    let files = MemoryFiles::of_bytes([("compose.yaml", bytes.to_vec())]);
    check(&request(), &files);
}

/// A template, and after the separator the variables that fill it, `NAME=value` each on its line.
pub fn interpolate(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split(SEPARATOR);
    let template = quoted(parts.next().unwrap_or_default());
    let lines = parts.next().unwrap_or_default().lines();
    let variables: IndexMap<String, String> =
        lines.filter_map(|line| line.split_once('=')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
    let yaml = format!(
        "services:\n  web:\n    image: x\n    command: {template}\n    environment:\n      A: {template}\n    labels: [L, {template}]\n"
    );
    let files = MemoryFiles::of_bytes([("compose.yaml", yaml.into_bytes())]);
    check(&Request { variables, ..request() }, &files);
}

/// An environment file: as `.env`, as `env_file` in both formats, and as `label_file`.
pub fn dotenv(bytes: &[u8]) {
    let yaml = "services:\n  web:\n    image: \"x${A}\"\n    env_file: [own.env]\n    environment: [A, B]\n  raw:\n    image: x\n    env_file:\n      - {path: own.env, format: raw}\n      - {path: gone.env, required: false}\n    label_file: own.env\n";
    let named = [("compose.yaml", yaml.as_bytes().to_vec()), ("own.env", bytes.to_vec())];
    check(&request(), &MemoryFiles::of_bytes(named.clone()));
    let own = named.into_iter().chain([(".env", bytes.to_vec())]);
    check(&request(), &MemoryFiles::of_bytes(own));
}

/// Files laid over each other: the project's own, one over it, `part.yaml` for `include`, `base.yaml` for `extends`,
/// and a third layer.
pub fn merge(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let names = ["compose.yaml", "over.yaml", "part.yaml", "base.yaml", "third.yaml"];
    let files: BTreeMap<&str, Vec<u8>> =
        names.into_iter().zip(text.split(SEPARATOR).map(|part| part.as_bytes().to_vec())).collect();
    let layers =
        ["compose.yaml", "over.yaml", "third.yaml"].into_iter().filter(|name| files.contains_key(name));
    let request = Request { files: layers.map(Into::into).collect(), ..request() };
    check(&request, &MemoryFiles::of_bytes(files));
}

/// Text in quotes as YAML has them.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '"' | '\\' => format!("\\{c}"),
            c if c.is_control() || c > '\u{7e}' => format!("\\U{:08x}", c as u32),
            c => c.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

fn check(request: &Request, files: &MemoryFiles) {
    let loaded = load(request, files);
    check_places(&loaded);
    // As written: nothing filled in, nothing made absolute, nothing implied.
    let bare = Detail { interpolate: false, normalize: false, resolve_paths: false, ..Detail::default() };
    let written = load(&Request { detail: bare, ..request.clone() }, files);
    check_places(&written);
    if let Some(project) = &written.project {
        variable_uses(project);
        show_yaml(project, WHOLE);
    }
    match &loaded.project {
        Some(project) => {
            comes_back(project);
            is_shown_whole(project, request);
        }
        None => {
            // Development takes some of what production refuses.
            let environment = EnvironmentName::new("development").expect("a fixed, valid name");
            let tolerated = load(&Request { environment, ..request.clone() }, files);
            check_places(&tolerated);
            if let Some(project) = &tolerated.project {
                is_shown_whole(project, request);
            }
        }
    }
}

/// Written and read back it is the same.
fn comes_back(project: &Project) {
    let written = write_json(project);
    let again = load_resolved(&written.to_string(), &project.name, &project.environment, &project.directory);
    check_places(&again);
    assert!(again.problems.is_empty(), "{:#?}\n{written:#}", again.problems);
    let again = again.project.expect("no problem, so a project");
    assert_eq!(written, write_json(&again));
    assert_eq!(project.dependency_order().len(), project.services.len());
}

/// What is shown is a Compose file that says the same.
fn is_shown_whole(project: &Project, request: &Request) {
    let shown = show_json(project, WHOLE);
    // As Compose does, a `$` in a key is doubled too, though no key is ever filled in: it cannot come back. Nor can the
    // empty name that a line such as `=x` of an environment file gives. It leaves out what says nothing, even a
    // `target: ""` that must be there, and what secrets hold.
    let hidden = project
        .node
        .get("secrets")
        .is_some_and(|secrets| holds(secrets, &|node| node.get("content").is_some()));
    let empty = |node: &Node| match &node.value {
        crate::Value::Null => true,
        // A size below zero is shown as a text, which Compose does not read.
        crate::Value::Scalar(scalar) => {
            matches!(scalar.text.as_str(), "" | "0" | "false") || scalar.text.starts_with('-')
        }
        crate::Value::Sequence(items) => items.is_empty(),
        crate::Value::Mapping(_) => false,
    };
    // Where profiles leave out every service, production has nothing to run.
    if project.services.is_empty() || has_dollar_in_key(&shown) || hidden || holds(&project.node, &empty) {
        return;
    }
    let yaml = show_yaml(project, WHOLE);
    let files = MemoryFiles::of_bytes([("compose.yaml", yaml.clone().into_bytes())]);
    // Services that profiles left out are not shown; those that are, were chosen.
    let again = Request {
        files: vec!["compose.yaml".into()],
        profiles: vec!["*".to_owned()],
        environment: project.environment.clone(),
        ..request.clone()
    };
    let again = load(&again, &files);
    // `5` and `"5"` are two in a list until they are shown.
    if again.problems.iter().any(|problem| problem.kind == ProblemKind::DuplicateKey) {
        return;
    }
    assert!(again.problems.is_empty(), "{:#?}\n{yaml}", again.problems);
    let again = show_json(&again.project.expect("no problem, so a project"), WHOLE);
    assert_eq!(shown, again, "{yaml}");
}

fn holds(node: &Node, wanted: &dyn Fn(&Node) -> bool) -> bool {
    let mut children = node.items().iter().chain(node.entries().iter().map(|entry| &entry.node));
    wanted(node) || children.any(|child| holds(child, wanted))
}

fn has_dollar_in_key(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_dollar_in_key),
        Value::Object(map) => {
            map.iter().any(|(key, value)| key.is_empty() || key.contains('$') || has_dollar_in_key(value))
        }
        _ => false,
    }
}

/// Every problem stands inside a file that was read, and every value too.
fn check_places(loaded: &Loaded) {
    for problem in loaded.problems.iter().chain(&loaded.warnings) {
        assert!(problem.span.is_some() || may_be_nowhere(problem), "{problem:#?}");
        for span in problem.span.iter().chain(problem.related.iter().map(|(span, _)| span)) {
            is_inside(span, &loaded.sources);
        }
    }
    assert_eq!(loaded.project.is_none(), !loaded.problems.is_empty());
    if let Some(project) = &loaded.project {
        check_node(&project.node, &project.sources);
    }
}

/// What concerns no single place: which files there are, and what the project is called.
fn may_be_nowhere(problem: &Problem) -> bool {
    use ProblemKind::{Ambiguous, InvalidValue, Limit, NoFile, Unreadable};
    matches!(problem.kind, NoFile | Unreadable | Limit | Ambiguous | InvalidValue)
}

fn check_node(node: &Node, sources: &Sources) {
    is_inside(&node.span, sources);
    for say in &node.history {
        match say {
            Say::Written(span) | Say::Variable { place: Some(span), .. } => is_inside(span, sources),
            _ => {}
        }
    }
    node.items().iter().for_each(|item| check_node(item, sources));
    for entry in node.entries() {
        is_inside(&entry.key.span, sources);
        check_node(&entry.node, sources);
    }
}

fn is_inside(span: &Span, sources: &Sources) {
    let text = &sources.get(span.file).expect("the file was read").text;
    assert!(span.start <= span.end && text.get(span.start.byte..span.end.byte).is_some(), "{span:?}");
    assert!(span.start.line >= 1 && span.start.column >= 1, "{span:?}");
    // A break of YAML may be `\r` alone.
    let lines = text.split(['\n', '\r']).count() as u32;
    assert!(span.end.line <= lines, "{span:?} of {lines} lines");
}
