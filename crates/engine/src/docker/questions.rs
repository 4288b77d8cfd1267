//! Asking an instance whether it is ready: over its address, or by a test inside it.

use std::net::SocketAddr;
use std::time::Duration;

use bollard::exec::{CreateExecOptions, StartExecResults};
use futures_util::StreamExt;
use seaworthy_project::ProjectName;
use seaworthy_project::model::healthcheck::HealthTest;
use tokio::time::timeout;

use crate::docker::client::{Client, message, refused};
use crate::docker::observe::{self, Container};
use crate::question::{SHOWN, cut, grpc, http, no, shown, tcp, unended, within};
use crate::{EngineError, InstanceId, InstanceState, Probe, ProbeOutcome};

/// Asks once.
pub(super) async fn ask(
    client: &Client,
    project: &ProjectName,
    id: &InstanceId,
    probe: &Probe,
) -> Result<ProbeOutcome, EngineError> {
    let found = observe::find(client, project, id).await?;
    let found = found.ok_or_else(|| EngineError::NoInstance { instance: id.to_string() })?;
    Ok(match probe {
        Probe::Running => running(&found),
        _ if found.instance.state != InstanceState::Running => running(&found),
        Probe::Http { port, path, timeout } => match address(&found, *port) {
            Some(address) => within(*timeout, http(address, path)).await,
            None => no(format!("it has no address for port {port}")),
        },
        Probe::Grpc { port, service, timeout } => match address(&found, *port) {
            Some(address) => within(*timeout, grpc::ask(address, service)).await,
            None => no(format!("it has no address for port {port}")),
        },
        Probe::Tcp { port, timeout } => match address(&found, *port) {
            Some(address) => within(*timeout, tcp(address)).await,
            None => no(format!("it has no address for port {port}")),
        },
        Probe::Test { test, timeout } => test_inside(client, &found, test, *timeout).await?,
    })
}

fn running(found: &Container) -> ProbeOutcome {
    match (found.instance.state, found.instance.exit) {
        (InstanceState::Running, _) => ProbeOutcome { ready: true, detail: "it runs".to_owned() },
        (_, Some(exit)) if exit.out_of_memory => {
            no(format!("it was ended for want of memory, with exit code {}", exit.code))
        }
        (_, Some(exit)) => no(format!("it ended with exit code {}", exit.code)),
        _ => no("it does not run".to_owned()),
    }
}

fn address(found: &Container, port: u16) -> Option<SocketAddr> {
    let (_, known) = found
        .instance
        .addresses
        .iter()
        .find(|(inside, _)| *inside == port)
        .or(found.instance.addresses.first())?;
    Some(SocketAddr::new(known.ip(), port))
}

/// Runs a health check's own test inside the container, as its user, with its variables.
async fn test_inside(
    client: &Client,
    found: &Container,
    test: &HealthTest,
    limit: Duration,
) -> Result<ProbeOutcome, EngineError> {
    let words = match test {
        HealthTest::Disabled => {
            return Ok(ProbeOutcome { ready: true, detail: "its health check is switched off".to_owned() });
        }
        HealthTest::Command(words) => words.clone(),
        HealthTest::Shell(text) => vec!["/bin/sh".to_owned(), "-c".to_owned(), text.clone()],
    };
    let attempt = || format!("run the health check of {}", found.instance.id);
    let options = CreateExecOptions {
        cmd: Some(words),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..CreateExecOptions::default()
    };
    let exec = match client.api.create_exec(&found.id, options).await {
        Ok(exec) => exec.id,
        // It ended or paused between the look and the question.
        Err(error) if super::client::is_status(&error, 409) => return Ok(no(message(&error))),
        Err(error) => return Err(refused(attempt())(error)),
    };
    let mut written = Vec::new();
    let done = timeout(limit, gather(client, &exec, &mut written)).await;
    let seen = match client.api.inspect_exec(&exec).await {
        Ok(seen) => seen,
        // It ended under its test, which is forgotten with it.
        Err(error) if super::client::is_status(&error, 404) => {
            return Ok(no("it ended under its test".to_owned()));
        }
        Err(error) => return Err(refused(attempt())(error)),
    };
    Ok(match done {
        Err(_) => {
            end(seen.pid.filter(|_| client.is_here));
            unended(limit, &written)
        }
        Ok(Err(error)) => no(cut(message(&error))),
        Ok(Ok(())) => {
            let code = seen.exit_code.unwrap_or(-1);
            let detail = cut(format!("exit status: {code}: {}", shown(&written)));
            ProbeOutcome { ready: code == 0, detail }
        }
    })
}

/// Reads what a test writes, to its end, and keeps the first of it.
async fn gather(client: &Client, exec: &str, written: &mut Vec<u8>) -> Result<(), bollard::errors::Error> {
    let StartExecResults::Attached { mut output, .. } = client.api.start_exec(exec, None).await? else {
        return Ok(());
    };
    while let Some(part) = output.next().await {
        let part = part?.into_bytes();
        let wanted = part.len().min(SHOWN.saturating_sub(written.len()));
        written.extend_from_slice(&part[..wanted]);
    }
    Ok(())
}

/// Ends a test that takes too long; the daemon has no call for it. Without the right to, it ends by itself.
fn end(process: Option<i64>) {
    let process = process.and_then(|process| i32::try_from(process).ok()).filter(|process| *process > 1);
    if let Some(process) = process {
        let _ =
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(process), nix::sys::signal::Signal::SIGKILL);
    }
}
