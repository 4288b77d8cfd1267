//! The seeded samples, copied to where nothing else is, and projects of others repeated to many files.
#![expect(clippy::disallowed_methods, reason = "a bench copies its samples into a folder of its own")]

use std::error::Error;
use std::path::{Path, PathBuf};

use super::peer::Hit;

/// Rules about a whole file: a checker may name any line of it.
const OF_THE_FILE: [&str; 4] =
    ["root-in-image", "missing-dockerignore", "environment-file-in-git", "healthcheck-off-in-image"];
/// Names under which Compose files lie.
const COMPOSE: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// One defect that was put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seed {
    pub(super) file: String,
    pub(super) line: u64,
    pub(super) rule: String,
}

impl Seed {
    /// `Compose`, `Dockerfile` or `.env`.
    pub(super) fn kind(&self) -> &'static str {
        kind(&self.file)
    }
}

pub(super) fn kind(file: &str) -> &'static str {
    let name = file.rsplit('/').next().unwrap_or(file);
    match name {
        _ if name.starts_with("Dockerfile") => "Dockerfile",
        _ if name.contains("env") => ".env",
        _ => "Compose",
    }
}

/// A project with what was put into it.
pub(super) struct Sample {
    pub(super) folder: PathBuf,
    pub(super) files: Vec<String>,
    pub(super) seeds: Vec<Seed>,
}

impl Sample {
    /// Copies a sample, as if it lay in a Git repository.
    pub(super) fn copy(seeds: &Path, name: &str, into: &Path) -> Result<Self, Box<dyn Error>> {
        let folder = into.join(name);
        std::fs::create_dir_all(folder.join(".git"))?;
        std::fs::write(folder.join(".git/HEAD"), "ref: refs/heads/main\n")?;
        let files = texts(&seeds.join(name))?;
        for file in &files {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap_or(&folder))?;
            std::fs::copy(seeds.join(name).join(file), path)?;
        }
        let list = seeds.join(format!("{name}.txt"));
        let list = if list.is_file() { std::fs::read_to_string(list)? } else { String::new() };
        let seeds = list.lines().filter_map(|line| {
            let (place, rule) = line.split_once(' ')?;
            let (file, line) = place.rsplit_once(':')?;
            Some(Seed { file: file.to_owned(), line: line.parse().ok()?, rule: rule.to_owned() })
        });
        Ok(Self { folder, files, seeds: seeds.collect() })
    }

    /// The seeds for which that holds.
    pub(super) fn found(&self, holds: impl Fn(&Seed) -> bool) -> Vec<Seed> {
        self.seeds.iter().filter(|seed| holds(seed)).cloned().collect()
    }

    /// The seeds that a checker found, in its favour: whatever it says at a line counts for what was put there, once for
    /// each thing it says.
    pub(super) fn found_by(&self, hits: &[Hit]) -> Vec<Seed> {
        let mut left: Vec<&Hit> = hits.iter().collect();
        let mut take = |fits: &dyn Fn(&Hit) -> bool| {
            left.iter().position(|hit| fits(hit)).map(|position| left.swap_remove(position)).is_some()
        };
        let mut found = Vec::new();
        for seed in &self.seeds {
            let at_line = |hit: &Hit| hit.file == seed.file && hit.line == seed.line && !hit.of_the_file;
            let of_file = |hit: &Hit| {
                OF_THE_FILE.contains(&seed.rule.as_str()) && hit.file == seed.file && hit.of_the_file
            };
            if take(&at_line) || take(&of_file) {
                found.push(seed.clone());
            }
        }
        found
    }
}

/// Copies the projects of others, again and again, until there are so many Compose files; answers with their paths, and with
/// how many Dockerfiles and environment files lie beside them.
pub(super) fn repeat(
    corpus: &Path,
    files: usize,
    into: &Path,
) -> Result<(Vec<String>, usize), Box<dyn Error>> {
    let texts = texts(corpus)?;
    let is_compose = |path: &str| COMPOSE.contains(&path.rsplit('/').next().unwrap_or(path));
    let (mut made, mut beside) = (Vec::new(), 0);
    for round in 0.. {
        if made.len() >= files || !texts.iter().any(|path| is_compose(path)) {
            break;
        }
        for text in &texts {
            let path = format!("{round}/{text}");
            if is_compose(text) {
                if made.len() >= files {
                    break;
                }
                made.push(path.clone());
            } else if is_judged_too(text) {
                beside += 1;
            }
            let target = into.join(path);
            std::fs::create_dir_all(target.parent().unwrap_or(into))?;
            std::fs::copy(corpus.join(text), target)?;
        }
    }
    Ok((made, beside))
}

/// Whether a file is one that a project is judged by, besides its Compose file.
fn is_judged_too(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with("Dockerfile") || name == ".env" || name.starts_with(".env.")
}

/// The files below a folder, from there, sorted.
fn texts(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            files.extend(texts(&entry.path())?.into_iter().map(|file| format!("{name}/{file}")));
        } else {
            files.push(name);
        }
    }
    files.sort();
    Ok(files)
}
