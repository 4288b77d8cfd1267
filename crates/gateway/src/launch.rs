//! Makes sure that a gateway runs, detached from whoever needs it.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::client::Client;
use crate::error::GatewayError;
use crate::place::Place;
use crate::supervisor::Start;

/// Between two looks whether it answers.
const PAUSE: Duration = Duration::from_millis(20);
/// How long one such look may take.
const LOOK: Duration = Duration::from_secs(2);
/// How long a supervisor may take to lock its folder before another one is started.
const START: Duration = Duration::from_secs(1);

/// The program that plays supervisor and worker: `supervise --state DIR` and `work --state DIR` are put behind its
/// arguments.
#[derive(Debug, Clone)]
pub struct Program {
    /// The file.
    pub path: PathBuf,
    /// What comes before `supervise` or `work`.
    pub arguments: Vec<String>,
    /// The words of one more process that the supervisor keeps alive, by the same file; none for no such process. The
    /// processes that have one are started with `--companion`. When the supervisor ends, its standard input is closed.
    pub companion: Vec<String>,
}

impl Program {
    pub(crate) fn command(&self, role: &str, state: &Path) -> Command {
        let mut command = Command::new(&self.path);
        // Nothing of the caller's environment: what stays running must not keep its secrets.
        command.args(&self.arguments).arg(role).arg("--state").arg(state).env_clear().current_dir("/");
        if !self.companion.is_empty() {
            command.arg("--companion");
        }
        command
    }
}

/// Makes sure that the gateway of a state folder runs and answers. Two callers at once start one.
///
/// # Errors
/// When it cannot be started, or does not answer in time.
pub async fn launch(program: &Program, state: &Path, limit: Duration) -> Result<Client, GatewayError> {
    let absolute = |path: &Path| {
        std::path::absolute(path).map_err(GatewayError::io(format!("resolve `{}`", path.display())))
    };
    let program = Program { path: absolute(&program.path)?, ..program.clone() };
    let place = Place::new(&absolute(state)?);
    let client = Client::new(place.state());
    let until = Instant::now() + limit;
    let mut start_again = Instant::now();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if client.answers(left.min(LOOK)).await {
            relieve(&client, &program, &place).await;
            return Ok(client);
        }
        if let Some(foreign) = client.is_foreign(left.min(LOOK)).await {
            return Err(foreign);
        }
        if Instant::now() >= until {
            return Err(GatewayError::DidNotStart { after: limit, log: place.supervisor_log() });
        }
        place.make()?;
        if Instant::now() >= start_again && matches!(place.lock(), Ok(Some(_))) {
            start(&program, &place, Stdio::null(), Start::Anew)?;
            start_again = Instant::now() + START;
        }
        sleep(PAUSE).await;
    }
}

/// Puts a supervisor of its own in place of one that a worker started; whether it did. That one serves no worse, so nothing
/// fails for it.
pub(crate) async fn relieve(client: &Client, program: &Program, place: &Place) -> bool {
    if !client.supervisor_now().await.is_some_and(|supervisor| supervisor.stands_in) {
        return false;
    }
    let Ok(stream) = client.take_over().await else { return false };
    start(program, place, Stdio::from(OwnedFd::from(stream)), Start::Inheriting).is_ok()
}

/// Starts a supervisor; it makes a session of its own.
pub(crate) fn start(program: &Program, place: &Place, stdin: Stdio, how: Start) -> Result<(), GatewayError> {
    let failed = |source: io::Error| GatewayError::Start { program: program.path.clone(), source };
    let log = place.open_supervisor_log()?;
    let mut command = program.command("supervise", place.state());
    match how {
        Start::Anew => {}
        Start::Adopting => _ = command.arg("--adopt"),
        Start::Inheriting => _ = command.arg("--kept"),
    }
    let mut child =
        command.stdin(stdin).stdout(log.try_clone().map_err(failed)?).stderr(log).spawn().map_err(failed)?;
    // Reaped by a thread of its own, so that a supervisor that ends while this process lives leaves no trace.
    std::thread::spawn(move || child.wait());
    Ok(())
}
