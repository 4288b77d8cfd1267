//! Short forms to long forms, so that every later phase knows one shape per key.

mod files;
pub(crate) mod forms;
pub(crate) mod mounts;
pub(crate) mod ports;
mod text;
mod units;
pub(crate) mod words;

use crate::load::report::Report;
use crate::load::schema::PROJECT;
use crate::{Node, Tag, Value};

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
        "build" => build(node, report),
        "command" | "entrypoint" => words::split_in_place(node, report),
        "healthcheck" => {
            node.get_mut("test").into_iter().for_each(forms::health_test);
        }
        "environment" => {
            forms::refuse_blanks(node, report);
            forms::list_to_map(node, &['=']);
        }
        "labels" | "annotations" | "sysctls" | "storage_opt" => forms::list_to_texts(node),
        "env_file" => files::env_files(node),
        "dns" => {
            forms::one_to_list(node);
            if let Value::Sequence(items) = &mut node.value {
                items.retain(|item| item.text() != Some(""));
            }
        }
        "dns_search" | "tmpfs" | "label_file" | "dns_opt" => forms::one_to_list(node),
        "expose" | "group_add" => node.children_mut().for_each(text::normalize),
        "extra_hosts" => forms::extra_hosts(node),
        "ports" => ports::canonicalize(node, report),
        "volumes" => {
            mounts::canonicalize(node, report);
        }
        "secrets" | "configs" => files::grants(node),
        "devices" => files::devices(node, report),
        "depends_on" => forms::depends_on(node),
        "networks" | "models" => {
            forms::list_to_nulls(node);
            let options = node.children_mut().filter_map(|network| network.get_mut("driver_opts"));
            options.for_each(forms::texts);
        }
        "gpus" => forms::gpus(node),
        "deploy" => {
            node.get_mut("labels").into_iter().for_each(forms::list_to_texts);
        }
        "logging" => {
            node.get_mut("options").into_iter().for_each(forms::list_to_texts);
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

fn hook(hook: &mut Node, report: &mut Report) {
    hook.get_mut("command").into_iter().for_each(|command| words::split_in_place(command, report));
    hook.get_mut("environment").into_iter().for_each(|variables| forms::list_to_map(variables, &['=']));
}

fn build(build: &mut Node, report: &mut Report) {
    if let Value::Scalar(_) = build.value {
        let context = Node { tag: None, ..build.clone() };
        build.value = Value::Mapping(vec![forms::entry("context", context)]);
    }
    let Some(entries) = build.entries_mut() else { return };
    for entry in entries.iter_mut().filter(|entry| !is_reset(&entry.node)) {
        let node = &mut entry.node;
        match entry.key.value.as_str() {
            "args" => forms::list_to_map(node, &['=']),
            "additional_contexts" => {
                forms::refuse_bare(node, report);
                forms::list_to_texts(node);
            }
            "labels" => forms::list_to_texts(node),
            "cache_from" | "cache_to" | "tags" | "platforms" => forms::one_to_list(node),
            "provenance" | "sbom" => text::normalize(node),
            "ssh" => files::keys(node, report),
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
    forms::external(resource, report);
}

/// Whether the node only says that what the files before said is to be dropped.
pub(crate) fn is_reset(node: &Node) -> bool {
    node.tag == Some(Tag::Reset)
}
