//! Keys of one map that exclude each other, and what is mounted where.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use crate::load::report::Report;
use crate::load::session::is_true;
use crate::load::validate::{section, text};
use crate::{Entry, Node, Problem, ProblemKind, Span};

pub(super) fn check(root: &Node, disabled: &HashSet<&str>, report: &mut Report) {
    for Entry { key, node } in section(root, "services") {
        device_requests(node, report);
        addresses(node, report);
        if !disabled.contains(key.value.as_str()) {
            mounts(&key.value, node, report);
            build(root, key.value.as_str(), node, report);
        }
    }
    for volume in section(root, "volumes") {
        external(volume, report);
    }
}

fn conflict(place: Span, message: String, other: Span, label: &str, hint: &str, report: &mut Report) {
    let problem = Problem::at(ProblemKind::Conflict, place, message);
    report.problem(problem.related(other, label.to_owned()).hint(hint));
}

/// A volume that exists already has its settings.
fn external(volume: &Entry, report: &mut Report) {
    let Some(said) = volume.node.get("external").filter(|said| is_true(Some(said))) else { return };
    for Entry { key, .. } in volume.node.entries() {
        let name = key.value.as_str();
        if !matches!(name, "name" | "external") && !name.starts_with("x-") {
            let message =
                format!("`volumes.{}` is `external`, so it cannot have `{name}`.", volume.key.value);
            conflict(
                key.span,
                message,
                said.span,
                "said to exist already here",
                "remove one of the two",
                report,
            );
        }
    }
}

fn device_requests(service: &Node, report: &mut Report) {
    let reserved = service.at(&["deploy", "resources", "reservations", "devices"]);
    let requests = [reserved, service.get("gpus")].into_iter().flatten().flat_map(Node::items);
    for request in requests {
        if let (Some(count), Some(devices)) = (request.get("count"), request.get("device_ids")) {
            let message = "`count` and `device_ids` exclude each other.".to_owned();
            conflict(
                count.span,
                message,
                devices.span,
                "`device_ids` is here",
                "keep one of the two",
                report,
            );
        }
    }
}

fn addresses(service: &Node, report: &mut Report) {
    for port in service.get("ports").map(Node::items).unwrap_or_default() {
        let Some(address) = port.get("host_ip") else { continue };
        if address.text().is_some_and(|text| text.parse::<IpAddr>().is_err()) {
            let message = format!("`{}` is not an IP address.", address.text().unwrap_or_default());
            let problem = Problem::at(ProblemKind::InvalidValue, address.span, message);
            report.problem(problem.hint("write an address such as `127.0.0.1`, or remove `host_ip`"));
        }
    }
}

/// Two things mounted at one place.
fn mounts(service: &str, node: &Node, report: &mut Report) {
    let items = |key: &str| node.get(key).map(Node::items).unwrap_or_default();
    let memory = items("tmpfs").iter().filter_map(|item| {
        let target = item.text()?.split(':').next()?;
        Some((target.to_owned(), item.span))
    });
    let volumes = items("volumes").iter().filter_map(|item| Some((clean(text(item, "target")?), item.span)));
    let mut taken: HashMap<String, Span> = HashMap::new();
    for (target, place) in memory.chain(volumes) {
        if let Some(first) = taken.get(&target) {
            let message = format!("`{service}` mounts two things at `{target}`.");
            conflict(place, message, *first, "first mounted here", "remove one of the two", report);
        } else {
            taken.insert(target, place);
        }
    }
}

/// A path without `.`, `..` and needless `/`.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    format!("{}{}", if path.starts_with('/') { "/" } else { "" }, parts.join("/"))
}

fn build(root: &Node, service: &str, node: &Node, report: &mut Report) {
    let Some(build) = node.get("build") else { return };
    let said = |key: &str| build.get(key).filter(|node| node.text().is_some_and(|text| !text.is_empty()));
    if let (Some(file), Some(inline)) = (said("dockerfile"), said("dockerfile_inline")) {
        let message = "`dockerfile` and `dockerfile_inline` exclude each other.".to_owned();
        conflict(
            file.span,
            message,
            inline.span,
            "`dockerfile_inline` is here",
            "keep one of the two",
            report,
        );
    }
    for context in section(build, "additional_contexts") {
        if let Some(name) = context.node.text().and_then(|text| text.strip_prefix("service:")) {
            built_by_service(root, &context.node, name, report);
        }
    }
    let platforms = build.get("platforms").map(Node::items).unwrap_or_default();
    if let Some(platform) = node.get("platform").filter(|platform| platform.text() != Some(""))
        && !platforms.is_empty()
        && platforms.iter().all(|built| built.text() != platform.text())
    {
        let wanted = platform.text().unwrap_or_default();
        let message = format!("`{service}` runs on `{wanted}`, for which it is not built.");
        let (other, label) = (platforms[0].span, "built for these platforms");
        let hint = "add the platform to `build.platforms`, or remove `platform`";
        conflict(platform.span, message, other, label, hint, report);
    }
}

fn built_by_service(root: &Node, place: &Node, name: &str, report: &mut Report) {
    let service = root.at(&["services", name]);
    if service.is_some_and(|service| service.get("build").is_some()) {
        return;
    }
    let message = match service {
        Some(_) => format!("The service `{name}` is not built, so no build can start from it."),
        None => format!("There is no service `{name}`."),
    };
    let problem = Problem::at(ProblemKind::Undefined, place.span, message);
    report.problem(problem.hint("name a service that has `build:`"));
}
