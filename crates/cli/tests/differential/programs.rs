//! The two programs, asked the same.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::case::Case;

/// Stands for the folder of a small project in answers that are written down.
const PROJECT: &str = "@PROJECT@";
/// Stands for the folder around it.
const AROUND: &str = "@AROUND@";
/// How many cases are asked at a time.
const WORKERS: usize = 2;

/// What a program says to a project.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Loads(Value),
    Refuses(String),
}

/// A program that prints a resolved project.
pub struct Program {
    path: PathBuf,
    before: &'static [&'static str],
}

impl Program {
    pub fn ours(path: PathBuf) -> Self {
        Self { path, before: &["-e", "development"] }
    }

    pub fn compose(path: PathBuf) -> Self {
        Self { path, before: &[] }
    }

    /// What it calls itself.
    pub fn version(&self) -> String {
        let output = Command::new(&self.path).args(["version", "--short"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// What it says to a small project, laid out in a folder of its own.
    pub fn answer(&self, case: &Case) -> Answer {
        let around = tempfile::tempdir().unwrap();
        let around = around.path().canonicalize().unwrap();
        let project = around.join("project");
        case.lay_out(&project);
        let home = project.join("user");
        let mut command = self.command(&project.join(&case.folder), &home);
        command.args(self.before).args(&case.arguments).args(["config", "--format", "json"]);
        command.envs(case.variables.iter().map(|(name, value)| (name, value)));
        let places = [(project.display().to_string(), PROJECT), (around.display().to_string(), AROUND)];
        let named = |text: String| places.iter().fold(text, |text, (path, name)| text.replace(path, name));
        run(command, named)
    }

    /// What it says to a Compose file that lies somewhere.
    pub fn whole(&self, file: &Path) -> Answer {
        let home = tempfile::tempdir().unwrap();
        let mut command = self.command(file.parent().unwrap(), home.path());
        command.args(self.before).arg("-f").arg(file).args(["config", "--format", "json"]);
        run(command, |text| text)
    }

    /// What it says to its own YAML for a Compose file; nothing when it writes none.
    pub fn written_and_read(&self, file: &Path) -> Option<Answer> {
        let home = tempfile::tempdir().unwrap();
        let folder = file.parent().unwrap();
        let mut command = self.command(folder, home.path());
        command.args(self.before).arg("-f").arg(file).args(["--profile", "*", "config"]);
        let written = command.output().unwrap();
        if !written.status.success() {
            return None;
        }
        let copy = home.path().join("written.yaml");
        std::fs::write(&copy, &written.stdout).unwrap();
        let mut command = self.command(folder, home.path());
        command.args(self.before).arg("-f").arg(&copy).arg("--project-directory").arg(folder);
        command.args(["config", "--format", "json"]);
        Some(run(command, |text| text))
    }

    fn command(&self, folder: &Path, home: &Path) -> Command {
        let mut command = Command::new(&self.path);
        command.current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", home);
        command.env("DOCKER_CONFIG", home).env("SEAWORTHY_STATE", home.join("state")).stdin(Stdio::null());
        command
    }
}

fn run(mut command: Command, named: impl Fn(String) -> String) -> Answer {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| named(String::from_utf8_lossy(bytes).into_owned());
    let errors = text(&output.stderr);
    if output.status.success() {
        let printed = text(&output.stdout);
        return Answer::Loads(serde_json::from_str(&printed).unwrap_or(Value::String(printed)));
    }
    assert!(!errors.contains("panicked at crates"), "{errors}");
    assert!(output.status.code().is_some(), "killed by a signal: {errors}");
    // Of a crash only that it is one.
    let crash = errors.contains("goroutine ");
    let last = errors.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    Answer::Refuses(if crash { "it crashes".to_owned() } else { last.to_owned() })
}

/// What `ask` says to each, several at a time, in order.
pub fn each<T: Sync, R: Send>(items: &[T], ask: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut said = Vec::new();
        while let Some((index, item)) = Some(next.fetch_add(1, Ordering::Relaxed))
            .and_then(|index| items.get(index).map(|item| (index, item)))
        {
            said.push((index, ask(item)));
        }
        said
    };
    let mut all: Vec<(usize, R)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, said)| said).collect()
}
