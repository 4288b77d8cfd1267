//! A loaded, resolved set of Compose files.

use std::path::PathBuf;

use indexmap::IndexMap;

use crate::model::resource::{FileResource, Network, Volume};
use crate::model::settings::ProjectSettings;
use crate::{EnvironmentName, Node, ProjectName, Sensitive, Service, ServiceName, Sources};

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
    /// The variables it was loaded with: those of the shell and of environment files. Values may be secret.
    pub variables: IndexMap<String, Sensitive>,
}

impl Project {
    /// The services, in the order written.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.values()
    }

    /// The image of a service: `image`, else the name that a build is given, `<project>-<service>`.
    pub fn image_name(&self, service: &Service) -> String {
        match service.image.as_ref().filter(|image| !image.value.is_empty()) {
            Some(image) => image.value.clone(),
            None => format!("{}-{}", self.name, service.name.value),
        }
    }

    /// The project with another image for a service.
    pub fn with_image(mut self, name: &ServiceName, image: &str) -> Self {
        if let Some(service) = self.services.get_mut(name)
            && let Some(old) = &mut service.image
        {
            image.clone_into(&mut old.value);
            let node = Node::string(image, old.span);
            let whole = self.node.get_mut("services").and_then(|services| services.get_mut(name.as_str()));
            whole.into_iter().for_each(|whole| whole.set("image", node.clone()));
            service.node.set("image", node);
        }
        self
    }

    /// The project with these services only, and those they need. Names that are not there are returned as the error.
    ///
    /// # Errors
    /// The names that no service has.
    pub fn select(&self, names: &[String]) -> Result<Self, Vec<String>> {
        let unknown = |name: &&String| !self.services.keys().any(|service| service.as_str() == name.as_str());
        let missing: Vec<String> = names.iter().filter(unknown).cloned().collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        let mut wanted: Vec<String> = names.to_vec();
        let mut next = 0;
        while let Some(name) = wanted.get(next).cloned() {
            next += 1;
            let service = self.services.values().find(|service| service.name.value.as_str() == name);
            for dependency in service.into_iter().flat_map(|service| &service.depends_on) {
                let name = dependency.service.value.to_string();
                if !wanted.contains(&name) {
                    wanted.push(name);
                }
            }
        }
        let mut selected = self.clone();
        let rest = self.services.keys().filter(|name| !wanted.iter().any(|wanted| wanted == name.as_str()));
        selected.disabled.extend(rest.cloned());
        selected.services.retain(|name, _| wanted.iter().any(|wanted| wanted == name.as_str()));
        Ok(selected)
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
