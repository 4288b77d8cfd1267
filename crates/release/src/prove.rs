//! Hardening that is proven by running it: the fewest rights with which each service stays healthy.
//!
//! Every try runs in a project of its own, which nothing outside reaches and which is thrown away. What a search found
//! is a [`Proof`]; writing it down is somebody else's work.

mod clues;
mod exercise;
mod isolate;
mod prepare;
mod rights;
mod search;
mod symptom;
mod throwaway;
mod world;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use seaworthy_engine::seal::SealKey;
use seaworthy_engine::{Engine, EngineError, Probe};
use seaworthy_project::{Files, Problem, Project, ProjectName, ServiceName};
use serde::Serialize;

pub use isolate::Untried;
pub use rights::Rights;
pub use search::Proof;
pub use symptom::Symptom;

use crate::needs;
use crate::prove::isolate::Isolated;
use crate::prove::prepare::{Known, asked};
use crate::prove::search::{Attempt, Bench};
use crate::prove::throwaway::ThrowAway;
use crate::prove::world::{Health, World};
use crate::{Event, Interrupt, Progress, disk};

/// What is added to the name of a project for its tries.
pub const SUFFIX: &str = "-proof";
/// How long a service whose health can be asked for must stay healthy in a try that is not the last one.
const SHORT_STAY: Duration = Duration::from_secs(1);
/// A try may take at least so long, and so many times what it took without hardening.
const LEAST_DEADLINE: Duration = Duration::from_secs(20);
const TIMES_SLOWER: u32 = 5;
/// So many times longer may a try take that follows one of which nothing says why it failed.
const PATIENCE: u32 = 3;

/// What can go wrong while a proof is sought.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The isolated project does not load.
    #[error("the project could not be isolated for its tries")]
    Isolate {
        /// What is wrong in it.
        problems: Vec<Problem>,
    },
    /// There is no image to try.
    #[error("service `{service}` has no image that could be tried")]
    NoImage {
        /// The service.
        service: String,
    },
    /// What an earlier proof left on the disk cannot be removed.
    #[error("`{}` cannot be removed", path.display())]
    Leftover {
        /// Where.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: std::io::Error,
    },
    /// Somebody wished to stop.
    #[error("the proof was interrupted; nothing was written, and nothing of it runs any more")]
    Interrupted,
}

/// What came of one service.
#[derive(Debug, Clone, Serialize)]
pub struct Proven {
    /// The service.
    pub service: ServiceName,
    /// The image, as the file names it.
    pub image: String,
    /// The digest under which its registry knows it; `None` for one that was made on this machine.
    pub registry_digest: Option<String>,
    /// Whether the image stands in for the one whose name it has.
    pub stand_in: bool,
    /// How many times it was run.
    pub tries: u32,
    /// What its health was told by, in words.
    pub asked: String,
    /// Folders of this machine that were copied for it.
    pub copied: Vec<PathBuf>,
    /// What was found; `None` when it could not be tried.
    pub proof: Option<Proof>,
    /// Why it could not be tried.
    #[serde(skip)]
    pub untried: Option<Untried>,
}

/// Everything a proof needs.
pub struct Prover<'a> {
    /// The project, without what an earlier proof wrote.
    pub project: &'a Project,
    /// Where it is tried.
    pub engine: &'a dyn Engine,
    /// The name of the project in which it is tried.
    pub name: ProjectName,
    /// From which throw-away secrets are made.
    pub key: &'a SealKey,
    /// Through which config files are read.
    pub files: &'a dyn Files,
    /// A folder of its own, for copies of what services write to.
    pub folder: PathBuf,
    /// A wish to stop.
    pub interrupt: &'a Interrupt,
    /// Who is told of each try.
    pub progress: &'a dyn Progress,
    /// Commands that exercise services, over those of the file.
    pub exercises: BTreeMap<ServiceName, Vec<String>>,
    /// The services to prove; all when empty.
    pub only: Vec<ServiceName>,
}

impl Prover<'_> {
    /// Tries every service, those that others need first. What an earlier proof left is removed first, and all of this
    /// one at its end, however it ends.
    ///
    /// # Errors
    /// When the engine fails, or somebody wishes to stop; then nothing is left running.
    pub async fn prove(&self) -> Result<Vec<Proven>, ProveError> {
        self.sweep().await?;
        let proven = self.all().await;
        let swept = self.sweep().await;
        let proven = proven?;
        swept?;
        // What failed after somebody wished to stop says nothing of the service.
        if self.interrupt.is_raised() { Err(ProveError::Interrupted) } else { Ok(proven) }
    }

    /// Removes everything that a proof made, found by its labels.
    async fn sweep(&self) -> Result<(), ProveError> {
        self.engine.purge(&self.name, true).await?;
        self.engine.prune(&self.name, &[]).await?;
        disk::remove_folder(&self.folder)
            .map_err(|cause| ProveError::Leftover { path: self.folder.clone(), cause })
    }

    async fn all(&self) -> Result<Vec<Proven>, ProveError> {
        let throwaway = ThrowAway::of(self.project, self.files, self.key);
        let mut isolated = Isolated::of(self.project, &self.name, &throwaway, &self.folder.join("copies"));
        let order = needs::order(self.project);
        let involved = self.involved();
        let order: Vec<&ServiceName> = order.into_iter().filter(|name| involved.contains(name)).collect();
        self.copy(&mut isolated, &involved);
        let (mut known, mut healths) = (IndexMap::new(), IndexMap::new());
        for name in order.iter().filter(|name| !isolated.untried.contains_key(**name)) {
            let Some(service) = self.project.services.get(*name) else { continue };
            let image = self.look(service).await?;
            healths.insert((*name).clone(), self.health(&image.service, &throwaway));
            known.insert((*name).clone(), image);
        }
        let artifacts = known.iter().map(|(name, known)| (name.clone(), known.artifact.clone())).collect();
        let mut world = World {
            engine: self.engine,
            interrupt: self.interrupt,
            progress: self.progress,
            isolated: &isolated,
            original: self.project,
            release: world::release(self.project, artifacts, self.contents(&throwaway)),
            running: Vec::new(),
            proven: BTreeMap::new(),
            tries: 0,
        };
        let mut all = Vec::new();
        for name in order.iter().filter(|name| self.only.is_empty() || self.only.contains(**name)) {
            let copies = isolated.copies.iter().filter(|copy| &copy.service == *name);
            let mut proven = Proven {
                service: (*name).clone(),
                image: self
                    .project
                    .services
                    .get(*name)
                    .map(|one| self.project.image_name(one))
                    .unwrap_or_default(),
                registry_digest: None,
                stand_in: false,
                tries: 0,
                asked: String::new(),
                copied: copies.map(|copy| copy.from.clone()).collect(),
                proof: None,
                untried: isolated.untried.get(*name).cloned(),
            };
            if let (Some(known), Some(_)) = (known.get(*name), healths.get(*name)) {
                proven.registry_digest.clone_from(&known.origin.registry_digest);
                proven.stand_in = known.origin.stands_in;
                self.one(&mut world, known, &mut healths, &mut proven).await?;
            }
            if let Some(untried) = &proven.untried {
                self.progress.tell(Event::Note(format!("{name}  is not tried: {}", untried.reason)));
            }
            all.push(proven);
        }
        Ok(all)
    }

    /// The services to prove, and all that they need.
    fn involved(&self) -> Vec<ServiceName> {
        if self.only.is_empty() {
            return self.project.services.keys().cloned().collect();
        }
        self.with_needs(&self.only)
    }

    /// Services with all that they need, and what those need.
    fn with_needs(&self, services: &[ServiceName]) -> Vec<ServiceName> {
        let mut involved = services.to_vec();
        let mut next = 0;
        while let Some(service) = involved.get(next).and_then(|name| self.project.services.get(name)) {
            next += 1;
            for needed in needs::of(self.project, service) {
                if !involved.contains(&needed) {
                    involved.push(needed);
                }
            }
        }
        involved
    }

    /// Copies what services write to on this machine. What cannot be copied makes its service one that is not tried.
    fn copy(&self, isolated: &mut Isolated, involved: &[ServiceName]) {
        let mut done: Vec<PathBuf> = Vec::new();
        for copy in isolated.copies.clone() {
            if !involved.contains(&copy.service)
                || isolated.untried.contains_key(&copy.service)
                || done.contains(&copy.to)
            {
                continue;
            }
            let shown = copy.from.strip_prefix(&self.project.directory).unwrap_or(&copy.from).display();
            match disk::copy_tree(&copy.from, &copy.to) {
                Ok(()) => {
                    let note = format!("{}  is tried on a copy of `{shown}`", copy.service);
                    self.progress.tell(Event::Note(note));
                    done.push(copy.to);
                }
                Err(error) => {
                    let reason =
                        format!("it writes to `{shown}` of this machine, which is not copied: {error}");
                    isolated.untried.insert(copy.service, Untried { reason, span: None });
                }
            }
        }
    }

    /// One service: as it is first, then the search.
    async fn one(
        &self,
        world: &mut World<'_>,
        known: &Known,
        healths: &mut IndexMap<ServiceName, Health>,
        proven: &mut Proven,
    ) -> Result<(), ProveError> {
        let name = &proven.service;
        let Some(health) = healths.get(name).cloned() else { return Ok(()) };
        proven.asked = asked(&health);
        let untried = |reason: String| Some(Untried { reason, span: None });
        let needs = self.with_needs(std::slice::from_ref(name));
        let needs = needs::order(self.project).into_iter().filter(|one| *one != name && needs.contains(one));
        let needs: Vec<ServiceName> = needs.cloned().collect();
        if let Some(reason) = world.bring(&needs, healths).await? {
            proven.untried = untried(reason);
            return Ok(());
        }
        let before = world.tries;
        let revision = world.revision(name, &health, &Rights::default())?;
        let standing = match world.stand(&revision, &health).await? {
            Ok(standing) => standing,
            Err(Attempt { symptom, .. }) => {
                world.take_away(&revision).await?;
                let why = symptom.map_or_else(String::new, |symptom| symptom.to_string());
                proven.untried = untried(format!("it is not healthy even as it is: {why}"));
                return Ok(());
            }
        };
        self.progress.tell(Event::Note(format!("{name}  1  as it is: healthy ({})", proven.asked)));
        let clues = clues::of(self.engine, &standing, &known.service, &known.origin).await?;
        let stops = world.take_away(&revision).await?;
        let asks = !matches!(health.probe, Probe::Running);
        let deadline = (standing.took * TIMES_SLOWER).max(LEAST_DEADLINE).min(health.deadline);
        let thorough = Health { deadline, stops, ..health };
        let stay = if asks { SHORT_STAY.min(thorough.stay) } else { thorough.stay };
        let mut bench = Tries {
            quick: Health { stay, ..thorough.clone() },
            service: name.clone(),
            progress: self.progress,
            before,
            world,
            thorough: thorough.clone(),
        };
        let proof = search::search(&mut bench, &clues).await?;
        proven.tries = world.tries - before;
        world.proven.insert(name.clone(), proof.rights.clone());
        healths.insert(name.clone(), thorough);
        proven.proof = Some(proof);
        Ok(())
    }
}

/// The tries of one service.
struct Tries<'a, 'world> {
    world: &'a mut World<'world>,
    progress: &'a dyn Progress,
    service: ServiceName,
    quick: Health,
    thorough: Health,
    before: u32,
}

#[async_trait]
impl Bench for Tries<'_, '_> {
    async fn attempt(&mut self, rights: &Rights, what: &str, thorough: bool) -> Result<Attempt, ProveError> {
        let health = if thorough { &self.thorough } else { &self.quick };
        let mut attempt = self.world.attempt(&self.service, health, rights).await?;
        // A try of which nothing says that rights were missing gets another one, with more time.
        if attempt.unexplained {
            let patient = Health { deadline: health.deadline * PATIENCE, ..health.clone() };
            attempt = self.world.attempt(&self.service, &patient, rights).await?;
        }
        let came = attempt.symptom.as_ref().map_or_else(|| "healthy".to_owned(), ToString::to_string);
        let number = self.world.tries - self.before;
        self.progress.tell(Event::Note(format!("{}  {number}  {what}: {came}", self.service)));
        Ok(attempt)
    }
}
