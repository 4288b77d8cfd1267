//! The names that a project is made of.

use seaworthy_project::{Project, Service, ServiceName, Show, service_hash, show_json};
use serde_json::{Map, Value};

use super::ConfigArgs;
use crate::error::CommandError;

/// The names that a list flag asks for, sorted; nothing when no such flag is given.
pub(super) fn names(project: &Project, arguments: &ConfigArgs) -> Option<Vec<String>> {
    let mut names: Vec<String> = if arguments.services {
        project.services.keys().map(ToString::to_string).collect()
    } else if arguments.images {
        project
            .services()
            .filter(|service| runs_image(service))
            .map(|service| project.image_name(service))
            .collect()
    } else if arguments.volumes {
        used(project, "volumes")
    } else if arguments.networks {
        used(project, "networks")
    } else if arguments.models {
        let models = project.node.get("models").into_iter().flat_map(|models| models.entries());
        models.filter_map(|entry| entry.node.get("model")?.text().map(str::to_owned)).collect()
    } else if arguments.profiles {
        let services = project.node.get("services").into_iter().flat_map(|services| services.entries());
        let profiles = services
            .flat_map(|entry| entry.node.get("profiles").map(|node| node.items()).unwrap_or_default());
        profiles.filter_map(|profile| profile.text().map(str::to_owned)).collect()
    } else {
        return None;
    };
    names.sort();
    names.dedup();
    Some(names)
}

fn runs_image(service: &Service) -> bool {
    service.image.is_some() || service.build.is_some() || service.node.get("provider").is_some()
}

/// The resources of a section that some service uses.
fn used(project: &Project, section: &str) -> Vec<String> {
    let shown = show_json(project, Show { redact: true, escape_dollars: false });
    let resources = shown.get(section).and_then(Value::as_object);
    resources.into_iter().flat_map(Map::keys).cloned().collect()
}

/// `service hash`, a line each.
pub(super) fn hashes(project: &Project, services: &str) -> Result<String, CommandError> {
    let mut names: Vec<String> = match services {
        "*" => project.services.keys().map(ToString::to_string).collect(),
        list => list.split(',').map(|name| name.trim().to_owned()).collect(),
    };
    names.sort();
    let hash = |name: &String| {
        let known = ServiceName::new(name.clone()).ok().filter(|name| project.services.contains_key(name));
        let hash = known.and_then(|name| service_hash(project, &name));
        hash.map(|hash| format!("{name} {hash}\n"))
            .ok_or_else(|| unknown_services(std::slice::from_ref(name), project))
    };
    names.iter().map(hash).collect()
}

/// There are no such services.
pub(super) fn unknown_services(names: &[String], project: &Project) -> CommandError {
    let quoted = |names: &mut dyn Iterator<Item = String>| {
        names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    let known = quoted(&mut project.services.keys().map(ToString::to_string));
    let hint = match known.is_empty() {
        true => "no service is enabled; choose a profile with `--profile`".to_owned(),
        false => format!("services here: {known}"),
    };
    CommandError::new(format!("there is no service {}", quoted(&mut names.iter().cloned())), Some(&hint))
}
