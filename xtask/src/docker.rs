//! A Docker Engine for the suites that need one: the one that answers, else one that is installed and started.

use std::error::Error;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

use crate::run;
use crate::workspace::Workspace;

/// Where a daemon listens when nothing is said.
const SOCKET: &str = "/var/run/docker.sock";
/// How long the daemon may take to answer a question.
const ANSWER: Duration = Duration::from_secs(10);
/// How long it may take to start, and to stop.
const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(30);
/// How long the package manager may take.
const INSTALL: Duration = Duration::from_secs(300);
/// What a Debian machine needs for it; the program `docker` is a package of its own in newer releases.
const PACKAGES: [&str; 2] = ["docker.io", "iptables"];
const PROGRAM: &str = "docker-cli";
const INSTALL_WORDS: [&str; 4] = ["install", "--yes", "--quiet", "--no-install-recommends"];

/// A daemon that answers. When it was started here, it is stopped on drop.
#[derive(Debug)]
pub struct Daemon {
    process: Option<std::process::Child>,
    /// Its version, for people.
    pub version: String,
}

/// The daemon that answers, if one does.
pub fn answering() -> Option<Daemon> {
    Some(Daemon { process: None, version: version(Path::new(SOCKET))? })
}

/// The daemon that answers, else a new one; the error says why there is none, as the reason of a skipped suite.
///
/// # Errors
/// When none answers and none can be installed or started, or a person interrupts it.
pub fn installed(workspace: &Workspace, output: &mut dyn Write) -> Result<Daemon, Box<dyn Error>> {
    if let Some(daemon) = answering() {
        return Ok(daemon);
    }
    if !nix::unistd::geteuid().is_root() {
        return Err("no Docker Engine answers, and only root can install and start one".into());
    }
    if !found("dockerd") || !found("docker") {
        install(workspace, output)?;
    }
    start(workspace, output)
}

/// Installs a program by the package of its name, where it is not there and that is possible.
///
/// # Errors
/// When the package cannot be installed, or a person interrupts it.
pub fn need(workspace: &Workspace, program: &str, output: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    if found(program) || !nix::unistd::geteuid().is_root() || !found("apt-get") {
        return Ok(());
    }
    apt(workspace, &["update", "--quiet"], output)?;
    apt(workspace, &[&INSTALL_WORDS, [program].as_slice()].concat(), output)
}

fn install(workspace: &Workspace, output: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    if !found("apt-get") {
        return Err("no Docker Engine answers, and this machine has no `apt-get` to install one with".into());
    }
    apt(workspace, &["update", "--quiet"], output)?;
    apt(workspace, &[&INSTALL_WORDS, PACKAGES.as_slice()].concat(), output)?;
    if !found("docker") {
        apt(workspace, &[&INSTALL_WORDS, [PROGRAM].as_slice()].concat(), output)?;
    }
    Ok(())
}

fn apt(workspace: &Workspace, words: &[&str], output: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let command = [&["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"], words].concat();
    writeln!(output, "$ {}", command.join(" "))?;
    output.flush()?;
    let ran = run::run(workspace.root(), &command, INSTALL)?;
    if ran.status.success() { Ok(()) } else { Err(format!("`{}` failed", command.join(" ")).into()) }
}

/// Whether a program is on the search path that the system's own tools are on.
fn found(program: &str) -> bool {
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        .iter()
        .any(|folder| Path::new(folder).join(program).is_file())
}

#[expect(clippy::disallowed_methods, reason = "the daemon's log is a file of ours")]
fn start(workspace: &Workspace, output: &mut dyn Write) -> Result<Daemon, Box<dyn Error>> {
    // Packages may have started it already.
    if let Some(daemon) = answering() {
        return Ok(daemon);
    }
    let path = workspace.program("dockerd.log");
    let log = std::fs::File::create(&path)?;
    writeln!(output, "$ dockerd    # its log is {}", path.display())?;
    output.flush()?;
    let process = std::process::Command::new("dockerd")
        .stdin(std::process::Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .map_err(|error| format!("`dockerd` could not be started: {error}"))?;
    let mut daemon = Daemon { process: Some(process), version: String::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answered = runtime.block_on(async {
        let until = Instant::now() + START;
        loop {
            if let Some(version) = version(Path::new(SOCKET)) {
                return Ok(version);
            }
            if let Some(status) = daemon.process.as_mut().and_then(|process| process.try_wait().ok()?) {
                return Err(format!("`dockerd` ended with {status}: {}", last_line(&path)));
            }
            if Instant::now() >= until {
                return Err(format!(
                    "`dockerd` did not answer within {} s: {}",
                    START.as_secs(),
                    last_line(&path)
                ));
            }
            sleep(Duration::from_millis(100)).await;
        }
    });
    daemon.version = answered?;
    Ok(daemon)
}

#[expect(clippy::disallowed_methods, reason = "the daemon's log is a file of ours")]
fn last_line(path: &PathBuf) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().last().unwrap_or_default().to_owned()
}

/// What a daemon on a socket says of its version.
fn version(socket: &Path) -> Option<String> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(ANSWER)).ok()?;
    stream.write_all(b"GET /version HTTP/1.0\r\nHost: docker\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.take(1 << 20).read_to_string(&mut answer).ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let start = body.find('{')?;
    let end = body.rfind('}')?;
    let said: serde_json::Value = serde_json::from_str(body.get(start..=end)?).ok()?;
    let text = |key: &str| said.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
    Some(format!("Docker {}, API {}", text("Version")?, text("ApiVersion")?))
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let Some(process) = self.process.as_mut() else { return };
        let Ok(id) = i32::try_from(process.id()) else { return };
        let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let ended = runtime.is_ok_and(|runtime| {
            runtime.block_on(async {
                let until = Instant::now() + STOP;
                while Instant::now() < until {
                    if matches!(process.try_wait(), Ok(Some(_))) {
                        return true;
                    }
                    sleep(Duration::from_millis(100)).await;
                }
                false
            })
        });
        if !ended {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn only_what_answers_as_a_docker_engine_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("docker.sock");
        assert_eq!(version(&socket), None, "there is no socket");
        let listener = UnixListener::bind(&socket).unwrap();
        let answers = [
            "HTTP/1.0 200 OK\r\n\r\n{\"Version\":\"20.10.24\",\"ApiVersion\":\"1.41\"}\n",
            "HTTP/1.0 404 Not Found\r\n\r\nno",
        ];
        let served = std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut head = [0; 512];
                assert!(stream.read(&mut head).unwrap() > 0);
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        assert_eq!(version(&socket).unwrap(), "Docker 20.10.24, API 1.41");
        assert_eq!(version(&socket), None);
        served.join().unwrap();
        assert_eq!(version(&socket), None, "nobody listens");
    }
}
