//! Short forms to long forms, so that every later phase knows one shape per key.

mod files;
mod forms;
pub(crate) mod mounts;
pub(crate) mod ports;
mod text;
mod units;
pub(crate) mod words;

use crate::load::report::Report;
use crate::load::schema::PROJECT;
use crate::{Node, Problem, ProblemKind, Tag, Value};

/// Rewrites one file's tree. What has the wrong type was reported by the schema and stays as it is.
pub(crate) fn canonicalize(root: &mut Node, report: &mut Report) {
    for section in ["services", "networks", "volumes", "secrets", "configs", "models"] {
        let Some(entries) = root.get_mut(section).and_then(Node::entries_mut) else { continue };
        for node in entries.iter_mut().map(|entry| &mut entry.node).filter(|node| !is_reset(node)) {
            match section {
                "services" => service(node, report),
                _ => resource(node, report),
            }
        }
    }
    units::respell_object(root, &PROJECT);
}

fn service(service: &mut Node, report: &mut Report) {
    let Some(entries) = service.entries_mut() else { return };
    for entry in entries.iter_mut().filter(|entry| !is_reset(&entry.node)) {
        service_key(&entry.key.value, &mut entry.node, report);
    }
}

fn service_key(key: &str, node: &mut Node, report: &mut Report) {
    match key {
        "build" => build(node),
        "command" | "entrypoint" => words::split_in_place(node, report),
        "healthcheck" => {
            node.get_mut("test").into_iter().for_each(forms::health_test);
        }
        "environment" => forms::list_to_map(node, &['=']),
        "labels" | "annotations" | "sysctls" | "storage_opt" => forms::list_to_texts(node),
        "env_file" => files::env_files(node),
        "dns" => {
            forms::one_to_list(node);
            if let Value::Sequence(servers) = &mut node.value {
                servers.retain(|server| server.text() != Some(""));
            }
        }
        "dns_search" | "tmpfs" | "label_file" | "dns_opt" => forms::one_to_list(node),
        "expose" | "group_add" => node.children_mut().for_each(text::normalize),
        "extra_hosts" => forms::extra_hosts(node),
        "ports" => {
            node.children_mut().filter(|port| !is_reset(port)).for_each(text::normalize);
            ports::canonicalize(node, report);
        }
        "volumes" => {
            mounts::canonicalize(node, report);
            let named = node.children_mut().filter_map(|mount| mount.get_mut("volume"));
            named.filter_map(|named| named.get_mut("labels")).for_each(forms::list_to_texts);
        }
        "secrets" | "configs" => files::grants(node),
        "devices" => files::devices(node),
        "depends_on" => forms::depends_on(node),
        "networks" | "models" => {
            forms::list_to_nulls(node);
            let options = node.children_mut().filter_map(|network| network.get_mut("driver_opts"));
            options.for_each(forms::texts);
        }
        "gpus" => {
            forms::gpus(node);
            node.children_mut().for_each(device_request);
        }
        "deploy" => {
            node.get_mut("labels").into_iter().for_each(forms::list_to_texts);
            forms::device_counts(node);
            let reservations = node.get_mut("resources").and_then(|at| at.get_mut("reservations"));
            let devices = reservations.and_then(|reservations| reservations.get_mut("devices"));
            devices.into_iter().flat_map(Node::children_mut).for_each(device_request);
        }
        "logging" => {
            node.get_mut("options").into_iter().for_each(forms::list_to_texts);
        }
        "provider" => {
            let options = node.get_mut("options");
            options.into_iter().flat_map(Node::children_mut).for_each(forms::one_to_list);
        }
        "pull_policy" if node.text() == Some("if_not_present") => {
            node.value = Node::string("missing", node.span).value;
        }
        "post_start" | "pre_stop" => node.children_mut().for_each(|own| hook(own, report)),
        "develop" => {
            for watch in node.get_mut("watch").into_iter().flat_map(Node::children_mut) {
                watch.get_mut("exec").into_iter().for_each(|own| hook(own, report));
                for key in ["ignore", "include"] {
                    watch.get_mut(key).into_iter().for_each(forms::one_to_list);
                }
            }
        }
        "extends" => forms::extends(node),
        _ => {}
    }
}

fn device_request(device: &mut Node) {
    let (span, chosen) = (device.span, device.get("device_ids").is_some());
    device.get_mut("options").into_iter().for_each(forms::list_to_texts);
    // Who says neither how many nor which gets all of them.
    let all = || Node::plain("-1", span);
    match device.get_mut("count") {
        Some(count) if count.text() == Some("all") => count.value = all().value,
        None if !chosen => device.set("count", all()),
        _ => {}
    }
}

fn hook(hook: &mut Node, report: &mut Report) {
    hook.get_mut("command").into_iter().for_each(|command| words::split_in_place(command, report));
    hook.get_mut("environment").into_iter().for_each(|variables| forms::list_to_map(variables, &['=']));
}

fn build(build: &mut Node) {
    if let Value::Scalar(_) = build.value {
        let context = Node { tag: None, ..build.clone() };
        build.value = Value::Mapping(vec![forms::entry("context", context)]);
    }
    let Some(entries) = build.entries_mut() else { return };
    for entry in entries.iter_mut().filter(|entry| !is_reset(&entry.node)) {
        let node = &mut entry.node;
        match entry.key.value.as_str() {
            "args" => forms::list_to_map(node, &['=']),
            "additional_contexts" | "labels" => forms::list_to_texts(node),
            "cache_from" | "cache_to" | "tags" | "platforms" | "ssh" => forms::one_to_list(node),
            "extra_hosts" => forms::extra_hosts(node),
            "secrets" => files::grants(node),
            _ => {}
        }
    }
}

fn resource(resource: &mut Node, report: &mut Report) {
    if resource.is_null() {
        resource.value = Value::Mapping(Vec::new());
    }
    let Some(entries) = resource.entries_mut() else { return };
    for entry in entries.iter_mut().filter(|entry| !is_reset(&entry.node)) {
        match entry.key.value.as_str() {
            "labels" => forms::list_to_texts(&mut entry.node),
            "driver_opts" => forms::texts(&mut entry.node),
            _ => {}
        }
    }
    external(resource, report);
}

/// The old `external: {name: x}`, which must not name another one than `name`.
fn external(resource: &mut Node, report: &mut Report) {
    let Some(external) = resource.get("external").filter(|at| matches!(at.value, Value::Mapping(_))) else {
        return;
    };
    let (old, new) = (external.get("name"), resource.get("name"));
    if let (Some(old), Some(new)) = (old, new)
        && old.text() != new.text()
    {
        let message = "`name` and `external.name` say different names.";
        let problem = Problem::at(ProblemKind::Conflict, old.span, message);
        report.problem(
            problem.related(new.span, "`name` is here").hint("keep `name`, and write `external: true`"),
        );
    }
    forms::external(resource);
    if let Some(external) = resource.get_mut("external").filter(|external| external.text().is_none()) {
        external.value = Node::plain("true", external.span).value;
    }
}

/// Whether the node only says that what the files before said is to be dropped.
pub(crate) fn is_reset(node: &Node) -> bool {
    node.tag == Some(Tag::Reset)
}
