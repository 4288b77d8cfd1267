//! The client of the admin socket.

mod upgrade;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep, timeout};

use crate::error::GatewayError;
use crate::maintenance::Maintenance;
use crate::place::Place;
use crate::route::{RouteSet, SetHash};
use crate::wire::{Answer, Ask, Asked, MAX_LINE_BYTES, Refusal, Status, VERSION};

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);
/// How long a worker may be away while it is started again.
const AWAY: Duration = Duration::from_secs(3);
/// Between two tries to reach it.
const PAUSE: Duration = Duration::from_millis(25);

/// Talks to the gateway of a state folder.
#[derive(Debug, Clone)]
pub struct Client {
    place: Place,
}

impl Client {
    /// A client for the gateway of this state folder.
    pub fn new(state: impl Into<PathBuf>) -> Self {
        Self { place: Place::new(&state.into()) }
    }

    /// The state folder.
    pub fn state(&self) -> &Path {
        self.place.state()
    }

    /// Whether a gateway answers.
    pub async fn is_running(&self) -> bool {
        self.answers(ANSWER).await
    }

    /// Whether it answers within this time.
    pub(crate) async fn answers(&self, limit: Duration) -> bool {
        self.glance(limit).await.is_some()
    }

    /// How it is, where it says so within this time; nothing where it is not there, or busy.
    pub async fn glance(&self, limit: Duration) -> Option<Status> {
        match self.once(&Ask::Status, limit).await {
            Ok(Answer::Status { status }) => Some(status),
            _ => None,
        }
    }

    /// Whether what answers speaks another version of its protocol.
    pub(crate) async fn is_foreign(&self, limit: Duration) -> Option<GatewayError> {
        match self.once(&Ask::Status, limit).await {
            Ok(Answer::Refused { refusal: refusal @ Refusal::Version { .. } }) => Some(refusal.into()),
            _ => None,
        }
    }

    /// Replaces a project's whole set; answers with the hash of what is served from now on.
    ///
    /// # Errors
    /// When the set is refused; the old one is served then.
    pub async fn put(&self, project: &str, set: &RouteSet) -> Result<SetHash, GatewayError> {
        let ask = Ask::Put { project: project.to_owned(), set: set.clone() };
        match self.ask(&ask, ANSWER).await? {
            Answer::Serving { hash } => Ok(hash),
            other => Err(unexpected(&other)),
        }
    }

    /// A project's set and its hash.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub async fn get(&self, project: &str) -> Result<Option<(RouteSet, SetHash)>, GatewayError> {
        match self.ask(&Ask::Get { project: project.to_owned() }, ANSWER).await? {
            Answer::Set { found } => Ok(found),
            other => Err(unexpected(&other)),
        }
    }

    /// Takes a project out.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub async fn remove(&self, project: &str) -> Result<(), GatewayError> {
        match self.ask(&Ask::Remove { project: project.to_owned() }, ANSWER).await? {
            Answer::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// Has the gateway answer a project's clients with 503, or serve them again.
    ///
    /// # Errors
    /// When it does not answer, or cannot keep that.
    pub async fn maintain(
        &self,
        project: &str,
        maintenance: Option<Maintenance>,
    ) -> Result<(), GatewayError> {
        let ask = Ask::Maintain { project: project.to_owned(), maintenance };
        match self.ask(&ask, ANSWER).await? {
            Answer::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// Whether a project is being worked on.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub async fn maintained(&self, project: &str) -> Result<Option<Maintenance>, GatewayError> {
        match self.ask(&Ask::Maintained { project: project.to_owned() }, ANSWER).await? {
            Answer::Maintained { found } => Ok(found),
            other => Err(unexpected(&other)),
        }
    }

    /// Whether a set would be accepted. Changes nothing.
    ///
    /// # Errors
    /// Why it would not.
    pub async fn check(&self, project: &str, set: &RouteSet) -> Result<(), GatewayError> {
        let ask = Ask::Check { project: project.to_owned(), set: set.clone() };
        match self.ask(&ask, ANSWER).await? {
            Answer::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// Waits until no request and no TCP connection is in flight to backends that were taken out; answers how many
    /// are left at the limit, when TCP connections are closed.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub async fn drain(
        &self,
        project: &str,
        backends: &[String],
        limit: Duration,
    ) -> Result<u64, GatewayError> {
        let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        let ask = Ask::Drain { project: project.to_owned(), backends: backends.to_vec(), limit_ms };
        match self.ask(&ask, limit + ANSWER).await? {
            Answer::Left { requests } => Ok(requests),
            other => Err(unexpected(&other)),
        }
    }

    /// Takes backends out of traffic, or back in. It lasts until it is undone, or the project gets another set.
    ///
    /// # Errors
    /// When the gateway does not answer, or cannot keep it.
    pub async fn set_aside(
        &self,
        project: &str,
        backends: &[String],
        aside: bool,
    ) -> Result<(), GatewayError> {
        let ask = Ask::SetAside { project: project.to_owned(), backends: backends.to_vec(), aside };
        match self.ask(&ask, ANSWER).await? {
            Answer::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// How the gateway is.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn status(&self) -> Result<Status, GatewayError> {
        match self.ask(&Ask::Status, ANSWER).await? {
            Answer::Status { status } => Ok(status),
            other => Err(unexpected(&other)),
        }
    }

    /// Its metrics in the Prometheus text format.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn metrics(&self) -> Result<String, GatewayError> {
        match self.ask(&Ask::Metrics, ANSWER).await? {
            Answer::Text { text } => Ok(text),
            other => Err(unexpected(&other)),
        }
    }

    /// Lets the gateway end when no project has routes; answers whether it does.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn stop_if_idle(&self) -> Result<bool, GatewayError> {
        match self.ask(&Ask::StopIfIdle, ANSWER).await? {
            Answer::Stopping { stopping } => Ok(stopping),
            other => Err(unexpected(&other)),
        }
    }

    /// Asks; while the worker is being replaced, tries for a while. Everything asked may be repeated.
    async fn ask(&self, ask: &Ask, limit: Duration) -> Result<Answer, GatewayError> {
        let until = Instant::now() + AWAY;
        loop {
            let answer = match self.once(ask, limit).await {
                Ok(Answer::Refused { refusal }) => Err(refusal.into()),
                other => other,
            };
            match answer {
                Err(GatewayError::NotRunning { .. } | GatewayError::Io { .. } | GatewayError::Stopping)
                    if Instant::now() < until && self.is_held() =>
                {
                    sleep(PAUSE).await;
                }
                // It ended over the question, and nothing will take its place.
                Err(GatewayError::Stopping) => return Err(self.not_running()),
                Err(GatewayError::Io { source, .. }) if is_cut_off(&source) => return Err(self.not_running()),
                other => return other,
            }
        }
    }

    fn not_running(&self) -> GatewayError {
        GatewayError::NotRunning { state: self.place.state().to_owned() }
    }

    /// Whether a supervisor holds its lock: then a worker that does not answer will be back.
    fn is_held(&self) -> bool {
        matches!(self.place.lock(), Ok(None))
    }

    pub(crate) async fn once(&self, ask: &Ask, limit: Duration) -> Result<Answer, GatewayError> {
        let gone = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => self.not_running(),
            _ => GatewayError::io("reach the gateway")(error),
        };
        let mut stream = UnixStream::connect(self.place.admin()).await.map_err(gone)?;
        let asked = async {
            let mut line = serde_json::to_vec(&Asked { version: VERSION, ask: ask.clone() })?;
            line.push(b'\n');
            stream.write_all(&line).await?;
            let mut answer = String::new();
            BufReader::new(stream).take(MAX_LINE_BYTES as u64).read_line(&mut answer).await?;
            if answer.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Ok(answer)
        };
        let late = |_| GatewayError::Timeout { asked: name(ask), after: limit };
        let answer =
            timeout(limit, asked).await.map_err(late)?.map_err(GatewayError::io("ask the gateway"))?;
        serde_json::from_str(&answer).map_err(|error| GatewayError::Protocol { reason: error.to_string() })
    }
}

fn is_cut_off(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}

fn name(ask: &Ask) -> &'static str {
    match ask {
        Ask::Put { .. } => "put",
        Ask::Get { .. } => "get",
        Ask::Remove { .. } => "remove",
        Ask::Maintain { .. } => "maintain",
        Ask::Maintained { .. } => "maintained",
        Ask::Check { .. } => "check",
        Ask::Drain { .. } => "drain",
        Ask::SetAside { .. } => "set_aside",
        Ask::Status => "status",
        Ask::Metrics => "metrics",
        Ask::StopIfIdle => "stop_if_idle",
    }
}

fn unexpected(answer: &Answer) -> GatewayError {
    GatewayError::Protocol { reason: format!("it answered {answer:?}").chars().take(200).collect() }
}
