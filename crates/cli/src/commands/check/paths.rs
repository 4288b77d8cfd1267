//! Which projects the paths on the command line mean.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use seaworthy_project::{COMPOSE_FILE_NAMES, Files};

use crate::surroundings::{Disk, names_and_folders};

/// How deep a folder is looked through; deeper trees are made by machines.
const MAX_DEPTH: usize = 32;

/// One project to check.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    /// What tells it from others in one report: its folder or its file, as seen from where we stand.
    pub(super) name: String,
    /// The folder it lies in.
    pub(super) folder: PathBuf,
    /// Its Compose file, where one was named; else the files are found as always.
    pub(super) file: Option<PathBuf>,
}

/// The projects, in the order of the paths and each once; and the folders in which there is none.
pub(super) fn targets(root: &Path, paths: &[PathBuf]) -> (Vec<Target>, Vec<PathBuf>) {
    let (mut targets, mut empty) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for path in paths {
        let whole = root.join(path);
        let whole: PathBuf = whole.components().collect();
        let found = if is_folder(&whole) { below(root, &whole) } else { vec![file(root, &whole)] };
        if found.is_empty() {
            empty.push(path.clone());
        }
        targets.extend(found.into_iter().filter(|target| seen.insert(target.clone())));
    }
    (targets, empty)
}

fn is_folder(path: &Path) -> bool {
    !Disk.is_file(path) && !Disk.list(path).is_empty()
}

fn file(root: &Path, path: &Path) -> Target {
    let folder = path.parent().unwrap_or(root).to_owned();
    Target { name: shown(root, path), folder, file: Some(path.to_owned()) }
}

/// Every folder with a Compose file, from here down. Hidden folders and those of packages hold what others wrote.
fn below(root: &Path, start: &Path) -> Vec<Target> {
    let mut targets = Vec::new();
    let mut folders = vec![(start.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let (names, inner) = names_and_folders(&folder);
        let has =
            |name: &str| names.iter().any(|one| one.as_os_str() == name) && Disk.is_file(&folder.join(name));
        if COMPOSE_FILE_NAMES.iter().any(|name| has(name)) {
            targets.push(Target { name: shown(root, &folder), folder: folder.clone(), file: None });
        }
        if depth < MAX_DEPTH {
            let inner = inner.into_iter().rev().filter(|name| is_looked_into(name));
            folders.extend(inner.map(|name| (folder.join(name), depth + 1)));
        }
    }
    targets
}

fn is_looked_into(name: &OsStr) -> bool {
    !name.as_encoded_bytes().starts_with(b".") && name != "node_modules"
}

fn shown(root: &Path, path: &Path) -> String {
    match path.strip_prefix(root) {
        Ok(inside) if inside.as_os_str().is_empty() => String::new(),
        Ok(inside) => inside.display().to_string(),
        Err(_) => path.display().to_string(),
    }
}
