//! Small projects for the tests of this crate and of others, loaded from memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::{Detail, EnvironmentName, FileError, Files, Loaded, Project, ProjectName, Request, load};

/// The folder in which the fixtures lie.
pub const FOLDER: &str = "/srv/fixture";

/// Files held in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles {
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl MemoryFiles {
    /// Files by path; a relative path lies in [`FOLDER`].
    pub fn new(files: &[(&str, &str)]) -> Self {
        let entry = |(path, text): &(&str, &str)| (Path::new(FOLDER).join(path), text.as_bytes().to_vec());
        Self { files: files.iter().map(entry).collect() }
    }

    /// As [`MemoryFiles::new`], of any bytes.
    pub fn of_bytes<'a>(files: impl IntoIterator<Item = (&'a str, Vec<u8>)>) -> Self {
        let entry = |(path, bytes)| (Path::new(FOLDER).join::<&str>(path), bytes);
        Self { files: files.into_iter().map(entry).collect() }
    }
}

impl Files for MemoryFiles {
    fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
        match self.files.get(path) {
            Some(bytes) if bytes.len() as u64 > limit => Err(FileError::TooLarge(limit)),
            Some(bytes) => Ok(bytes.clone()),
            None if self.files.keys().any(|file| file.starts_with(path)) => Err(FileError::Folder),
            None => Err(FileError::Missing),
        }
    }

    fn is_file(&self, path: &Path) -> bool {
        self.files.contains_key(path)
    }

    fn list(&self, folder: &Path) -> Vec<PathBuf> {
        let inside = self.files.keys().filter_map(|file| file.strip_prefix(folder).ok()?.components().next());
        let mut names: Vec<PathBuf> = inside.map(|component| PathBuf::from(component.as_os_str())).collect();
        names.dedup();
        names
    }
}

/// A request for what lies in [`FOLDER`], for production, as project `fixture` (in full: `fixture-production`), with
/// no variables.
pub fn request() -> Request {
    Request {
        working_directory: PathBuf::from(FOLDER),
        files: Vec::new(),
        environment: EnvironmentName::new("production").expect("a fixed, valid name"),
        env_files: Vec::new(),
        project_name: Some(ProjectName::new("fixture").expect("a fixed, valid name")),
        profiles: Vec::new(),
        project_directory: None,
        variables: IndexMap::new(),
        detail: Detail::default(),
    }
}

/// Loads the files, discovered as in a folder of their own.
pub fn try_load(files: &[(&str, &str)]) -> Loaded {
    load(&request(), &MemoryFiles::new(files))
}

/// Loads one Compose file that must have no problem.
///
/// # Panics
/// When it has one; all of them are shown with their places.
#[track_caller]
pub fn load_yaml(yaml: &str) -> Project {
    let loaded = try_load(&[("compose.yaml", yaml)]);
    let shown: Vec<String> = problems(&loaded);
    match loaded.project {
        Some(project) => project,
        #[expect(clippy::panic, reason = "this module exists for tests, where a panic is the failure")]
        None => panic!("the fixture has problems:\n{}", shown.join("\n")),
    }
}

/// The problems of a load, one line each: `place: message`.
pub fn problems(loaded: &Loaded) -> Vec<String> {
    loaded
        .problems
        .iter()
        .map(|problem| match &problem.span {
            Some(span) => format!("{}: {}", loaded.sources.place(span), problem.message),
            None => problem.message.clone(),
        })
        .collect()
}
