//! The project that is measured: the sample service in an image made from nothing, operated by the optimised program.
#![allow(clippy::disallowed_methods, reason = "the bench's one file that touches the world")]

use std::cell::Cell;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::Told;
use crate::workspace::Workspace;

/// How long a thing that comes back by itself may take.
const BACK: Duration = Duration::from_secs(60);
/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(50);
/// Where a built sample holds its version.
const MARK: &[u8] = b"seaworthy-sample-ver=";

/// What can be changed in the project's file.
#[derive(Debug, Clone, Copy)]
pub(in crate::bench) struct Wish {
    pub(in crate::bench) greeting: &'static str,
    /// The exit code of the migration.
    pub(in crate::bench) migration: &'static str,
    /// How long an instance must have been well.
    pub(in crate::bench) min_healthy: &'static str,
    /// Whether a client stays with its instance.
    pub(in crate::bench) sticky: bool,
}

impl Default for Wish {
    fn default() -> Self {
        Self { greeting: "hello", migration: "0", min_healthy: "10s", sticky: false }
    }
}

/// A project in a folder of its own.
#[derive(Debug, Clone)]
pub(in crate::bench) struct Site {
    folder: Rc<tempfile::TempDir>,
    program: PathBuf,
    sample: PathBuf,
    pub(in crate::bench) port: u16,
    pub(in crate::bench) compose: Option<PathBuf>,
    version: Rc<Cell<u32>>,
}

impl Site {
    /// A version that never gets ready.
    pub(in crate::bench) const NEVER_READY: u32 = 900;
    /// A version that ends by itself after 5 s.
    pub(in crate::bench) const CRASHES: u32 = 800;

    pub(in crate::bench) fn new(workspace: &Workspace) -> Told<Self> {
        let program = workspace.build_release("seaworthy")?;
        let sample = workspace.build_release_example("seaworthy", "sample")?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let folder = Rc::new(tempfile::Builder::new().prefix("seaworthy-bench-").tempdir()?);
        let version = Rc::new(Cell::new(0));
        let site = Self { folder, program, sample, port, compose: None, version };
        std::fs::create_dir_all(site.project().join("image/root/bin"))?;
        site.write("image/Dockerfile", "FROM scratch\nCOPY root/ /\nENTRYPOINT [\"/bin/sample\"]\n")?;
        site.libraries()?;
        site.install_next()?;
        site.wish(Wish::default())?;
        Ok(site)
    }

    pub(in crate::bench) fn project(&self) -> PathBuf {
        self.folder.path().join("bench")
    }

    /// What containers, images and the like are named after.
    pub(in crate::bench) fn name(&self) -> String {
        format!("bench{}", self.port)
    }

    pub(in crate::bench) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    pub(in crate::bench) fn write(&self, name: &str, text: &str) -> Told<()> {
        Ok(std::fs::write(self.project().join(name), text)?)
    }

    /// Writes the project's file.
    pub(in crate::bench) fn wish(&self, wish: Wish) -> Told<()> {
        let Wish { greeting, migration, min_healthy, sticky } = wish;
        let balance = if sticky { ", sticky: true" } else { "" };
        let text = format!(
            "name: {name}
services:
  web:
    build: ./image
    ports: [\"127.0.0.1:{port}:8080\"]
    environment: {{ GREETING: {greeting}, PORT: \"8080\", LISTEN: 0.0.0.0 }}
    deploy: {{ replicas: 3 }}
    restart: unless-stopped
    stop_grace_period: 1s
    x-seaworthy:
      route: {{ path: /{balance} }}
      probe: {{ ready: GET /ready }}
  migrate:
    build: ./image
    environment: {{ EXIT_CODE: \"{migration}\" }}
    x-seaworthy: {{ run: before-deploy }}
x-seaworthy:
  rollout: {{ ready_deadline: 20s, min_healthy: {min_healthy}, drain: 5s }}
",
            name = self.name(),
            port = self.port
        );
        self.write("compose.yaml", &text)
    }

    /// Writes the project's file and has it deployed.
    pub(in crate::bench) fn wish_deployed(&self, wish: Wish) -> Told<()> {
        self.wish(wish)?;
        self.expect(0, &["deploy", "-y"])
    }

    /// Puts the libraries that the sample needs where it looks for them.
    fn libraries(&self) -> Told<()> {
        let listed = Command::new("ldd").arg(&self.sample).output()?;
        for line in String::from_utf8_lossy(&listed.stdout).lines() {
            let Some(path) = line.split_whitespace().find(|word| word.starts_with('/')) else { continue };
            let to = self.project().join("image/root").join(path.trim_start_matches('/'));
            std::fs::create_dir_all(to.parent().unwrap_or(Path::new("/")))?;
            std::fs::copy(path, to)?;
        }
        Ok(())
    }

    /// Puts a version of the sample among the sources of the image.
    pub(in crate::bench) fn install(&self, version: u32) -> Told<()> {
        let mut program = std::fs::read(&self.sample)?;
        let at = program.windows(MARK.len()).position(|window| window == MARK);
        let at = at.ok_or("the sample does not hold its version.")? + MARK.len();
        program[at..at + 3].copy_from_slice(format!("{version:03}").as_bytes());
        let path = self.project().join("image/root/bin/sample");
        std::fs::write(&path, program)?;
        Ok(std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?)
    }

    pub(in crate::bench) fn next_version(&self) -> u32 {
        self.version.get() + 1
    }

    pub(in crate::bench) fn install_next(&self) -> Told<u32> {
        self.version.set(self.next_version());
        self.install(self.version.get())?;
        Ok(self.version.get())
    }

    pub(in crate::bench) fn deploy_first(&self) -> Told<()> {
        self.expect(0, &["deploy", "-y"])?;
        self.serves(self.version.get())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["--engine", "docker"])
            .args(arguments)
            .current_dir(self.project())
            .env("SEAWORTHY_STATE", self.folder.path().join("state"))
            .stdin(Stdio::null());
        command
    }

    pub(in crate::bench) fn expect(&self, code: i32, arguments: &[&str]) -> Told<()> {
        let output = self.command(arguments).output()?;
        ended(&format!("seaworthy {}", arguments.join(" ")), code, &output)
    }

    /// Deploys a version that must be refused; what served before goes on.
    pub(in crate::bench) fn stays(&self, version: u32, code: i32) -> Told<()> {
        self.install(version)?;
        self.expect(code, &["deploy", "-y"])?;
        self.install(self.version.get())?;
        self.serves(self.version.get())
    }

    /// Kills a command with SIGKILL once it told so many steps as done.
    pub(in crate::bench) fn killed_after(&self, steps: u32, arguments: &[&str]) -> Told<()> {
        let mut child = self.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let told = BufReader::new(child.stderr.take().ok_or("no standard error.")?);
        let mark = format!("[{steps}/");
        for line in told.lines() {
            if line?.contains(&mark) {
                child.kill()?;
                child.wait()?;
                return Ok(());
            }
        }
        Err(format!("`seaworthy {}` did not come to step {steps}.", arguments.join(" ")).into())
    }

    pub(in crate::bench) fn serves(&self, version: u32) -> Told<()> {
        self.says(&format!("version {version:03} "))
    }

    pub(in crate::bench) fn says(&self, text: &str) -> Told<()> {
        let body = crate::load::get_once(self.address(), "/")?;
        match body.contains(text) {
            true => Ok(()),
            false => Err(format!("`{text}` should be served, not `{body}`.").into()),
        }
    }

    /// The running containers of `web`.
    pub(in crate::bench) fn containers(&self) -> Told<Vec<String>> {
        let project = format!("label=com.docker.compose.project={}-production", self.name());
        docker(&[
            "ps",
            "-q",
            "--no-trunc",
            "--filter",
            &project,
            "--filter",
            "label=com.docker.compose.service=web",
        ])
    }

    /// Kills the process of a container and waits until it runs again and is listed as ready.
    pub(in crate::bench) fn kill_container(&self, id: &str) -> Told<()> {
        let process = || docker(&["inspect", "--format", "{{.State.Pid}}", id]).map(|lines| lines.concat());
        let before = process()?;
        kill(&before)?;
        wait_until("the instance is back", || process().is_ok_and(|now| now != before && now != "0"))
    }

    /// Kills the gateway's worker and waits until another one serves.
    pub(in crate::bench) fn kill_worker(&self) -> Told<()> {
        let before = self.worker().ok_or("the gateway has no worker.")?;
        kill(&before)?;
        wait_until("another worker serves", || {
            self.worker().is_some_and(|now| now != before)
                && crate::load::get_once(self.address(), "/").is_ok()
        })
    }

    /// The process that serves: a child of the supervisor of this state folder.
    fn worker(&self) -> Option<String> {
        let state = self.folder.path().join("state");
        let needle = format!("\0work\0--state\0{}", state.display());
        std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            let name = entry.file_name().to_string_lossy().into_owned();
            (String::from_utf8_lossy(&line).contains(&needle) && name != "self").then_some(name)
        })
    }

    pub(in crate::bench) fn down(&self) -> Told<()> {
        self.expect(0, &["down", "-y", "--volumes"])
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if Rc::strong_count(&self.folder) > 1 {
            return;
        }
        let _ = self.command(&["down", "-y", "--volumes"]).output();
        let ours = [
            format!("{}-", self.name()),
            format!("seaworthy-kept:{}-", self.name()),
            format!("{}:", self.name()),
        ];
        for tag in docker(&["images", "--format", "{{.Repository}}:{{.Tag}}"]).unwrap_or_default() {
            if ours.iter().any(|prefix| tag.starts_with(prefix)) {
                let _ = docker(&["rmi", &tag]);
            }
        }
    }
}

/// An error unless a program ended so.
pub(in crate::bench) fn ended(command: &str, code: i32, output: &Output) -> Told<()> {
    if output.status.code() == Some(code) {
        return Ok(());
    }
    let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    Err(format!("`{command}` ended with {}, {code} was expected:\n{said}", output.status).into())
}

pub(in crate::bench) fn docker(arguments: &[&str]) -> Told<Vec<String>> {
    let output = Command::new("docker").args(arguments).output()?;
    ended(&format!("docker {}", arguments.join(" ")), 0, &output)?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

fn kill(process: &str) -> Told<()> {
    let output = Command::new("kill").args(["-9", process]).output()?;
    ended(&format!("kill -9 {process}"), 0, &output)
}

pub(in crate::bench) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) -> Told<()> {
    let deadline = Instant::now() + BACK;
    while !holds() {
        if Instant::now() > deadline {
            return Err(format!("waited in vain until {what}.").into());
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}
