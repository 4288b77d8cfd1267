//! A project in a folder of its own, with its own state, operated through the real program.
#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    clippy::disallowed_methods,
    reason = "shared by several test programs; tests touch the world"
)]

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A secret that must appear nowhere.
pub const CANARY: &str = "canary-7f3a9b21c4d8e6";

/// A project in a folder of its own.
pub struct Site {
    folder: tempfile::TempDir,
    pub port: u16,
}

/// What a command printed, and its exit code.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Site {
    /// A project with `web` (three replicas behind the gateway), `worker` and a job, at version 1.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("seaworthy-test-").tempdir().unwrap();
        let site = Self { port: free_port(), folder };
        std::fs::create_dir_all(site.project().join("bin")).unwrap();
        site.install(1);
        site.write("compose.yaml", &site.compose(3));
        site.write(".env", &format!("API_TOKEN={CANARY}\n"));
        site
    }

    pub fn compose(&self, replicas: u32) -> String {
        format!(
            "name: shop
services:
  web:
    image: shop:1
    ports: [\"127.0.0.1:{port}:8080\"]
    environment:
      GREETING: hello
      API_TOKEN: ${{API_TOKEN:?set it in .env}}
    deploy: {{ replicas: {replicas} }}
    stop_grace_period: 2s
    x-seaworthy:
      route: {{ path: / }}
      probe: {{ ready: GET /ready }}
      process: {{ command: [./bin/web] }}
  worker:
    image: shop:1
    environment: {{ ROLE: worker }}
    stop_grace_period: 2s
    x-seaworthy:
      process: {{ command: [./bin/worker] }}
  migrate:
    image: shop:1
    environment: {{ EXIT_CODE: \"0\" }}
    x-seaworthy:
      run: before-deploy
      process: {{ command: [./bin/migrate] }}
x-seaworthy:
  rollout: {{ ready_deadline: 3s, min_healthy: 200ms, drain: 5s }}
",
            port = self.port
        )
    }

    pub fn project(&self) -> PathBuf {
        self.folder.path().join("shop")
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Where secrets as files are kept in memory: what a restart of the machine empties.
    pub fn memory(&self) -> PathBuf {
        let letters = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let name: String = self.state().to_string_lossy().chars().map(letters).collect();
        let user = std::fs::metadata(self.folder.path()).unwrap();
        let user = std::os::unix::fs::MetadataExt::uid(&user);
        Path::new("/dev/shm").join(format!("seaworthy-{user}")).join(name.trim_matches('-'))
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.project().join(name), text).unwrap();
    }

    /// Puts a version of the sample program in place; 900 and above never get ready.
    pub fn install(&self, version: u32) {
        let sample = sample();
        for name in ["web", "worker", "migrate"] {
            let path = self.project().join("bin").join(name);
            let mut program = std::fs::read(&sample).unwrap();
            if name == "web" {
                patch(&mut program, version);
            }
            // A running program cannot be written over: a new file takes its name, as builds do.
            let beside = path.with_extension("new");
            std::fs::write(&beside, program).unwrap();
            std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(0o755)).unwrap();
            std::fs::rename(&beside, &path).unwrap();
        }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_seaworthy")), arguments)
    }

    /// A command of another copy of the program.
    pub fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.project())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .env("SEAWORTHY_STATE", self.state())
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, &[])
    }

    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        Ran::of(self.command(arguments).envs(variables.iter().copied()).output().unwrap())
    }

    /// Runs a command that must succeed.
    pub fn done(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "`seaworthy {}` failed:\n{}{}", arguments.join(" "), ran.stdout, ran.stderr);
        ran
    }

    /// The body of a GET through the gateway.
    pub fn get(&self, path: &str) -> Result<String, String> {
        get(self.port, path)
    }

    /// Every process whose command line or environment names this site's folder.
    pub fn processes(&self) -> Vec<u32> {
        let needle = self.folder.path().to_string_lossy().into_owned();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(process) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
            let text = |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
            let link = |name: &str| std::fs::read_link(entry.path().join(name)).unwrap_or_default();
            let all = [
                text("cmdline"),
                text("environ"),
                link("exe").to_string_lossy().into_owned().into_bytes(),
                link("cwd").to_string_lossy().into_owned().into_bytes(),
            ]
            .concat();
            if String::from_utf8_lossy(&all).contains(&needle) && process != std::process::id() {
                found.push(process);
            }
        }
        found
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.command(&["down", "-y"]).output();
        for process in self.processes() {
            let _ = Command::new("kill").args(["-9", &process.to_string()]).status();
        }
    }
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// One GET over a connection of its own.
pub fn get(port: u16, path: &str) -> Result<String, String> {
    use std::io::{Read, Write};
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream =
        TcpStream::connect_timeout(&address, Duration::from_secs(5)).map_err(|e| format!("connect: {e}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).map_err(|e| e.to_string())?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(|e| format!("send: {e}"))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(|e| format!("receive: {e}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("no answer: {answer:?}"))?;
    if head.starts_with("HTTP/1.1 200") {
        Ok(body.to_owned())
    } else {
        Err(head.lines().next().unwrap_or_default().to_owned())
    }
}

/// Waits until a condition holds; fails the test with `what` when it does not in time.
pub fn wait_until(what: &str, holds: impl FnMut() -> bool) {
    wait_at_most(Duration::from_secs(60), what, holds);
}

/// The same for what takes its time.
pub fn wait_at_most(time: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + time;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A port nobody listens on. Below the ranges that the kernel and the process engine take ports from, so that nobody
/// is given it in the meantime.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let step = NEXT.fetch_add(1, Ordering::SeqCst) + std::process::id() * 61;
        let port = 15_000 + u16::try_from(step % 4_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(kind) if kind.is_file() => files.push(path),
                _ => {}
            }
        }
    }
    files
}

/// The sample service; built when a narrow `cargo test` has not built it.
fn sample() -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    let folder = Path::new(env!("CARGO_BIN_EXE_seaworthy")).parent().unwrap();
    BUILT.get_or_init(|| {
        let target = folder.parent().unwrap();
        let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
        let build = Command::new(cargo)
            .args(["build", "--quiet", "--package", "seaworthy", "--example", "sample", "--target-dir"])
            .arg(target)
            .status();
        assert!(build.is_ok_and(|status| status.success()), "the sample service is built");
    });
    folder.join("examples/sample")
}

fn patch(program: &mut [u8], version: u32) {
    let mark = b"seaworthy-sample-ver=";
    let at =
        program.windows(mark.len()).position(|window| window == mark).expect("the sample holds its version");
    let digits = format!("{version:03}");
    program[at + mark.len()..at + mark.len() + 3].copy_from_slice(digits.as_bytes());
}
