//! A loaded, resolved set of Compose files.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use indexmap::{IndexMap, IndexSet};

use crate::model::beside::Beside;
use crate::model::dependency::Dependency;
use crate::model::healthcheck::Healthcheck;
use crate::model::resource::{FileResource, Network, Volume};
use crate::model::settings::ProjectSettings;
use crate::{EnvironmentName, Node, ProjectName, Sensitive, Service, ServiceName, Sources, Spanned};

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
    /// Files beside it: Dockerfiles, files of variables.
    pub beside: Beside,
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

    /// The project with another health check for a service.
    pub fn with_healthcheck(mut self, name: &ServiceName, health: Healthcheck) -> Self {
        if let Some(service) = self.services.get_mut(name) {
            let span = service.healthcheck.as_ref().map_or(service.name.span, |said| said.span);
            let node = health.node(span);
            let whole = self.node.get_mut("services").and_then(|services| services.get_mut(name.as_str()));
            whole.into_iter().for_each(|whole| whole.set("healthcheck", node.clone()));
            service.node.set("healthcheck", node);
            service.healthcheck = Some(Spanned::new(health, span));
        }
        self
    }

    /// The project with these services only, and those they need. Names that are not there are returned as the error.
    ///
    /// # Errors
    /// The names that no service has.
    pub fn select(&self, names: &[String]) -> Result<Self, Vec<String>> {
        let by_name: HashMap<&str, &Service> =
            self.services.values().map(|service| (service.name.value.as_str(), service)).collect();
        let unknown = |name: &&String| !by_name.contains_key(name.as_str());
        let missing: Vec<String> = names.iter().filter(unknown).cloned().collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        let mut wanted: IndexSet<&str> = names.iter().map(String::as_str).collect();
        let mut next = 0;
        while let Some(name) = wanted.get_index(next) {
            let needed = by_name.get(name).into_iter().flat_map(|service| &service.depends_on);
            wanted.extend(needed.map(|dependency| dependency.service.value.as_str()));
            next += 1;
        }
        let mut selected = self.clone();
        let rest = self.services.keys().filter(|name| !wanted.contains(name.as_str()));
        selected.disabled.extend(rest.cloned());
        selected.services.retain(|name, _| wanted.contains(name.as_str()));
        Ok(selected)
    }

    /// Service names such that each comes after all it depends on; ties in the order written.
    /// A loaded project has no cycle; a dependency that is not enabled is left out.
    pub fn dependency_order(&self) -> Vec<&ServiceName> {
        let index = |dependency: &Dependency| self.services.get_index_of(&dependency.service.value);
        let mut waits: Vec<usize> = vec![0; self.services.len()];
        let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); self.services.len()];
        for (at, service) in self.services.values().enumerate() {
            for dependency in service.depends_on.iter().filter_map(index) {
                needed_by[dependency].push(at);
                waits[at] += 1;
            }
        }
        let mut ready: BTreeSet<usize> = (0..waits.len()).filter(|service| waits[*service] == 0).collect();
        let mut ordered: Vec<&ServiceName> = Vec::with_capacity(waits.len());
        while let Some(next) = ready.pop_first() {
            ordered.extend(self.services.get_index(next).map(|(_, service)| &service.name.value));
            for waiting in &needed_by[next] {
                waits[*waiting] -= 1;
                if waits[*waiting] == 0 {
                    ready.insert(*waiting);
                }
            }
        }
        ordered
    }
}
