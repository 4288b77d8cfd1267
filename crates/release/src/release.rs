//! A numbered, immutable snapshot of what should run: project, values, pinned artifacts, contents of granted files.

use indexmap::IndexMap;
use jiff::Timestamp;
use seaworthy_engine::seal::SealKey;
use seaworthy_engine::{Artifact, GrantedFile, InstanceKind, ReleaseNumber, Revision, RevisionId};
use seaworthy_project::model::mount::{FileGrant, MountKind};
use seaworthy_project::model::settings::RunWhen;
use seaworthy_project::{Project, Sensitive, Service, ServiceName, Spanned};

use crate::needs::job_time;
use crate::target::WantedKind;
use crate::{
    Origin, Rolling, Settings, StopFirst, Target, Timers, Wanted, Way, needs, notes, parts, routes,
    service_notes,
};

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
        self.project.services().any(|service| job_time(&self.project, service) == Some(RunWhen::BeforeDeploy))
    }

    /// Whether a service of it runs once and ends.
    pub fn is_job(&self, service: &ServiceName) -> bool {
        self.project.services.get(service).is_some_and(|service| job_time(&self.project, service).is_some())
    }

    /// What should run of it, with an operator's settings on top.
    pub fn target(&self, settings: &Settings, key: &SealKey, way: Way) -> Target {
        let mut services: Vec<Wanted> = Vec::new();
        let order = needs::order(&self.project);
        for service in order.into_iter().filter_map(|name| self.project.services.get(name)) {
            // Whom it follows stands before it.
            let followed = needs::followed(&self.project, service).into_iter().filter_map(|name| {
                services.iter().find(|wanted| &wanted.service == name).map(|wanted| (name, &wanted.revision))
            });
            let wanted = self.wanted(service, followed.collect(), settings, key, way);
            services.push(wanted);
        }
        let mut notes = self.losses.clone();
        notes.extend(notes::of(&self.project));
        if self.migrates() {
            notes.push("jobs change data: a rollback of code does not undo what they did".to_owned());
        }
        Target {
            release: Some(self.number),
            services,
            notes,
            remove_orphans: false,
            service_notes: service_notes::of(&self.project),
        }
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
        let kind = match wanted.kind {
            WantedKind::Replica => InstanceKind::Replica,
            WantedKind::Job(_) => InstanceKind::Job,
        };
        self.assembled(service, wanted.revision.clone(), kind)
    }

    /// What an engine runs for a service, by that identity.
    pub(crate) fn assembled(
        &self,
        service: &Service,
        id: RevisionId,
        kind: InstanceKind,
    ) -> Option<Revision> {
        let volume = |source: &String| self.project.volumes.get(source).cloned();
        Some(Revision {
            project: self.project.name.clone(),
            directory: self.project.directory.clone(),
            release: self.number,
            id,
            service: service.clone(),
            kind,
            artifact: self.artifacts.get(&service.name.value)?.clone(),
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

    fn wanted(
        &self,
        service: &Service,
        followed: Vec<(&ServiceName, &RevisionId)>,
        settings: &Settings,
        key: &SealKey,
        way: Way,
    ) -> Wanted {
        let name = &service.name.value;
        let generation = settings.generations.get(name).copied().unwrap_or(0);
        let parts = parts::of(self, service, generation, &followed, key);
        let kind = job_time(&self.project, service).map_or(WantedKind::Replica, WantedKind::Job);
        let replicas = match kind {
            WantedKind::Replica if settings.stopped.contains(name) => 0,
            WantedKind::Replica => settings.counts.get(name).copied().unwrap_or_else(|| service.replicas()),
            WantedKind::Job(_) => 1,
        };
        Wanted {
            service: name.clone(),
            revision: parts::revision_id(&parts, key),
            parts,
            kind,
            replicas,
            needs: needs::of(&self.project, service),
            rolling: Rolling::of(service, replicas, way),
            stop_first: StopFirst::of(&self.project, service, way),
            routes: match kind {
                WantedKind::Replica => {
                    let wishes = routes::filled(routes::wishes(service), service, &self.files);
                    routes::patient(wishes, &self.project, service, replicas)
                }
                WantedKind::Job(_) => Vec::new(),
            },
            timers: Timers::of(&self.project, service, way),
        }
    }
}

fn number(said: &Option<String>) -> Option<u32> {
    said.as_ref().and_then(|said| said.parse().ok())
}
