//! What rules may ask: the project, and each service with what is known of its image.

use std::collections::HashSet;
use std::ops::Deref;

use seaworthy_catalog::{Image, Reference, lookup};
use seaworthy_project::model::dependency::Condition;
use seaworthy_project::model::service::Command;
use seaworthy_project::{Project, Service, ServiceName, Span};

use crate::build_file::{Build, BuildFile, build_files};
use crate::environment_file::{EnvironmentFile, environment_files};
use crate::layers::Layers;
use crate::{Edit, EditValue, Place};

/// One project, ready to be asked about.
#[derive(Debug)]
pub struct Context<'project> {
    /// The project.
    pub project: &'project Project,
    awaited: HashSet<&'project ServiceName>,
    built: HashSet<&'project str>,
    /// Every service, looked up once: each rule asks for all of them.
    subjects: Vec<Subject<'project>>,
    /// The Dockerfiles that services are built from.
    pub build_files: Vec<BuildFile<'project>>,
    pub(crate) environment_files: Vec<EnvironmentFile<'project>>,
    pub(crate) layers: Layers,
}

/// One service with what is known of its image; it can be used as a [`Service`].
#[derive(Debug, Clone, Copy)]
pub struct Subject<'project> {
    service: &'project Service,
    /// What is known of its image, unless it is built here.
    pub known: Option<&'static Image>,
    /// Whether it runs once and ends: the files say so, or it looks so.
    pub is_job: bool,
    /// Whether its image is built by a service of the project, this one or another.
    pub is_built_here: bool,
}

impl Deref for Subject<'_> {
    type Target = Service;

    fn deref(&self) -> &Service {
        self.service
    }
}

impl<'project> Context<'project> {
    /// Looks at a project.
    pub fn new(project: &'project Project) -> Self {
        let awaited = project
            .services()
            .flat_map(|service| &service.depends_on)
            .filter(|dependency| dependency.condition == Condition::Completed)
            .map(|dependency| &dependency.service.value)
            .collect();
        let built = project.services().filter(|service| service.build.is_some());
        let built =
            built.filter_map(|service| service.image.as_ref().map(|image| image.value.as_str())).collect();
        let environment_files = environment_files(project);
        let mut context = Self {
            project,
            awaited,
            built,
            subjects: Vec::new(),
            build_files: Vec::new(),
            environment_files,
            layers: Layers::read(project),
        };
        context.subjects = project.services().map(|service| context.subject(service)).collect();
        context.build_files = build_files(project, |name| context.find(name));
        context
    }

    /// Every service, in the order written.
    pub fn subjects(&self) -> impl Iterator<Item = Subject<'project>> {
        self.subjects.iter().copied()
    }

    /// Every service that keeps running.
    pub fn running(&self) -> impl Iterator<Item = Subject<'project>> {
        self.subjects().filter(|subject| !subject.is_job)
    }

    /// The service of that name.
    pub fn find(&self, name: &ServiceName) -> Option<Subject<'project>> {
        self.subjects.get(self.project.services.get_index_of(name)?).copied()
    }

    /// How the image of a service is built, when its Dockerfile could be read.
    pub fn build_of(&self, name: &ServiceName) -> Option<(&BuildFile<'project>, &Build<'project>)> {
        let of = |file: &'_ BuildFile<'project>| {
            file.builds.iter().position(|build| build.subject.name.value == *name)
        };
        let (file, at) = self.build_files.iter().find_map(|file| Some((file, of(file)?)))?;
        Some((file, &file.builds[at]))
    }

    fn subject(&self, service: &'project Service) -> Subject<'project> {
        let image = service.image.as_ref().map(|image| image.value.as_str());
        let is_built_here = service.build.is_some() || image.is_some_and(|image| self.built.contains(image));
        Subject {
            service,
            known: image.filter(|_| !is_built_here).and_then(lookup),
            is_job: self.is_declared_job(service) || looks_like_job(service),
            is_built_here,
        }
    }

    /// Whether the files say that a service runs once and ends.
    pub fn is_declared_job(&self, service: &Service) -> bool {
        service.is_job() || self.awaited.contains(&service.name.value)
    }

    /// The text as it stands in the file, before any variable was filled in.
    pub fn raw(&self, span: &Span) -> Option<&'project str> {
        self.project.sources.get(span.file)?.text.get(span.start.byte..span.end.byte)
    }

    /// Whether that place lies in an environment file, where values belong.
    pub fn is_environment_file(&self, span: &Span) -> bool {
        self.project
            .sources
            .get(span.file)
            .is_some_and(|source| crate::redact::is_environment_file(&source.path))
    }
}

impl<'project> Subject<'project> {
    /// The service itself.
    pub fn service(&self) -> &'project Service {
        self.service
    }

    /// A key of this service.
    pub fn place(&self, keys: &[&str]) -> Place {
        Place { service: Some(self.name.value.clone()), path: self.path(keys) }
    }

    /// Keys from the top to a key of this service.
    pub fn path(&self, keys: &[&str]) -> Vec<String> {
        let mut path = vec!["services".to_owned(), self.name.value.to_string()];
        path.extend(keys.iter().map(|key| (*key).to_owned()));
        path
    }

    /// An edit of this service in the overlay.
    pub(crate) fn edit(&self, keys: &[&str], value: EditValue) -> Edit {
        Edit::new(self.path(keys), value)
    }

    /// Where the value of a key stands, else where the service's own name stands.
    pub fn span_of(&self, keys: &[&str]) -> Span {
        self.node.at(keys).map_or(self.name.span, |node| node.span)
    }

    /// Its image reference taken apart.
    pub fn reference(&self) -> Option<Reference<'project>> {
        self.service.image.as_ref().map(|image| Reference::parse(&image.value))
    }

    /// The value of a variable, when it has one.
    pub fn variable(&self, name: &str) -> Option<&'project str> {
        self.service.environment.get(name)?.value.as_ref().map(|value| value.reveal())
    }

    /// The words of its entry point and command.
    pub fn words(&self) -> impl Iterator<Item = &'project str> + use<'project> {
        let words = |command: Option<&'project Command>| match command {
            Some(Command::Words(words)) => words.as_slice(),
            _ => &[],
        };
        let entrypoint = words(self.service.entrypoint.as_ref().map(|command| &command.value));
        let command = words(self.service.command.as_ref().map(|command| &command.value));
        entrypoint.iter().chain(command).map(String::as_str)
    }

    /// Where its command stands.
    pub fn command_span(&self) -> Span {
        let command = self.service.command.as_ref().or(self.service.entrypoint.as_ref());
        command.map_or(self.name.span, |command| command.span)
    }

    /// Whether it is made here: from a build, or as a program of its own.
    pub fn is_own(&self) -> bool {
        self.is_built_here || (self.image.is_none() && self.settings.process.is_some())
    }

    /// Whether requests from outside reach it: by a route, or a port published beyond this machine.
    pub fn is_reachable(&self) -> bool {
        self.settings.route.is_some() || self.ports.iter().any(|port| is_open(&port.value))
    }
}

/// Names of services that run once, such as `migrate` or `db-init`.
const JOB_NAMES: [&str; 9] =
    ["migrate", "migration", "migrations", "migrator", "seed", "seeder", "init", "setup", "bootstrap"];

/// Whether a service looks as if it ran once: by its name, and because nothing about it wants to stay up.
fn looks_like_job(service: &Service) -> bool {
    let named = service.name.value.as_str().split(['-', '_', '.']).any(|part| JOB_NAMES.contains(&part));
    let stays = service.restart.as_ref().is_some_and(|restart| !matches!(restart.value.as_str(), "no"))
        || service.deploy.restart.is_some()
        || service.healthcheck.is_some()
        || service.settings.probe.ready.is_some()
        || !service.ports.is_empty();
    named && !stays
}

/// Whether a port is published beyond this machine.
pub(crate) fn is_open(port: &seaworthy_project::model::port::Port) -> bool {
    let local = |ip: &str| ip.starts_with("127.") || matches!(ip, "::1" | "[::1]" | "localhost");
    port.published.is_some() && !port.host_ip.as_deref().is_some_and(local)
}
