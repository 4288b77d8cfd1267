//! A loaded, resolved set of Compose files.

use std::path::PathBuf;

use indexmap::IndexMap;

use crate::model::resource::{FileResource, Network, Volume};
use crate::model::settings::ProjectSettings;
use crate::{EnvironmentName, Node, ProjectName, Service, ServiceName, Sources};

/// A loaded, resolved set of Compose files. Immutable.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its name: `<name>` in development, `<name>-<environment>` in every other environment.
    pub name: ProjectName,
    /// The environment it was loaded for.
    pub environment: EnvironmentName,
    /// The project folder: relative paths in the files start here. Absolute.
    pub directory: PathBuf,
    /// Every file that took part, for showing places.
    pub sources: Sources,
    /// The whole resolved tree, in canonical long form, every key kept.
    pub node: Node,
    /// Services that are enabled by the chosen profiles, in the order written.
    pub services: IndexMap<ServiceName, Service>,
    /// Services left out by their profiles.
    pub disabled: Vec<ServiceName>,
    /// Top-level `networks`.
    pub networks: IndexMap<String, Network>,
    /// Top-level `volumes`.
    pub volumes: IndexMap<String, Volume>,
    /// Top-level `secrets`.
    pub secrets: IndexMap<String, FileResource>,
    /// Top-level `configs`.
    pub configs: IndexMap<String, FileResource>,
    /// Top-level `x-seaworthy`.
    pub settings: ProjectSettings,
}

impl Project {
    /// The services, in the order written.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.values()
    }

    /// Service names such that each comes after all it depends on; ties in the order written.
    /// A loaded project has no cycle; a dependency that is not enabled is left out.
    pub fn dependency_order(&self) -> Vec<&ServiceName> {
        let mut ordered: Vec<&ServiceName> = Vec::new();
        while ordered.len() < self.services.len() {
            let next = self.services.values().find(|service| {
                !ordered.contains(&&service.name.value)
                    && service.depends_on.iter().all(|dependency| {
                        ordered.contains(&&dependency.service.value)
                            || !self.services.contains_key(&dependency.service.value)
                    })
            });
            match next {
                Some(service) => ordered.push(&service.name.value),
                None => break,
            }
        }
        ordered
    }
}
