//! Makes what is implied explicit: absolute paths, the default network, names.

use std::path::Path;

use crate::load::canonicalize::{is_reset, mounts};
use crate::load::read::absolute;
use crate::load::validate::references::{Needed, needed_services};
use crate::{Entry, Node, ProjectName, Say, Span, Spanned, Value};

/// A build that does not say where is built in the folder of its own project.
pub(crate) fn build_contexts(root: &mut Node) {
    for service in section(root, "services") {
        let build = service.get_mut("build").filter(|build| matches!(build.value, Value::Mapping(_)));
        if let Some(build) = build.filter(|build| build.get("context").is_none()) {
            let span = build.span;
            build.set("context", implied_string(".", span));
        }
    }
}

/// Makes the relative paths of a canonical tree absolute, seen from `folder`; `~` is `home`. Doing it twice changes nothing.
pub(crate) fn paths(root: &mut Node, folder: &Path, home: Option<&str>) {
    let path = |node: &mut Node| rewrite(node, folder, home);
    let or_folder = |node: &mut Node| match &mut node.value {
        Value::Scalar(empty) if empty.text.is_empty() => empty.text = folder.display().to_string(),
        _ => path(node),
    };
    for service in section(root, "services") {
        service_paths(service, &path);
        let binds = service.get_mut("volumes").into_iter().flat_map(Node::children_mut);
        for bind in binds.filter(|mount| mount.get("type").and_then(Node::text) == Some("bind")) {
            bind.get_mut("source").filter(|source| source.text() == Some("")).into_iter().for_each(or_folder);
        }
    }
    if let Some(own) = root.get_mut("x-seaworthy") {
        gateway_paths(own, &path);
    }
    for section_name in ["secrets", "configs"] {
        for file in section(root, section_name) {
            file.get_mut("file").into_iter().for_each(or_folder);
        }
    }
    for volume in section(root, "volumes") {
        let local = volume.get("driver").and_then(Node::text) == Some("local");
        let Some(options) = volume.get_mut("driver_opts") else { continue };
        if local && options.get("o").and_then(Node::text) == Some("bind") {
            options.get_mut("device").into_iter().for_each(or_folder);
        }
    }
}

/// As [`paths`], for one service.
pub(crate) fn service_paths(service: &mut Node, path: &dyn Fn(&mut Node)) {
    if let Some(build) = service.get_mut("build") {
        build.get_mut("context").filter(|context| !is_remote(context)).into_iter().for_each(path);
        for context in build.get_mut("additional_contexts").into_iter().flat_map(Node::children_mut) {
            if !is_remote(context) {
                path(context);
            }
        }
    }
    for mount in service.get_mut("volumes").into_iter().flat_map(Node::children_mut) {
        if mount.get("type").and_then(Node::text) == Some("bind") {
            mount.get_mut("source").into_iter().for_each(path);
        }
    }
    for file in service.get_mut("env_file").into_iter().flat_map(Node::children_mut) {
        file.get_mut("path").into_iter().for_each(path);
    }
    service.get_mut("label_file").into_iter().flat_map(Node::children_mut).for_each(path);
    for watch in
        service.get_mut("develop").and_then(|at| at.get_mut("watch")).into_iter().flat_map(Node::children_mut)
    {
        watch.get_mut("path").into_iter().for_each(path);
    }
    if let Some(route) = service.get_mut("x-seaworthy").and_then(|own| own.get_mut("route")) {
        gateway_paths(route, path);
    }
    if let Some(file) = service.get_mut("extends").and_then(|extends| extends.get_mut("file")) {
        path(file);
    }
}

/// The files of `tls` and of `traces` under a node.
fn gateway_paths(node: &mut Node, path: &dyn Fn(&mut Node)) {
    for key in ["headers_file", "roots"] {
        node.get_mut("traces").and_then(|traces| traces.get_mut(key)).into_iter().for_each(path);
    }
    let Some(tls) = node.get_mut("tls") else { return };
    for (group, key) in [("files", "certificate"), ("files", "key"), ("acme", "roots"), ("clients", "ca")] {
        tls.get_mut(group).and_then(|group| group.get_mut(key)).into_iter().for_each(path);
    }
}

/// A path rewritten by the rules of [`paths`].
pub(crate) fn rewrite(node: &mut Node, folder: &Path, home: Option<&str>) {
    let Value::Scalar(scalar) = &mut node.value else { return };
    if scalar.text.is_empty() {
        return;
    }
    let text = match (scalar.text.strip_prefix('~'), home) {
        (Some(rest), Some(home)) => {
            absolute(Path::new(home), Path::new(rest.trim_start_matches('/'))).display().to_string()
        }
        _ => scalar.text.clone(),
    };
    if mounts::is_path(&text) && !text.starts_with(['.', '/', '~']) {
        return; // A path of Windows, which only the engine there understands.
    }
    // An absolute path stays as it was written, up to a final `/`.
    scalar.text =
        if text.starts_with('/') { text } else { absolute(folder, Path::new(&text)).display().to_string() };
}

fn is_remote(context: &Node) -> bool {
    let text = context.text().unwrap_or_default();
    text.contains("://") || ["service:", "git@", "github.com/"].iter().any(|start| text.starts_with(start))
}

fn section<'a>(root: &'a mut Node, key: &str) -> impl Iterator<Item = &'a mut Node> {
    root.get_mut(key).into_iter().flat_map(Node::children_mut).filter(|node| !is_reset(node))
}

/// Takes out keys under which nothing stands; for a command nothing has a meaning.
pub(crate) fn drop_nothing(root: &mut Node) {
    if let Some(entries) = root.entries_mut() {
        entries.retain(|entry| !entry.node.is_null() || entry.key.value.starts_with("x-"));
    }
    for service in section(root, "services") {
        if let Some(entries) = service.entries_mut() {
            entries.retain(|entry| {
                !entry.node.is_null() || matches!(entry.key.value.as_str(), "command" | "entrypoint")
            });
        }
    }
}

/// Writes the project's name.
pub(crate) fn name(root: &mut Node, name: &ProjectName) {
    let span = root.span;
    match root.get_mut("name") {
        Some(node) => node.value = Node::string(name.as_str(), node.span).value,
        None => {
            let node = implied_string(name.as_str(), span);
            let entry = Entry { key: Spanned::new("name".to_owned(), span), node };
            root.entries_mut().into_iter().for_each(|entries| entries.insert(0, entry.clone()));
        }
    }
}

/// Fills in what Compose implies: the names of resources, the default network, the Dockerfile.
pub(crate) fn implied(root: &mut Node, name: &ProjectName) {
    let mut default_needed = None;
    for service in section(root, "services") {
        service_defaults(service, &mut default_needed);
    }
    if let Some(span) = default_needed {
        default_network(root, span);
    }
    for network in section(root, "networks").filter(|network| network.get("ipam").is_none()) {
        network.set("ipam", implied_new(Value::Mapping(Vec::new()), network.span));
    }
    for key in ["networks", "volumes"] {
        name_resources(root, key, |key| format!("{name}_{key}"));
    }
    for key in ["secrets", "configs"] {
        name_resources(root, key, |key| format!("{name}_{key}"));
    }
}

fn service_defaults(service: &mut Node, default_needed: &mut Option<Span>) {
    let span = service.span;
    let joined = service.get("networks").is_some_and(|networks| !networks.entries().is_empty());
    if service.get("network_mode").is_none() && service.get("provider").is_none() && !joined {
        let default =
            Entry { key: Spanned::new("default".to_owned(), span), node: implied_new(Value::Null, span) };
        service.set("networks", implied_new(Value::Mapping(vec![default]), span));
    }
    if service.get("networks").is_some_and(|networks| networks.get("default").is_some()) {
        default_needed.get_or_insert(span);
    }
    implied_dependencies(service);
    for Entry { key, node } in service.get_mut("depends_on").and_then(Node::entries_mut).into_iter().flatten()
    {
        for (name, default) in [
            ("condition", implied_string("service_started", key.span)),
            ("required", implied_plain("true", key.span)),
        ] {
            if node.get(name).is_none() {
                node.set(name, default);
            }
        }
    }
    for key in ["command", "entrypoint"] {
        if service.get(key).is_none() {
            service.set(key, implied_new(Value::Null, span));
        }
    }
    for secret in service.get_mut("secrets").into_iter().flat_map(Node::children_mut) {
        secret_target(secret);
    }
    if let Some(deploy) = service.get_mut("deploy") {
        for key in ["resources", "placement"] {
            if deploy.get(key).is_none() {
                deploy.set(key, implied_new(Value::Mapping(Vec::new()), deploy.span));
            }
        }
    }
    let Some(build) = service.get_mut("build").filter(|build| !build.is_null()) else { return };
    let span = build.span;
    if build.get("dockerfile").is_none() && build.get("dockerfile_inline").is_none() {
        build.set("dockerfile", implied_string("Dockerfile", span));
    }
}

/// A secret lies under `/run/secrets` unless it says otherwise.
fn secret_target(secret: &mut Node) {
    let Some(source) = secret.get("source").filter(|_| secret.get("target").is_none()) else { return };
    let target = implied_string(format!("/run/secrets/{}", source.text().unwrap_or_default()), source.span);
    secret.set("target", target);
}

/// A service that is named elsewhere than in `depends_on` is waited for too.
fn implied_dependencies(service: &mut Node) {
    let span = service.span;
    for Needed { name, place, restart } in needed_services(service) {
        if service.get("depends_on").is_none() {
            service.set("depends_on", implied_new(Value::Mapping(Vec::new()), span));
        }
        let written = service.get_mut("depends_on").filter(|written| written.get(&name).is_none());
        if let Some(written) = written {
            let node = implied_plain(restart.to_string(), place);
            let restart = Entry { key: Spanned::new("restart".to_owned(), place), node };
            written.set(&name, implied_new(Value::Mapping(vec![restart]), place));
        }
    }
}

fn default_network(root: &mut Node, span: Span) {
    if root.get("networks").is_none() {
        root.set("networks", implied_new(Value::Mapping(Vec::new()), span));
    }
    let networks = root.get_mut("networks").filter(|networks| networks.get("default").is_none());
    if let Some(networks) = networks {
        networks.set("default", implied_new(Value::Mapping(Vec::new()), span));
    }
}

fn name_resources(root: &mut Node, section_name: &str, name: impl Fn(&str) -> String) {
    let Some(entries) = root.get_mut(section_name).and_then(Node::entries_mut) else { return };
    for Entry { key, node } in entries {
        if node.get("name").is_none() {
            let external = node.get("external").and_then(Node::text) == Some("true");
            let own = if external { key.value.clone() } else { name(&key.value) };
            node.set("name", implied_string(own, key.span));
        }
    }
}

fn implied_new(value: Value, span: Span) -> Node {
    Node { history: vec![Say::Implied], ..Node::new(value, span) }
}

fn implied_string(text: impl Into<String>, span: Span) -> Node {
    Node { history: vec![Say::Implied], ..Node::string(text, span) }
}

fn implied_plain(text: impl Into<String>, span: Span) -> Node {
    Node { history: vec![Say::Implied], ..Node::plain(text, span) }
}
