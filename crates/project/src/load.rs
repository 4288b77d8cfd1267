//! Loading: the phases, in order.
//!
//! discover → read → parse → interpolate → include and extend → canonicalize → merge → validate → resolve → model

mod assemble;
mod beside;
mod canonicalize;
mod discover;
mod dotenv;
mod extends;
mod finish;
mod include;
mod interpolate;
mod lines;
mod merge;
mod naming;
mod parse;
mod read;
mod report;
mod resolve;
mod resolved;
pub(crate) mod scalar;
mod schema;
mod service_environment;
mod session;
pub(crate) mod template;
mod tree;
pub(crate) mod typed;
mod validate;
mod variables;

use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::{EnvironmentName, Files, Problem, Project, ProjectName, Sources};

pub use discover::BASES as COMPOSE_FILE_NAMES;
pub use tree::read_tree;

/// What to load, as the user said it.
#[derive(Debug, Clone)]
pub struct Request {
    /// The folder the command was typed in, absolute.
    pub working_directory: PathBuf,
    /// `-f`, in order; empty means discover.
    pub files: Vec<PathBuf>,
    /// `-e`.
    pub environment: EnvironmentName,
    /// `--env-file`, in order; empty means `.env` and `.env.<environment>`.
    pub env_files: Vec<PathBuf>,
    /// `-p`.
    pub project_name: Option<ProjectName>,
    /// `--profile`.
    pub profiles: Vec<String>,
    /// `--project-directory`.
    pub project_directory: Option<PathBuf>,
    /// The variables of the shell.
    pub variables: IndexMap<String, String>,
    /// How far to go.
    pub detail: Detail,
}

impl Request {
    /// The environment by its full name: `prod` is `production`.
    pub fn canonical_environment(&self) -> EnvironmentName {
        discover::canonical(&self.environment)
    }
}

/// How far loading goes. All of it for running a project; less for looking at one's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detail {
    /// Whether variables are filled in. Without it a text that holds a `$` is taken for whatever its key wants.
    pub interpolate: bool,
    /// Whether what is implied is written out: the default network, names of resources, dependencies by `links`.
    pub normalize: bool,
    /// Whether relative paths become absolute.
    pub resolve_paths: bool,
    /// Whether `env_file` becomes part of `environment`.
    pub resolve_environment: bool,
    /// Whether it is checked that the parts agree: references, circles, conflicts.
    pub check_consistency: bool,
}

impl Default for Detail {
    fn default() -> Self {
        Self {
            interpolate: true,
            normalize: true,
            resolve_paths: true,
            resolve_environment: true,
            check_consistency: true,
        }
    }
}

/// What loading gave: a project when no problem stands in the way, and all problems.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The project, when there are no problems.
    pub project: Option<Project>,
    /// Everything that is wrong, in the order of the files.
    pub problems: Vec<Problem>,
    /// What is odd but not wrong (a variable that is not set and counts as empty, an obsolete `version`).
    pub warnings: Vec<Problem>,
    /// Every file that was read, for showing places even when there is no project.
    pub sources: Sources,
}

/// Loads a project.
pub fn load(request: &Request, files: &dyn Files) -> Loaded {
    assemble::assemble(request, files)
}

/// Tells the project's name without filling in its values: a release can be rolled back from a shell in which a
/// required variable is not set.
///
/// # Errors
/// What stands in the way of the name alone: no file, or one that is not YAML.
pub fn identify(request: &Request, files: &dyn Files) -> Result<ProjectName, Box<Loaded>> {
    assemble::identify(request, files)
}

/// Loads what [`write_json`](crate::write_json) wrote: nothing is interpolated, merged or read from elsewhere.
/// `name`, `environment` and `directory` are those of the project that was written. Two things are not as they were:
/// services that profiles left out are gone, and each condition of a dependency counts as written.
pub fn load_resolved(
    text: &str,
    name: &ProjectName,
    environment: &EnvironmentName,
    directory: &Path,
) -> Loaded {
    resolved::load(text, name, environment, directory)
}
