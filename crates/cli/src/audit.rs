//! Audits a project with all that people have decided about it: policy, waivers, baseline.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use seaworthy_audit::baseline::Baseline;
use seaworthy_audit::report::{Checked, Overlay, Unchecked};
use seaworthy_audit::{Given, POLICY_FILE, Severity, Threshold, Written, check, named_from, review};
use seaworthy_project::{FileError, Files, Loaded, Problem, ProblemKind, Project, Request};
use seaworthy_release::{Clock, SystemClock};

use crate::commands::harden::overlay_path;
use crate::context::Context;
use crate::error::{CommandError, with_causes};
use crate::surroundings::Disk;

/// The names of the settings of compose-lint.
const COMPOSE_LINT_FILES: [&str; 2] = [".compose-lint.yml", ".compose-lint.yaml"];
/// The largest policy or baseline that is read.
const LARGEST: u64 = 8 << 20;

/// The least severity that makes a check fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Critical,
    High,
    Medium,
    Low,
    Info,
    /// Never fail because of findings
    #[value(alias = "none")]
    Never,
}

impl From<FailOn> for Threshold {
    fn from(fail_on: FailOn) -> Self {
        Self::At(match fail_on {
            FailOn::Critical => Severity::Critical,
            FailOn::High => Severity::High,
            FailOn::Medium => Severity::Medium,
            FailOn::Low => Severity::Low,
            FailOn::Info => Severity::Info,
            FailOn::Never => return Self::Never,
        })
    }
}

/// What every project of one run is audited by.
pub(crate) struct Auditor {
    /// The folder from which reports name files.
    root: PathBuf,
    today: Date,
    policy: Option<PathBuf>,
    baseline: Option<Baseline>,
    fail_on: Option<Threshold>,
}

impl Auditor {
    /// Reads what all projects share. `policy` stands for the policy files of the projects.
    pub(crate) fn new(
        context: &Context,
        fail_on: Option<FailOn>,
        policy: Option<&Path>,
        baseline: Option<&Path>,
    ) -> Result<Self, CommandError> {
        let folder = &context.surroundings.folder;
        let baseline = baseline.map(|path| read_baseline(&folder.join(path), path)).transpose()?;
        if let Some(path) = policy {
            // That it cannot be read is one mistake, not one for each project.
            read(&folder.join(path)).map_err(|error| unreadable(path, &error))?;
        }
        Ok(Self {
            root: folder.clone(),
            today: day(SystemClock.now()),
            policy: policy.map(|path| folder.join(path)),
            baseline,
            fail_on: fail_on.map(Threshold::from),
        })
    }

    /// Audits a project that was loaded, for a command that acts upon what people decided about it: what cannot be read of
    /// that is an error.
    pub(crate) fn decided(&self, project: &Project, files: &[PathBuf]) -> Result<Checked, CommandError> {
        let checked = self.audit(project, "", files);
        checked.undecided().map_or(Ok(checked), |undecided| Err(undecided.into()))
    }

    /// Audits a project that was loaded. `name` tells it from others in one report, `files` are those that were named.
    pub(crate) fn audit(&self, project: &Project, name: &str, files: &[PathBuf]) -> Checked {
        let mut missed = Vec::new();
        let policy = self.beside(self.policy_path(&project.directory), &mut missed);
        let theirs = COMPOSE_LINT_FILES
            .iter()
            .map(|file| project.directory.join(file))
            .find(|path| Disk.is_file(path));
        let theirs = self.beside(theirs, &mut missed);
        let given = Given {
            policy: policy.as_ref().map(written),
            compose_lint: theirs.as_ref().map(written),
            baseline: self.baseline.as_ref(),
            today: self.today,
            name,
            root: &self.root,
        };
        let mut review = review(project, check(project), &given);
        review.problems.extend(missed);
        let overlay = overlay_path(files, &self.root, project).ok().map(|path| Overlay {
            text: read(&path).ok(),
            path: path.strip_prefix(&self.root).unwrap_or(&path).to_owned(),
        });
        let threshold = self.fail_on.or(review.policy.fail_on).unwrap_or_default();
        Checked { review, threshold, overlay }
    }

    /// A project that did not load.
    pub(crate) fn not_loaded(&self, loaded: Loaded, name: &str, request: &Request) -> Unchecked {
        let folder = request.project_directory.as_ref().unwrap_or(&request.working_directory);
        let sources = named_from(&loaded.sources, folder, &self.root);
        Unchecked { name: name.to_owned(), problems: loaded.problems, sources, partly: false }
    }

    /// The policy: the one that was named, else the nearest beside the project or above it, up to where we stand.
    fn policy_path(&self, directory: &Path) -> Option<PathBuf> {
        if self.policy.is_some() {
            return self.policy.clone();
        }
        let above = directory.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.root));
        std::iter::once(directory)
            .chain(above)
            .map(|folder| folder.join(POLICY_FILE))
            .find(|path| Disk.is_file(path))
    }

    /// A file that need not be there, with its path as reports name it.
    fn beside(&self, path: Option<PathBuf>, missed: &mut Vec<Problem>) -> Option<(PathBuf, String)> {
        let path = path?;
        let shown = path.strip_prefix(&self.root).unwrap_or(&path).to_owned();
        match read(&path) {
            Ok(text) => Some((shown, text)),
            Err(error) => {
                let message = format!("`{}` cannot be read: {error}.", shown.display());
                let problem = Problem::nowhere(ProblemKind::Unreadable, message);
                missed.push(problem.hint("give this user the right to read it"));
                None
            }
        }
    }
}

fn written((path, text): &(PathBuf, String)) -> Written<'_> {
    Written { path, text }
}

/// The day, as everybody in the world would agree on: in UTC.
fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

fn read(path: &Path) -> Result<String, FileError> {
    let bytes = Disk.read(path, LARGEST)?;
    String::from_utf8(bytes).map_err(|_| FileError::Other("it is not text".to_owned()))
}

fn unreadable(path: &Path, error: &FileError) -> CommandError {
    CommandError::new(format!("could not read `{}`: {error}", path.display()), Some("check the path"))
}

fn read_baseline(path: &Path, shown: &Path) -> Result<Baseline, CommandError> {
    let hint = "`seaworthy check --write-baseline FILE` writes one";
    let text = read(path).map_err(|error| {
        CommandError::new(format!("could not read `{}`: {error}", shown.display()), Some(hint))
    })?;
    Baseline::read(&text).map_err(|error| {
        CommandError::new(
            format!("could not read `{}`: {}", shown.display(), with_causes(&error)),
            Some(hint),
        )
    })
}

impl From<Unchecked> for CommandError {
    fn from(unchecked: Unchecked) -> Self {
        Self::problems(unchecked.problems, unchecked.sources)
    }
}
