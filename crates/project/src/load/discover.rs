//! Which files make the project: what was named, else what lies in the folder by Compose's own habit.

use std::path::{Path, PathBuf};

use crate::load::read::absolute;
use crate::load::report::Report;
use crate::load::variables::Variables;
use crate::{EnvironmentName, Files, Problem, ProblemKind, Request};

/// The names of a Compose file, in the order in which Compose prefers them.
pub const BASES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
/// The names of the file that Compose lays over it in development, in its order.
const OVERRIDES: [&str; 4] = [
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];
/// Names that mean the same environment; the first is the one we use.
const ALIASES: [[&str; 2]; 3] = [["production", "prod"], ["development", "dev"], ["staging", "stage"]];

/// The files of a project, absolute, the later over the earlier.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) files: Vec<PathBuf>,
    /// The last file was found by its name for this environment; nobody named it.
    pub(crate) overlay_guessed: bool,
}

/// The one name of an environment that may be called in two ways.
pub(crate) fn canonical(environment: &EnvironmentName) -> EnvironmentName {
    let first = names(environment.as_str())[0];
    EnvironmentName::new(first).unwrap_or_else(|_| environment.clone())
}

/// Whether it is the environment that `docker compose up` would load.
pub(crate) fn is_development(environment: &EnvironmentName) -> bool {
    names(environment.as_str())[0] == "development"
}

fn names(environment: &str) -> Vec<&str> {
    let aliases = ALIASES.iter().find(|aliases| aliases.contains(&environment));
    aliases.map_or_else(|| vec![environment], |aliases| aliases.to_vec())
}

/// The files; `None` when none was found or they are ambiguous, which is reported.
pub(crate) fn discover(
    request: &Request,
    settings: &Variables,
    files: &dyn Files,
    report: &mut Report,
) -> Option<Found> {
    let here = &request.working_directory;
    if !request.files.is_empty() {
        let files = request.files.iter().map(|file| absolute(here, file)).collect();
        return Some(Found { files, overlay_guessed: false });
    }
    if let Some(list) = settings.get("COMPOSE_FILE") {
        let separator = settings.setting("COMPOSE_PATH_SEPARATOR").map_or(":", |separator| &separator.value);
        if list.value.split(separator).any(str::is_empty) {
            let message = "`COMPOSE_FILE` has an empty entry.";
            let problem = Problem::nowhere(ProblemKind::NoFile, message);
            report.problem(problem.hint("unset it, or name files in it"));
            return None;
        }
        let named = list.value.split(separator);
        let files = named.map(|file| absolute(here, Path::new(file))).collect();
        return Some(Found { files, overlay_guessed: false });
    }
    let start =
        request.project_directory.as_ref().map_or_else(|| here.clone(), |folder| absolute(here, folder));
    let Some(base) = start.ancestors().find_map(|folder| base(folder, files, report)) else {
        let message = format!("There is no Compose file in `{}` or a folder above it.", start.display());
        let problem = Problem::nowhere(ProblemKind::NoFile, message);
        report.problem(problem.hint("create `compose.yaml`, or name the file with `-f`"));
        return None;
    };
    let overlay = if is_development(&request.environment) {
        development(&base, files, report)
    } else {
        overlay(&base, request.environment.as_str(), files, report)?
    };
    let overlay_guessed = overlay.is_some() && !is_development(&request.environment);
    Some(Found { files: [base].into_iter().chain(overlay).collect(), overlay_guessed })
}

fn base(folder: &Path, files: &dyn Files, report: &mut Report) -> Option<PathBuf> {
    first_of(folder, &BASES, files, report)
}

fn development(base: &Path, files: &dyn Files, report: &mut Report) -> Option<PathBuf> {
    first_of(base.parent()?, &OVERRIDES, files, report)
}

/// The first of several names, with a warning about the others.
fn first_of(folder: &Path, names: &[&str], files: &dyn Files, report: &mut Report) -> Option<PathBuf> {
    let there: Vec<&&str> = names.iter().filter(|name| files.is_file(&folder.join(name))).collect();
    if let [first, second, ..] = there.as_slice() {
        let message = format!("`{}` holds `{first}` and `{second}`; `{first}` is taken.", folder.display());
        let warning = Problem::nowhere(ProblemKind::Ambiguous, message);
        report.warn(warning.hint("remove one, or name the file with `-f`"));
    }
    there.first().map(|name| folder.join(name))
}

/// The overlay for an environment, which may be missing; `None` when there are several.
fn overlay(
    base: &Path,
    environment: &str,
    files: &dyn Files,
    report: &mut Report,
) -> Option<Option<PathBuf>> {
    let folder = base.parent()?;
    let mut there = Vec::new();
    for name in names(environment) {
        for stem in ["compose", "docker-compose"] {
            for extension in ["yaml", "yml"] {
                let path = folder.join(format!("{stem}.{name}.{extension}"));
                if files.is_file(&path) {
                    there.push(path);
                }
            }
        }
    }
    if let [first, second, ..] = there.as_slice() {
        let (base, first, second) = (file_name(base), file_name(first), file_name(second));
        let message = format!("`{first}` and `{second}` are both overlays for `{environment}`.");
        let hint = format!("choose with `-f {base} -f {first}` or `-f {base} -f {second}`");
        report.problem(Problem::nowhere(ProblemKind::Ambiguous, message).hint(hint));
        return None;
    }
    Some(there.pop())
}

/// The environment files of a folder that are there, the later over the earlier.
pub(crate) fn environment_files(
    folder: &Path,
    environment: &EnvironmentName,
    files: &dyn Files,
    report: &mut Report,
) -> Vec<PathBuf> {
    let mut found = vec![folder.join(".env")];
    if !is_development(environment) {
        let own = names(environment.as_str()).into_iter().map(|name| folder.join(format!(".env.{name}")));
        let own: Vec<PathBuf> = own.filter(|path| files.is_file(path)).collect();
        if let [first, second, ..] = own.as_slice() {
            let (first, second) = (file_name(first), file_name(second));
            let message = format!("`{first}` and `{second}` are both environment files for `{environment}`.");
            let hint = format!("choose with `--env-file .env --env-file {first}`, or remove one");
            report.problem(Problem::nowhere(ProblemKind::Ambiguous, message).hint(hint));
        }
        found.extend(own);
    }
    found.retain(|path| files.is_file(path));
    found
}

/// The last part of a path, for commands that the user types in its folder.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
