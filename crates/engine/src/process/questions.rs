//! Asking an instance whether it is ready.

use std::net::SocketAddr;
use std::process::Command as StdCommand;
use std::time::Duration;

use seaworthy_project::ProjectName;
use seaworthy_project::model::healthcheck::HealthTest;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

use crate::process::ProcessOptions;
use crate::process::folder::Folders;
use crate::process::observe;
use crate::process::shim::child::beside;
use crate::process::spec::Spec;
use crate::question::{SHOWN, cut, grpc, http, no, shown, tcp, unended, within};
use crate::{EngineError, Instance, InstanceId, InstanceState, Probe, ProbeOutcome};

/// How long the output of a test may take to end after the test has: something it left may hold the pipe open.
const OUTPUT_END: Duration = Duration::from_millis(200);

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
        Probe::Grpc { port, service, timeout } => match address(&instance, *port) {
            Some(address) => within(*timeout, grpc::ask(address, service)).await,
            None => no(format!("it has no address for port {port}")),
        },
        Probe::Tcp { port, timeout } => match address(&instance, *port) {
            Some(address) => within(*timeout, tcp(address)).await,
            None => no(format!("it has no address for port {port}")),
        },
        Probe::Test { test, timeout } => {
            run(&Spec::kept(&folder, &id.to_string(), &options.key)?, test, *timeout).await
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

/// Runs a health check's own test beside the instance, as its user, with its variables.
async fn run(spec: &Spec, test: &HealthTest, limit: Duration) -> ProbeOutcome {
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
    command.args(arguments);
    let could_not = |error: std::io::Error| no(format!("`{program}` could not be run: {error}"));
    if let Err(error) = beside(&mut command, spec) {
        return could_not(error);
    }
    let mut child = match Command::from(command).kill_on_drop(true).spawn() {
        Ok(child) => child,
        Err(error) => return could_not(error),
    };
    // It leads a session of its own, and with it a group.
    let group = child.id().and_then(|process| i32::try_from(process).ok());
    let (out, err) = (tokio::spawn(gather(child.stdout.take())), tokio::spawn(gather(child.stderr.take())));
    let ended = timeout(limit, child.wait()).await;
    if let Some(group) = group {
        let _ =
            nix::sys::signal::killpg(nix::unistd::Pid::from_raw(group), nix::sys::signal::Signal::SIGKILL);
    }
    let mut written = Vec::new();
    for output in [out, err] {
        written.extend(timeout(OUTPUT_END, output).await.ok().and_then(Result::ok).unwrap_or_default());
    }
    match ended {
        Ok(Ok(status)) => {
            let detail = format!("{status}: {}", shown(&written));
            ProbeOutcome { ready: status.success(), detail: cut(detail) }
        }
        Ok(Err(error)) => no(error.to_string()),
        Err(_) => unended(limit, &written),
    }
}

/// Reads a pipe to its end, so that its writer is never held up, and gives the first of it.
async fn gather(pipe: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let Some(mut pipe) = pipe else { return Vec::new() };
    let mut first = Vec::new();
    let mut buffer = [0; 4 << 10];
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        let wanted = count.min(SHOWN - first.len());
        first.extend_from_slice(&buffer[..wanted]);
    }
    first
}
