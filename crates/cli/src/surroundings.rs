//! The program's one door to the world around it: environment, folders, files, the clock, the terminal.
#![allow(
    clippy::disallowed_methods,
    reason = "this is the program's rim: the one file that reads its surroundings"
)]

use std::ffi::OsString;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use seaworthy_project::{FileError, Files, Request};
use seaworthy_release::Origin;

/// The most that is read from standard input: more than any Compose file may have.
const MAX_INPUT_BYTES: u64 = 64 << 20;

/// What surrounds the program when it starts.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    /// The folder the command was typed in.
    pub(crate) folder: PathBuf,
    /// The variables of the shell that are valid text.
    pub(crate) variables: IndexMap<String, String>,
    /// This program.
    pub(crate) program: PathBuf,
    /// Whether people see standard output.
    pub(crate) stdout_is_terminal: bool,
    /// Whether people see standard error.
    pub(crate) stderr_is_terminal: bool,
    /// Whether a person can answer.
    pub(crate) stdin_is_terminal: bool,
    /// What came in on standard input, once it was read.
    input: Arc<OnceLock<Vec<u8>>>,
}

impl Surroundings {
    /// Looks around.
    pub(crate) fn look() -> io::Result<Self> {
        let text = |value: std::ffi::OsString| value.into_string().ok();
        let folder = std::env::current_dir()?;
        let mut variables: IndexMap<String, String> =
            std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect();
        // As a shell would, for files that say `$PWD`.
        variables.entry("PWD".to_owned()).or_insert_with(|| folder.display().to_string());
        Ok(Self {
            folder,
            variables,
            program: std::env::current_exe()?,
            stdout_is_terminal: io::stdout().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
            stdin_is_terminal: io::stdin().is_terminal(),
            input: Arc::default(),
        })
    }

    /// A variable that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Where state is kept: `SEAWORTHY_STATE`, else `/var/lib/seaworthy` for root, else below the user's state folder.
    pub(crate) fn state_folder(&self) -> PathBuf {
        if let Some(folder) = self.variable("SEAWORTHY_STATE") {
            return self.folder.join(folder);
        }
        if nix::unistd::geteuid().is_root() {
            return PathBuf::from("/var/lib/seaworthy");
        }
        match (self.variable("XDG_STATE_HOME"), self.variable("HOME")) {
            (Some(state), _) => Path::new(state).join("seaworthy"),
            (None, Some(home)) => Path::new(home).join(".local/state/seaworthy"),
            (None, None) => PathBuf::from("/tmp").join(format!("seaworthy-{}", nix::unistd::geteuid())),
        }
    }

    /// A folder in memory for what must not reach a disk: below `XDG_RUNTIME_DIR`, else `/dev/shm`.
    pub(crate) fn runtime_folder(&self) -> PathBuf {
        match self.variable("XDG_RUNTIME_DIR").map(Path::new).filter(|folder| folder.is_dir()) {
            Some(folder) => folder.join("seaworthy"),
            None => Path::new("/dev/shm").join(format!("seaworthy-{}", nix::unistd::geteuid())),
        }
    }

    /// The name of the user.
    pub(crate) fn user(&self) -> String {
        let own = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
        own.map_or_else(|| nix::unistd::geteuid().to_string(), |user| user.name)
    }

    /// The commit of a folder under git and whether it differs from it; nothing where there is no git.
    pub(crate) fn origin(&self, folder: &Path) -> Origin {
        let git = |arguments: &[&str]| {
            let output = Command::new("git")
                .args(arguments)
                .current_dir(folder)
                .env("GIT_OPTIONAL_LOCKS", "0")
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .output()
                .ok()?;
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        match git(&["rev-parse", "HEAD"]) {
            Some(commit) => {
                let dirty =
                    git(&["status", "--porcelain", "--", "."]).is_none_or(|changed| !changed.is_empty());
                Origin { commit: Some(commit), dirty }
            }
            None => Origin::default(),
        }
    }

    /// When this machine was last started, where the kernel tells.
    pub(crate) fn booted(&self) -> Option<jiff::Timestamp> {
        let told = std::fs::read_to_string("/proc/stat").ok()?;
        let second = told.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
        jiff::Timestamp::from_second(second).ok()
    }

    /// This program's version and file: one that was replaced has another mark, even under the same name.
    pub(crate) fn program_mark(&self) -> String {
        use std::os::unix::fs::MetadataExt;
        let file = std::fs::metadata(&self.program).map_or(0, |data| data.ino());
        format!("{} {} {file}", env!("CARGO_PKG_VERSION"), self.program.display())
    }

    /// Whether systemd runs this machine.
    pub(crate) fn has_systemd(&self) -> bool {
        Path::new("/run/systemd/system").is_dir()
    }

    /// Runs `systemctl`; gives what it said when it failed.
    pub(crate) fn systemctl(&self, words: &[&str]) -> Result<(), String> {
        let run = Command::new("systemctl").args(words).stdin(Stdio::null()).output();
        let output = run.map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("{}: {}", output.status, said.trim()))
    }

    /// The text of a file, if it can be read.
    pub(crate) fn text_of(&self, path: &Path) -> Option<String> {
        std::fs::read_to_string(path).ok()
    }

    /// Starts the agent of a state folder, detached. It is given nothing of this environment.
    pub(crate) fn start_agent(&self, state: &Path) -> io::Result<()> {
        let mut child = Command::new(&self.program)
            .args(["agent", "run", "--detached", "--state"])
            .arg(state)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        // Reaped by a thread of its own, should it end before this process does.
        std::thread::spawn(move || child.wait());
        Ok(())
    }

    /// Turns true when standard input ends: whoever started this process is gone.
    pub(crate) fn end_of_input(&self) -> Arc<AtomicBool> {
        let ended = Arc::new(AtomicBool::new(false));
        let told = ended.clone();
        std::thread::spawn(move || {
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            told.store(true, Ordering::Relaxed);
        });
        ended
    }

    /// Everything that comes in on standard input; what cannot be read is nothing.
    fn input(&self) -> &[u8] {
        self.input.get_or_init(|| {
            let mut text = Vec::new();
            let _ = io::stdin().lock().take(MAX_INPUT_BYTES).read_to_end(&mut text);
            text
        })
    }

    /// The first line of standard input, without its end.
    pub(crate) fn first_line(&self) -> Vec<u8> {
        let line = self.input().split(|byte| *byte == b'\n').next().unwrap_or_default();
        line.strip_suffix(b"\r").unwrap_or(line).to_vec()
    }

    /// Reads one line that a person types.
    pub(crate) fn read_line(&self) -> String {
        let mut line = String::new();
        let _ = io::stdin().read_line(&mut line);
        line
    }
}

/// The files of this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
        let denied = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => FileError::Missing,
            io::ErrorKind::PermissionDenied => FileError::Denied,
            io::ErrorKind::IsADirectory => FileError::Folder,
            _ => FileError::Other(error.to_string()),
        };
        let mut contents = Vec::new();
        let file = std::fs::File::open(path).map_err(denied)?;
        file.take(limit + 1).read_to_end(&mut contents).map_err(denied)?;
        if contents.len() as u64 > limit { Err(FileError::TooLarge(limit)) } else { Ok(contents) }
    }

    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn list(&self, folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        // As texts: paths would be taken apart for each comparison.
        let mut names: Vec<OsString> = entries.map(|entry| entry.file_name()).collect();
        names.sort_unstable();
        names.into_iter().map(PathBuf::from).collect()
    }

    fn holds(&self, folder: &Path, name: &str) -> bool {
        folder.join(name).symlink_metadata().is_ok()
    }
}

/// The files of this machine, and standard input as the file `-` of the folder in which the command was typed.
#[derive(Debug, Clone)]
pub(crate) struct DiskAndInput {
    /// The path that stands for standard input, and what was read from it.
    input: Option<(PathBuf, Vec<u8>)>,
}

impl DiskAndInput {
    /// Reads standard input when a request names it.
    pub(crate) fn new(surroundings: &Surroundings, request: &Request) -> Self {
        let named = request.files.iter().any(|file| file.as_os_str() == "-");
        Self { input: named.then(|| (request.working_directory.join("-"), surroundings.input().to_vec())) }
    }
}

impl Files for DiskAndInput {
    fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
        match &self.input {
            Some((input, text)) if input == path && text.len() as u64 > limit => {
                Err(FileError::TooLarge(limit))
            }
            Some((input, text)) if input == path => Ok(text.clone()),
            _ => Disk.read(path, limit),
        }
    }

    fn is_file(&self, path: &Path) -> bool {
        Disk.is_file(path)
    }

    fn list(&self, folder: &Path) -> Vec<PathBuf> {
        Disk.list(folder)
    }

    fn holds(&self, folder: &Path, name: &str) -> bool {
        Disk.holds(folder, name)
    }
}

/// Writes a file of the user whole: beside it first, then moved into place; its mode stays.
pub(crate) fn write_file(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let written = (|| {
        let mut file = std::fs::File::create(&beside)?;
        if let Ok(old) = std::fs::metadata(path) {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// The folders in a folder, sorted; links are not followed, so that a walk ends.
pub(crate) fn folders_in(folder: &Path) -> Vec<PathBuf> {
    names_and_folders(folder).1.into_iter().map(|name| folder.join(name)).collect()
}

/// The names in a folder, and of those the folders; both sorted. A link is no folder, wherever it leads.
pub(crate) fn names_and_folders(folder: &Path) -> (Vec<OsString>, Vec<OsString>) {
    let (mut names, mut folders) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            folders.push(entry.file_name());
        }
        names.push(entry.file_name());
    }
    names.sort_unstable();
    folders.sort_unstable();
    (names, folders)
}

/// Removes a file.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path)
}

/// Makes a folder with its parents.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}
