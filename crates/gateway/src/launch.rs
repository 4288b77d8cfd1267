//! Makes sure that a gateway runs, detached from whoever needs it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::client::Client;
use crate::error::GatewayError;
use crate::place::Place;

/// Between two looks whether it answers.
const PAUSE: Duration = Duration::from_millis(20);

/// The program that plays supervisor and worker: `supervise --state DIR` and `work --state DIR` are put behind its
/// arguments.
#[derive(Debug, Clone)]
pub struct Program {
    /// The file.
    pub path: PathBuf,
    /// What comes before `supervise` or `work`.
    pub arguments: Vec<String>,
}

impl Program {
    pub(crate) fn command(&self, role: &str, state: &Path) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.arguments).arg(role).arg("--state").arg(state).current_dir("/");
        command
    }
}

/// Makes sure that the gateway of a state folder runs and answers. Two callers at once start one.
///
/// # Errors
/// When it cannot be started, or does not answer in time.
pub async fn launch(program: &Program, state: &Path, limit: Duration) -> Result<Client, GatewayError> {
    let client = Client::new(state);
    if client.is_running().await {
        return Ok(client);
    }
    let place = Place::new(state);
    place.make()?;
    if matches!(place.lock(), Ok(Some(_))) {
        start(program, &place, Stdio::null(), false)?;
    }
    let until = Instant::now() + limit;
    while !client.is_running().await {
        if Instant::now() >= until {
            return Err(GatewayError::DidNotStart { after: limit, log: place.supervisor_log() });
        }
        sleep(PAUSE).await;
    }
    Ok(client)
}

/// Starts a supervisor; it makes a session of its own.
pub(crate) fn start(program: &Program, place: &Place, stdin: Stdio, adopt: bool) -> Result<(), GatewayError> {
    let failed = |source: io::Error| GatewayError::Start { program: program.path.clone(), source };
    let log = place.open_supervisor_log()?;
    let mut command = program.command("supervise", place.state());
    if adopt {
        command.arg("--adopt");
    }
    let mut child =
        command.stdin(stdin).stdout(log.try_clone().map_err(failed)?).stderr(log).spawn().map_err(failed)?;
    // Reaped by a thread of its own, so that a supervisor that ends while this process lives leaves no trace.
    std::thread::spawn(move || child.wait());
    Ok(())
}
