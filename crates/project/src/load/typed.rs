//! Reads the typed project off a resolved tree. What is malformed was reported before and is left out here.

mod access;
pub(crate) mod balancing;
mod deploy;
mod grants;
pub(crate) mod policy;
mod resources;
mod service;
pub(crate) mod settings;
pub(crate) mod site;
pub(crate) mod tls;
pub(crate) mod traces;

use std::collections::HashSet;
use std::path::PathBuf;

use indexmap::IndexMap;

pub(crate) use resources::CAPTURED_VALUE;

use crate::model::beside::Beside;
use crate::{EnvironmentName, Node, Project, ProjectName, Sensitive, Service, ServiceName, Sources};

/// What a project has beside its tree.
pub(crate) struct Frame {
    pub(crate) name: ProjectName,
    pub(crate) environment: EnvironmentName,
    pub(crate) directory: PathBuf,
    pub(crate) disabled: Vec<ServiceName>,
    pub(crate) variables: IndexMap<String, String>,
}

/// The project that a tree describes.
pub(crate) fn project(mut node: Node, frame: Frame, sources: Sources) -> Project {
    let disabled: HashSet<&ServiceName> = frame.disabled.iter().collect();
    // From here on nothing is added.
    node.shrink();
    let section = |key: &str| node.get(key).map(Node::entries).unwrap_or_default();
    let mut services: IndexMap<ServiceName, Service> = section("services")
        .iter()
        .filter_map(service::service)
        .filter(|service| !disabled.contains(&service.name.value))
        .map(|service| (service.name.value.clone(), service))
        .collect();
    services.shrink_to_fit();
    let file = |entry| resources::file(entry, &frame.variables);
    let networks = section("networks").iter().map(|entry| resources::network(entry, &frame.name)).collect();
    let volumes = section("volumes").iter().map(|entry| resources::volume(entry, &frame.name)).collect();
    let secrets = section("secrets").iter().filter_map(file).collect();
    let configs = section("configs").iter().filter_map(file).collect();
    let settings = settings::project(node.get("x-seaworthy"));
    for route in services.values_mut().filter_map(|service| service.settings.route.as_mut()) {
        tls::with_default(&mut route.value, settings.tls.as_ref());
        traces::with_default(&mut route.value, settings.traces.as_ref());
    }
    let Frame { name, environment, directory, disabled, variables } = frame;
    let variables = variables.into_iter().map(|(name, value)| (name, Sensitive::new(value))).collect();
    Project {
        name,
        environment,
        directory,
        sources,
        beside: Beside::default(),
        services,
        disabled,
        networks,
        volumes,
        secrets,
        configs,
        settings,
        variables,
        node,
    }
}
