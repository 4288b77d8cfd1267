//! Asking an instance whether it is ready.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command as StdCommand, Stdio};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper_util::rt::TokioIo;
use seaworthy_project::ProjectName;
use seaworthy_project::model::healthcheck::HealthTest;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

use crate::process::ProcessOptions;
use crate::process::folder::Folders;
use crate::process::observe;
use crate::process::spec::Spec;
use crate::{EngineError, Instance, InstanceId, InstanceState, Probe, ProbeOutcome};

/// So much of an answer is shown.
const SHOWN: usize = 4 << 10;

/// Asks once.
pub(super) async fn ask(
    options: &ProcessOptions,
    folders: &Folders,
    project: &ProjectName,
    id: &InstanceId,
    probe: &Probe,
) -> Result<ProbeOutcome, EngineError> {
    let folder = folders.instance(project, id);
    let missing = || EngineError::NoInstance { instance: id.to_string() };
    let instance = observe::instance(&folder)?.ok_or_else(missing)?;
    Ok(match probe {
        Probe::Running => running(&instance),
        _ if instance.state != InstanceState::Running => running(&instance),
        Probe::Http { port, path, timeout } => match address(&instance, *port) {
            Some(address) => within(*timeout, http(address, path)).await,
            None => no(format!("it has no address for port {port}")),
        },
        Probe::Tcp { port, timeout } => match address(&instance, *port) {
            Some(address) => within(*timeout, tcp(address)).await,
            None => no(format!("it has no address for port {port}")),
        },
        Probe::Test { test, timeout } => {
            run(&folder, &Spec::kept(&folder, &id.to_string(), &options.key)?, test, *timeout).await
        }
    })
}

fn running(instance: &Instance) -> ProbeOutcome {
    match (instance.state, instance.exit) {
        (InstanceState::Running, _) => ProbeOutcome { ready: true, detail: "it runs".to_owned() },
        (_, Some(exit)) => no(format!("it ended with exit code {}", exit.code)),
        _ => no("it does not run".to_owned()),
    }
}

fn address(instance: &Instance, port: u16) -> Option<SocketAddr> {
    instance.addresses.iter().find(|(inside, _)| *inside == port).map(|(_, address)| *address)
}

async fn within(limit: Duration, answer: impl Future<Output = ProbeOutcome>) -> ProbeOutcome {
    timeout(limit, answer).await.unwrap_or_else(|_| no(format!("no answer within {} s", limit.as_secs_f64())))
}

async fn tcp(address: SocketAddr) -> ProbeOutcome {
    match TcpStream::connect(address).await {
        Ok(_) => ProbeOutcome { ready: true, detail: "it takes connections".to_owned() },
        Err(error) => no(told(&error)),
    }
}

async fn http(address: SocketAddr, path: &str) -> ProbeOutcome {
    let stream = match TcpStream::connect(address).await {
        Ok(stream) => stream,
        Err(error) => return no(told(&error)),
    };
    let (mut sender, connection) = match hyper::client::conn::http1::handshake(TokioIo::new(stream)).await {
        Ok(both) => both,
        Err(error) => return no(error.to_string()),
    };
    tokio::spawn(connection);
    let request = Request::get(path)
        .header("host", "localhost")
        .header("user-agent", "seaworthy-probe")
        .header("connection", "close")
        .body(Empty::<Bytes>::new());
    let request = match request {
        Ok(request) => request,
        Err(error) => return no(error.to_string()),
    };
    match sender.send_request(request).await {
        Ok(answer) => {
            let status = answer.status();
            if (200..400).contains(&status.as_u16()) {
                return ProbeOutcome { ready: true, detail: status.to_string() };
            }
            let body = Limited::new(answer.into_body(), SHOWN).collect().await;
            let body = body.map(|body| shown(&body.to_bytes())).unwrap_or_default();
            no(format!("{status} {body}").trim().to_owned())
        }
        Err(error) => no(error.to_string()),
    }
}

/// Runs a health check's own test beside the instance, as its user, with its variables.
async fn run(_folder: &Path, spec: &Spec, test: &HealthTest, limit: Duration) -> ProbeOutcome {
    let words: Vec<&str> = match test {
        HealthTest::Disabled => {
            return ProbeOutcome { ready: true, detail: "its health check is switched off".to_owned() };
        }
        HealthTest::Command(words) => words.iter().map(String::as_str).collect(),
        // The text is the user's own, handed over as one word.
        HealthTest::Shell(text) => vec!["/bin/sh", "-c", text],
    };
    let Some((program, arguments)) = words.split_first() else {
        return no("its health check is empty".to_owned());
    };
    let mut command = StdCommand::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(&spec.variables)
        .current_dir(&spec.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    if let Some(user) = spec.user {
        command.gid(user.gid).uid(user.uid);
    }
    let mut child = match Command::from(command).kill_on_drop(true).spawn() {
        Ok(child) => child,
        Err(error) => return no(format!("`{program}` could not be run: {error}")),
    };
    let group = child.id().and_then(|process| i32::try_from(process).ok());
    let mut written = Vec::new();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let ended = timeout(limit, async {
        if let Some(out) = out {
            let _ = out.take(SHOWN as u64).read_to_end(&mut written).await;
        }
        if let Some(err) = err {
            let _ = err.take(SHOWN as u64).read_to_end(&mut written).await;
        }
        child.wait().await
    })
    .await;
    match ended {
        Ok(Ok(status)) => {
            ProbeOutcome { ready: status.success(), detail: format!("{status}: {}", shown(&written)) }
        }
        Ok(Err(error)) => no(error.to_string()),
        Err(_) => {
            if let Some(group) = group {
                let _ = nix::sys::signal::killpg(
                    nix::unistd::Pid::from_raw(group),
                    nix::sys::signal::Signal::SIGKILL,
                );
            }
            no(format!("its test did not end within {} s", limit.as_secs_f64()))
        }
    }
}

fn no(detail: String) -> ProbeOutcome {
    ProbeOutcome { ready: false, detail }
}

fn told(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        _ => error.to_string(),
    }
}

fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]);
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
}
