//! What only the merged tree shows: the last short forms, and what Compose adds to what is there.

use crate::load::canonicalize::{forms, mounts};
use crate::load::report::Report;
use crate::{Node, Problem, ProblemKind, Say, ScalarStyle, Spanned, Value};

/// Finishes every service of a merged, canonical tree.
pub(crate) fn finish(root: &mut Node, report: &mut Report) {
    for service in root.get_mut("services").into_iter().flat_map(Node::children_mut) {
        service_parts(service, report);
    }
}

fn service_parts(service: &mut Node, report: &mut Report) {
    service.get_mut("volumes").into_iter().for_each(mounts::clean_targets);
    for path in [&["extra_hosts"][..], &["build", "extra_hosts"]] {
        if let Some(hosts) = at_mut(service, path) {
            extra_hosts(hosts, report);
        }
    }
    for path in [&["gpus"][..], &["deploy", "resources", "reservations", "devices"]] {
        for device in at_mut(service, path).into_iter().flat_map(Node::children_mut) {
            device_request(device);
        }
    }
    if let Some(options) = at_mut(service, &["provider", "options"]) {
        options.children_mut().for_each(forms::one_to_list);
    }
    for key in ["provenance", "sbom"] {
        if let Some(Value::Scalar(flag)) = at_mut(service, &["build", key]).map(|flag| &mut flag.value) {
            flag.style = ScalarStyle::Quoted;
        }
    }
    if service.get("pull_policy").and_then(Node::text) == Some("if_not_present") {
        let policy = service.get("pull_policy").map_or(service.span, |policy| policy.span);
        service.set("pull_policy", Node::string("missing", policy));
    }
    let scale = service.get("scale").cloned();
    if let (Some(scale), Some(deploy)) = (scale, service.get_mut("deploy"))
        && deploy.get("replicas").is_none()
        && matches!(deploy.value, Value::Mapping(_))
    {
        deploy.set("replicas", scale);
    }
}

fn at_mut<'a>(node: &'a mut Node, path: &[&str]) -> Option<&'a mut Node> {
    path.iter().try_fold(node, |node, key| node.get_mut(key))
}

/// `host:ip`, `host=ip` and `host=ip,ip` to one `host=ip` each, without brackets, sorted.
fn extra_hosts(node: &mut Node, report: &mut Report) {
    let Value::Sequence(items) = &mut node.value else { return };
    let mut hosts = Vec::new();
    for item in std::mem::take(items) {
        let text = item.text().unwrap_or_default();
        let Some((host, addresses)) = text.split_once('=').or_else(|| text.split_once(':')) else {
            if report.templates_stay && text.contains('$') {
                hosts.push(item);
                continue;
            }
            let message = format!("`{text}` has no address for the host.");
            let problem = Problem::at(ProblemKind::InvalidValue, item.span, message);
            report.problem(problem.hint("write `host=10.0.0.1`, or `host=host-gateway` for this machine"));
            continue;
        };
        if host.is_empty() || host.contains([':', '=']) {
            let message = format!("`{host}` is no name of a host.");
            report.problem(
                Problem::at(ProblemKind::InvalidValue, item.span, message).hint("write `host=10.0.0.1`"),
            );
        }
        for address in addresses.split(',') {
            let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            let address = bare.filter(|bare| !bare.is_empty()).unwrap_or(address);
            let line = format!("{host}={address}");
            hosts.push(Node { history: item.history.clone(), ..Node::string(line, item.span) });
        }
    }
    hosts.sort_by(|a, b| a.text().cmp(&b.text()));
    node.value = Value::Sequence(hosts);
}

/// `count: all`, or no word about which devices, is -1; options are a map.
fn device_request(device: &mut Node) {
    let span = device.span;
    if let Some(options) = device.get_mut("options") {
        forms::list_to_texts(options);
    }
    let named = device.get("device_ids").is_some();
    match device.get_mut("count") {
        Some(count) if count.text().is_some_and(|text| text.eq_ignore_ascii_case("all")) => {
            count.value = Node::plain("-1", count.span).value;
        }
        None if !named => {
            if let Some(entries) = device.entries_mut() {
                let node = Node { history: vec![Say::Implied], ..Node::plain("-1", span) };
                entries.push(crate::Entry { key: Spanned::new("count".to_owned(), span), node });
            }
        }
        _ => {}
    }
}
