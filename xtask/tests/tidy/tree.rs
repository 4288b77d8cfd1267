//! The files of the repository, and how a broken rule is told.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold no source: what git keeps, and what builds leave behind.
const SKIPPED: [&str; 2] = [".git", "target"];

/// The repository as it lies on disk.
pub(super) struct Tree {
    root: PathBuf,
    files: Vec<String>,
}

impl Tree {
    /// Reads the names of all files; their contents are read when asked for.
    pub(super) fn of_repository() -> Self {
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root").to_path_buf();
        let mut files = Vec::new();
        collect(&root, "", &mut files);
        files.sort();
        Self { root, files }
    }

    /// Where the repository is.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// All files, as paths from the root with `/` between.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    /// Whether there is such a file or folder.
    pub(super) fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    /// What a file says; `None` when it is not text or is gone by now.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root.join(path)).ok()
    }

    /// Every file that ends so, with its text.
    pub(super) fn texts(&self, ending: &str) -> Vec<(&str, String)> {
        self.files()
            .filter(|path| path.ends_with(ending))
            .filter_map(|path| Some((path, self.text(path)?)))
            .collect()
    }

    /// The folders under `crates/`, by name.
    pub(super) fn crates(&self) -> Vec<String> {
        self.files()
            .filter_map(|path| path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml"))
            .filter(|name| !name.contains('/'))
            .map(str::to_owned)
            .collect()
    }
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
            collect(&entry.path(), &format!("{prefix}{name}/"), files);
        } else if kind.is_file() {
            files.push(format!("{prefix}{name}"));
        }
    }
}

/// Fails the test when a rule is broken, naming each place and why the rule exists.
pub(super) fn verdict(why: &str, complaints: &[String]) {
    assert!(complaints.is_empty(), "\n\n  {}\n\nWhy this rule exists: {why}\n", complaints.join("\n  "));
}
