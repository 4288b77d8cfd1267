//! Building images: by the `docker` program where it has BuildKit, else by the classic builder of the daemon.

mod buildkit;
mod classic;
mod context;
mod ignore;

use std::path::PathBuf;

use seaworthy_project::{Node, Project, Service};

use crate::EngineError;
use crate::docker::client::Client;
use crate::docker::options::DockerOptions;
use crate::docker::{images, keys};

/// What is built, as the file says.
struct Recipe<'a> {
    project: &'a Project,
    service: &'a Service,
    /// `build`, in canonical long form.
    node: &'a Node,
    /// The name that the image is given.
    image: String,
}

impl Recipe<'_> {
    fn failed(&self, reason: impl Into<String>) -> EngineError {
        EngineError::Build { service: self.service.name.value.to_string(), reason: reason.into() }
    }

    /// The folder of sources; `None` when they are fetched from elsewhere.
    fn folder(&self) -> Option<PathBuf> {
        let context = keys::text(self.node, "context").unwrap_or_else(|| ".".to_owned());
        (!self.is_remote()).then(|| self.project.directory.join(context))
    }

    fn is_remote(&self) -> bool {
        let context = keys::text(self.node, "context").unwrap_or_default();
        ["http://", "https://", "git://", "ssh://", "git@", "github.com/"]
            .iter()
            .any(|start| context.starts_with(start))
    }

    /// The Dockerfile; absolute when the context is a folder.
    fn dockerfile(&self) -> PathBuf {
        let name = keys::text(self.node, "dockerfile").unwrap_or_else(|| "Dockerfile".to_owned());
        self.folder().unwrap_or_default().join(name)
    }

    /// Arguments with their values; one without a value is given nothing.
    fn arguments(&self) -> Vec<(String, String)> {
        let entries = self.node.get("args").map(Node::entries).unwrap_or_default();
        let argument =
            |entry: &seaworthy_project::Entry| Some((entry.key.value.clone(), entry.node.text()?.to_owned()));
        entries.iter().filter_map(argument).collect()
    }
}

/// Builds the image of a service.
pub(super) async fn run(
    client: &Client,
    options: &DockerOptions,
    project: &Project,
    service: &Service,
    output: &mut (dyn for<'line> FnMut(&'line str) + Send),
) -> Result<(), EngineError> {
    let Some(node) = service.node.get("build") else { return Ok(()) };
    let recipe = Recipe { project, service, node, image: images::name(&project.name, service)? };
    if buildkit::is_there(options).await {
        return buildkit::run(options, &recipe, output).await;
    }
    classic::run(client, options, &recipe, output).await
}
