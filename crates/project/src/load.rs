//! Loading: the phases, in order.
//!
//! discover → read → parse → interpolate → include and extend → canonicalize → merge → validate → resolve → model

mod canonicalize;
mod dotenv;
mod interpolate;
mod lines;
mod parse;
mod read;
mod report;
mod resolve;
mod scalar;
mod template;
mod typed;
mod variables;

use std::path::PathBuf;

use indexmap::IndexMap;

use crate::{EnvironmentName, Files, Problem, Project, ProjectName, Sources};

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
    let mut report = report::Report::default();
    let directory = request.project_directory.clone().unwrap_or_else(|| request.working_directory.clone());
    let mut reader = read::Reader { files, sources: Sources::default(), base: directory.clone() };
    let path = request.files.first().cloned().unwrap_or_else(|| PathBuf::from("compose.yaml"));
    let root = match reader.read(&read::absolute(&request.working_directory, &path), None) {
        Ok(id) => {
            parse::parse(id, reader.text(id), &mut report).and_then(|documents| documents.into_iter().next())
        }
        Err(problem) => {
            report.problem(problem);
            None
        }
    };
    let mut project = None;
    if let (Some(mut root), Ok(name)) = (root, name(request)) {
        canonicalize::canonicalize(&mut root, &mut report);
        resolve::implied(&mut root, &name);
        resolve::paths(&mut root, &directory, None);
        let frame = typed::Frame {
            name,
            environment: request.environment.clone(),
            directory,
            disabled: Vec::new(),
            variables: request.variables.clone(),
        };
        project = Some(typed::project(root, frame, reader.sources.clone()));
    }
    report.finish();
    Loaded {
        project: project.filter(|_| report.problems.is_empty()),
        problems: report.problems,
        warnings: report.warnings,
        sources: reader.sources,
    }
}

fn name(request: &Request) -> Result<ProjectName, crate::NameError> {
    let base = request.project_name.as_ref().map_or("project", ProjectName::as_str);
    ProjectName::new(format!("{base}-{}", request.environment))
}

/// Loads what [`write_json`](crate::write_json) wrote: nothing is interpolated, merged or read from elsewhere.
/// `name`, `environment` and `directory` are those of the project that was written.
pub fn load_resolved(
    _text: &str,
    _name: &ProjectName,
    _environment: &EnvironmentName,
    _directory: &std::path::Path,
) -> Loaded {
    Loaded { project: None, problems: Vec::new(), warnings: Vec::new(), sources: Sources::default() }
}
