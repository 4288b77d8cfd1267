//! A process engine in folders of its own, with the sample program to run on it.
#![allow(clippy::disallowed_methods, reason = "tests look behind the engine's back")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use seaworthy_engine::contract::{Case, Harness, Sample};
use seaworthy_engine::process::{Process, ProcessOptions, Program};
use seaworthy_engine::seal::SealKey;
use seaworthy_engine::{
    Engine, GrantedFile, Instance, InstanceId, InstanceKind, InstanceState, Probe, ReleaseNumber, Revision,
    RevisionId, Slot,
};
use seaworthy_project::fixture::load_yaml;
use tempfile::TempDir;

/// The sample program.
pub(crate) const TESTBED: &str = env!("CARGO_BIN_EXE_seaworthy-engine-testbed");
/// How long anything may take to become true, on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// An engine and its folders; when it is dropped, what still runs is killed.
pub(crate) struct Bed {
    pub(crate) engine: Process,
    pub(crate) state: PathBuf,
    pub(crate) runtime: PathBuf,
    pub(crate) folder: PathBuf,
    made: AtomicU32,
    _temporary: TempDir,
}

impl Bed {
    pub(crate) fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        // Another user must be able to reach what is given to it.
        std::fs::set_permissions(temporary.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        let (state, runtime) = (temporary.path().join("state/process"), temporary.path().join("runtime"));
        let folder = temporary.path().join("project");
        std::fs::create_dir(&folder).unwrap();
        let engine = Process::new(options(&state, &runtime));
        Self { engine, state, runtime, folder, made: AtomicU32::new(0), _temporary: temporary }
    }

    /// Another engine over the same folders, as another command has it.
    pub(crate) fn again(&self) -> Process {
        Process::new(options(&self.state, &self.runtime))
    }

    /// A revision of one service `sample` that runs a program of its own with these words; `extra` is more of the
    /// service, in YAML, indented by four blanks.
    pub(crate) fn case_of(&self, words: &[&str], extra: &str) -> Case {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let program = self.folder.join(format!("program-{number}"));
        let mut bytes = std::fs::read(TESTBED).unwrap();
        // Each has other contents, so that each is another artifact.
        bytes.extend(number.to_be_bytes());
        std::fs::write(&program, bytes).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = vec![format!("./program-{number}")];
        command.extend(words.iter().map(ToString::to_string));
        let yaml = format!(
            "services:\n  sample:\n    image: sample:1\n    expose: ['8080']\n    volumes: ['data:/data']\n\
             {extra}    x-seaworthy:\n      process: {{ command: {command:?} }}\nvolumes:\n  data:\n"
        );
        let mut project = load_yaml(&yaml);
        project.directory.clone_from(&self.folder);
        let service = project.services().next().unwrap().clone();
        let inspection = futures(self.engine.inspect(&project, &service));
        let revision = Revision {
            project: project.name.clone(),
            directory: self.folder.clone(),
            release: ReleaseNumber(1),
            id: RevisionId(format!("{number:012x}")),
            service,
            kind: if words.first() == Some(&"job") { InstanceKind::Job } else { InstanceKind::Replica },
            artifact: inspection.unwrap().artifact.unwrap(),
            files: Vec::new(),
            volumes: project.volumes.values().cloned().collect(),
            networks: project.networks.values().cloned().collect(),
        };
        Case { project, revision }
    }

    /// Makes and starts an instance of such a revision, and waits until it answers.
    pub(crate) async fn serving(&self, words: &[&str], extra: &str) -> (Case, Instance) {
        let case = self.case_of(words, extra);
        let instance = self.started(&case).await;
        self.ready(&case, &instance.id).await;
        (case, instance)
    }

    pub(crate) async fn started(&self, case: &Case) -> Instance {
        self.engine.prepare(&case.revision).await.unwrap();
        self.engine.ensure(&case.revision, first()).await.unwrap()
    }

    pub(crate) async fn ready(&self, case: &Case, id: &InstanceId) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let probe = Probe::Http { port: 8080, path: "/".to_owned(), timeout: Duration::from_secs(2) };
            let outcome = self.engine.probe(&case.revision.project, id, &probe).await.unwrap();
            if outcome.ready {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "never ready: {}; log: {:?}",
                outcome.detail,
                self.log(case, id).await
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn log(&self, case: &Case, id: &InstanceId) -> Vec<String> {
        let cursor = seaworthy_engine::LogCursor::tail(1000);
        let (lines, _) = self.engine.logs(&case.revision.project, id, cursor, 1000).await.unwrap();
        lines.into_iter().map(|line| line.text).collect()
    }

    pub(crate) async fn seen(&self, case: &Case, id: &InstanceId) -> Instance {
        let observed = self.engine.observe(&case.revision.project).await.unwrap();
        observed.instances.into_iter().find(|instance| &instance.id == id).unwrap()
    }

    /// Waits until an instance is as wished.
    pub(crate) async fn becomes(
        &self,
        case: &Case,
        id: &InstanceId,
        wished: impl Fn(&Instance) -> bool,
    ) -> Instance {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = self.seen(case, id).await;
            if wished(&seen) {
                return seen;
            }
            assert!(Instant::now() < deadline, "never came: {seen:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn is_lost(&self, case: &Case, id: &InstanceId) {
        self.becomes(case, id, |seen| seen.state == InstanceState::Lost).await;
    }

    /// The process id of the shim of an instance: the one process that has its folder as an argument.
    pub(crate) fn shim(&self, case: &Case, id: &InstanceId) -> i32 {
        let folder = self.state.join("instances").join(case.revision.project.as_str()).join(id.to_string());
        let found = processes(|pid| has_argument(pid, &folder));
        assert_eq!(found.len(), 1, "one shim for {id}");
        found[0]
    }

    /// The processes that were started with something of this bed in their arguments or environment.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let mark =
            self.state.parent().and_then(Path::parent).unwrap().as_os_str().as_encoded_bytes().to_vec();
        let own = std::process::id();
        processes(|pid| {
            pid.cast_unsigned() != own
                && ["cmdline", "environ", "exe"].iter().any(|file| {
                    let path = format!("/proc/{pid}/{file}");
                    let bytes = match *file {
                        "exe" => {
                            std::fs::read_link(path).map(|exe| exe.into_os_string().into_encoded_bytes())
                        }
                        _ => std::fs::read(path),
                    };
                    bytes.is_ok_and(|bytes| bytes.windows(mark.len()).any(|window| window == mark))
                })
        })
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        for pid in self.processes() {
            kill(pid, nix::sys::signal::Signal::SIGKILL);
        }
    }
}

impl Harness for Bed {
    fn engine(&self) -> &dyn Engine {
        &self.engine
    }

    fn case(&self, sample: Sample) -> Case {
        match sample {
            Sample::Serves => self.case_of(&["serve", "200"], ""),
            Sample::NeverReady => self.case_of(&["serve", "503"], ""),
            Sample::Writes(count) => self.case_of(&["write", &count.to_string()], ""),
            Sample::Job(takes, code) => {
                self.case_of(&["job", &takes.as_millis().to_string(), &code.to_string()], "")
            }
        }
    }

    fn lose_artifact(&self, case: &Case) {
        std::fs::remove_file(self.folder.join(&case.revision.artifact.name)).unwrap();
    }

    fn words(&self, arguments: &[&str]) -> Vec<String> {
        [TESTBED.to_owned()].into_iter().chain(arguments.iter().map(ToString::to_string)).collect()
    }

    fn end(&self, _case: &Case, instance: &Instance) {
        kill(instance.process.unwrap().cast_signed(), nix::sys::signal::Signal::SIGKILL);
    }
}

fn options(state: &Path, runtime: &Path) -> ProcessOptions {
    ProcessOptions {
        state: state.to_owned(),
        runtime: runtime.to_owned(),
        program: Program { path: TESTBED.into(), arguments: vec!["shim".to_owned()] },
        key: SealKey::new([9; 32]),
        search_path: "/usr/local/bin:/usr/bin:/bin".to_owned(),
        home: None,
    }
}

pub(crate) fn first() -> Slot {
    Slot::first(1).next().unwrap()
}

pub(crate) fn granted(target: &str, contents: &str) -> GrantedFile {
    GrantedFile {
        target: target.to_owned(),
        uid: None,
        gid: None,
        mode: None,
        contents: seaworthy_project::Sensitive::new(contents),
    }
}

pub(crate) fn kill(pid: i32, signal: nix::sys::signal::Signal) {
    let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal);
}

/// Whether a process runs; one that ended and was not waited for does not.
pub(crate) fn runs(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Asks an instance over HTTP and returns the body.
pub(crate) async fn get(instance: &Instance, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(instance.addresses[0].1).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn processes(wanted: impl Fn(i32) -> bool) -> Vec<i32> {
    let names = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.file_name());
    names.filter_map(|name| name.to_str()?.parse().ok()).filter(|pid| wanted(*pid) && runs(*pid)).collect()
}

fn has_argument(pid: i32, argument: &Path) -> bool {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).any(|word| word == argument.as_os_str().as_encoded_bytes())
}

/// Runs a future that never waits.
fn futures<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let polled = std::pin::pin!(future).poll(&mut context);
    assert!(polled.is_ready(), "inspecting a plain program waits for nothing");
    match polled {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => None,
    }
    .unwrap()
}
