//! The projects that are watched, and how they are reached. Whoever starts the agent wires the parts together.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use seaworthy_engine::Engine;
use seaworthy_project::ProjectName;
use seaworthy_release::{Clock, HEALER, Interrupt, Operator, Owner, Progress, Store, Traffic};

/// One project that is watched.
pub struct Ward {
    /// The project.
    pub project: ProjectName,
    /// Where its state and its lock are.
    pub folder: PathBuf,
    /// Where it runs.
    pub engine: Arc<dyn Engine>,
    /// How requests are moved.
    pub traffic: Arc<dyn Traffic>,
    /// What is remembered.
    pub store: Store,
    /// On whose behalf it is watched.
    pub user: String,
    /// What [`Wards::surroundings`] said when it was opened.
    pub surroundings: String,
}

/// The projects of a state folder.
pub trait Wards: Send + Sync {
    /// Their names.
    fn projects(&self) -> Vec<ProjectName>;

    /// What tells where a project runs, as the last command that changed it knew it; `None` when nobody wants it to be
    /// watched. A ward that was opened with other surroundings may look at another engine, and is opened anew.
    fn surroundings(&self, project: &ProjectName) -> Option<String>;

    /// A project's parts; `None` when nothing of it should run.
    ///
    /// # Errors
    /// Why it cannot be watched, as a sentence.
    fn open(&self, project: &ProjectName) -> Result<Option<Ward>, String>;
}

impl Ward {
    /// Who carries out plans for it.
    pub(crate) fn operator<'a>(
        &'a self,
        clock: &'a dyn Clock,
        progress: &'a dyn Progress,
        interrupt: Arc<Interrupt>,
    ) -> Operator<'a> {
        Operator {
            project: self.project.clone(),
            engine: self.engine.as_ref(),
            traffic: self.traffic.as_ref(),
            store: &self.store,
            clock,
            progress,
            interrupt,
            owner: self.owner(clock.now()),
        }
    }

    /// Who holds its lock while something is brought back.
    pub(crate) fn owner(&self, since: Timestamp) -> Owner {
        Owner { command: HEALER.to_owned(), process: std::process::id(), user: self.user.clone(), since }
    }
}
