//! A numbered, immutable snapshot of what should run: project, values, pinned artifacts, contents of granted files.

use indexmap::IndexMap;
use jiff::Timestamp;
use seaworthy_engine::seal::SealKey;
use seaworthy_engine::{Artifact, GrantedFile, InstanceKind, ReleaseNumber, Revision};
use seaworthy_project::model::mount::{FileGrant, MountKind};
use seaworthy_project::model::settings::RunWhen;
use seaworthy_project::{Project, Sensitive, Service, ServiceName, Spanned};

use crate::target::WantedKind;
use crate::{Origin, Settings, StopFirst, Target, Timers, Wanted, notes, parts, routes};

/// A numbered, immutable snapshot of what should run.
#[derive(Debug, Clone)]
pub struct Release {
    /// Its number.
    pub number: ReleaseNumber,
    /// When it was made.
    pub created_at: Timestamp,
    /// The version of this program that made it.
    pub tool: String,
    /// Where the project folder stood.
    pub origin: Origin,
    /// The resolved project, with the values it was given.
    pub project: Project,
    /// What each service runs, pinned.
    pub artifacts: IndexMap<ServiceName, Artifact>,
    /// Contents of the secrets and configs, by `secret NAME` and `config NAME`.
    pub files: IndexMap<String, Sensitive>,
    /// What it could not keep and what the engine cannot express, as sentences.
    pub losses: Vec<String>,
}

impl Release {
    /// Whether it runs jobs that a rollback of code does not undo.
    pub fn migrates(&self) -> bool {
        self.project.services().any(|service| job_time(service) == Some(RunWhen::BeforeDeploy))
    }

    /// What should run of it, with an operator's settings on top.
    pub fn target(&self, settings: &Settings, key: &SealKey) -> Target {
        let services = bring_up_order(&self.project)
            .into_iter()
            .filter_map(|name| self.project.services.get(name))
            .map(|service| self.wanted(service, settings, key))
            .collect();
        let mut notes = self.losses.clone();
        if self.migrates() {
            notes.push("jobs change data: a rollback of code does not undo what they did".to_owned());
        }
        Target { release: Some(self.number), services, notes, service_notes: notes::of(&self.project) }
    }

    /// What an engine runs, one revision per service.
    pub fn revisions(&self, target: &Target) -> IndexMap<ServiceName, Revision> {
        let revision = |wanted: &Wanted| {
            let service = self.project.services.get(&wanted.service)?;
            Some((wanted.service.clone(), self.revision(service, wanted)?))
        };
        target.services.iter().filter_map(revision).collect()
    }

    fn revision(&self, service: &Service, wanted: &Wanted) -> Option<Revision> {
        let volume = |source: &String| self.project.volumes.get(source).cloned();
        Some(Revision {
            project: self.project.name.clone(),
            directory: self.project.directory.clone(),
            release: self.number,
            id: wanted.revision.clone(),
            service: service.clone(),
            kind: match wanted.kind {
                WantedKind::Replica => InstanceKind::Replica,
                WantedKind::Job(_) => InstanceKind::Job,
            },
            artifact: self.artifacts.get(&wanted.service)?.clone(),
            files: self.granted(service),
            volumes: service
                .mounts
                .iter()
                .filter(|mount| mount.value.kind == MountKind::Volume)
                .filter_map(|mount| mount.value.source.as_ref().and_then(volume))
                .collect(),
            networks: service
                .networks
                .iter()
                .filter_map(|network| self.project.networks.get(&network.value).cloned())
                .collect(),
        })
    }

    fn granted(&self, service: &Service) -> Vec<GrantedFile> {
        let given = |what: &str, grants: &[Spanned<FileGrant>]| -> Vec<GrantedFile> {
            grants
                .iter()
                .filter_map(|grant| {
                    let contents = self.files.get(&format!("{what} {}", grant.value.source))?;
                    Some(GrantedFile {
                        target: grant.value.target.clone(),
                        mode: grant.value.mode,
                        uid: number(&grant.value.uid),
                        gid: number(&grant.value.gid),
                        contents: contents.clone(),
                    })
                })
                .collect()
        };
        let mut files = given("secret", &service.secrets);
        files.extend(given("config", &service.configs));
        files
    }

    fn wanted(&self, service: &Service, settings: &Settings, key: &SealKey) -> Wanted {
        let name = &service.name.value;
        let generation = settings.generations.get(name).copied().unwrap_or(0);
        let parts = parts::of(self, service, generation, key);
        let kind = job_time(service).map_or(WantedKind::Replica, WantedKind::Job);
        let replicas = match kind {
            WantedKind::Replica => settings.counts.get(name).copied().unwrap_or_else(|| service.replicas()),
            WantedKind::Job(_) => 1,
        };
        Wanted {
            service: name.clone(),
            revision: parts::revision_id(&parts, key),
            parts,
            kind,
            replicas,
            group: service
                .deploy
                .update
                .as_ref()
                .and_then(|update| update.parallelism)
                .filter(|size| *size > 0),
            stop_first: StopFirst::of(&self.project, service),
            routes: routes::wishes(service),
            timers: Timers::of(&self.project, service),
        }
    }
}

fn number(said: &Option<String>) -> Option<u32> {
    said.as_ref().and_then(|said| said.parse().ok())
}

/// When a job runs; `None` for what is meant to run on.
fn job_time(service: &Service) -> Option<RunWhen> {
    service.settings.run.as_ref().map(|run| run.value)
}

/// The order in which services are brought up: each after what it depends on, jobs that run before the deploy
/// before everything they do not depend on, routed services as early as they may (the first instance of one proves
/// the release), then as written.
fn bring_up_order(project: &Project) -> Vec<&ServiceName> {
    let order = project.dependency_order();
    let is_early_job =
        |name: &ServiceName| project.services.get(name).and_then(job_time) == Some(RunWhen::BeforeDeploy);
    let mut needed_by_jobs: Vec<&ServiceName> =
        order.iter().copied().filter(|name| is_early_job(name)).collect();
    let mut index = 0;
    while let Some(name) = needed_by_jobs.get(index) {
        let service = project.services.get(*name);
        for dependency in service.iter().flat_map(|service| &service.depends_on) {
            if let Some((name, _)) = project.services.get_key_value(&dependency.service.value)
                && !needed_by_jobs.contains(&name)
            {
                needed_by_jobs.push(name);
            }
        }
        index += 1;
    }
    let (first, rest): (Vec<_>, Vec<_>) = order.into_iter().partition(|name| needed_by_jobs.contains(name));
    first.into_iter().chain(routed_early(project, rest)).collect()
}

/// Pulls routed services, with what they depend on, before the others.
fn routed_early<'a>(project: &'a Project, order: Vec<&'a ServiceName>) -> Vec<&'a ServiceName> {
    let mut early: Vec<&ServiceName> = Vec::new();
    for name in order.iter().rev() {
        let Some(service) = project.services.get(*name) else { continue };
        let needed = early.iter().any(|other| {
            let depends = project.services.get(*other).map(|service| &service.depends_on);
            depends.is_some_and(|depends| depends.iter().any(|dependency| &dependency.service.value == *name))
        });
        if needed || !routes::wishes(service).is_empty() {
            early.push(name);
        }
    }
    let (early, late): (Vec<_>, Vec<_>) = order.into_iter().partition(|name| early.contains(name));
    early.into_iter().chain(late).collect()
}
