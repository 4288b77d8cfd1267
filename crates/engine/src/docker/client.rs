//! The connection to the daemon, and what its refusals mean.

use std::error::Error as _;
use std::io::ErrorKind;
use std::time::Duration;

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, Docker};

use crate::EngineError;
use crate::docker::options::DockerOptions;
use crate::docker::place::{DockerPlace, TlsPlace};
use crate::docker::transport;

/// What helps when the daemon keeps people waiting.
const SLOW: &str = "see whether `docker ps` answers, and what its log says (`journalctl -u docker`); where it is only slow, \
     `DOCKER_CLIENT_TIMEOUT` gives it more seconds";
/// What helps when the daemon went away in the middle.
const CUT_OFF: &str =
    "see whether Docker was stopped or restarted (`systemctl status docker`), then run the command again";
/// The oldest API that is spoken: Docker 20.10's.
const OLDEST: Version = Version(1, 41);

/// A version of the Engine API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(pub(super) usize, pub(super) usize);

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// A daemon that answers.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) api: Docker,
    pub(super) version: Version,
    /// How limits are kept: `cgroup v1` or `cgroup v2`.
    pub(super) limits: String,
    /// How many processors its machine has, where it says.
    pub(super) processors: Option<u64>,
    /// Whether system calls are filtered where nothing else is said.
    pub(super) filters_calls: bool,
    /// Whether AppArmor confines containers where nothing else is said.
    pub(super) has_apparmor: bool,
    /// Whether its containers' processes are ones of this machine.
    pub(super) is_here: bool,
    pub(super) place: DockerPlace,
    /// How long it may take to begin an answer.
    pub(super) answer: Duration,
}

impl Client {
    /// Connects, and agrees on a version.
    pub(super) async fn connect(options: &DockerOptions) -> Result<Self, EngineError> {
        let (place, answer) = (&options.place, options.answer);
        let unreachable = |error: Error| unreachable(place, &error);
        let api = match place {
            DockerPlace::Socket(path) => {
                Docker::connect_with_unix(&path.to_string_lossy(), answer.as_secs(), API_DEFAULT_VERSION)
            }
            DockerPlace::Tcp(address) => {
                Docker::connect_with_http(&format!("tcp://{address}"), answer.as_secs(), API_DEFAULT_VERSION)
            }
            DockerPlace::Tls(place) => Ok(transport::tls::connect(place, answer)?),
            DockerPlace::Ssh(place) => transport::ssh::connect(place, options),
        };
        let api = api.map_err(unreachable)?.negotiate_version().await.map_err(unreachable)?;
        let agreed = api.client_version();
        let version = Version(agreed.major_version, agreed.minor_version);
        if version < OLDEST {
            return Err(EngineError::Unreachable {
                engine: "Docker".to_owned(),
                reason: format!("it speaks API {version}, and {OLDEST} is the oldest that is understood"),
                hint: "update Docker to 20.10 or newer".to_owned(),
            });
        }
        let info = api.info().await.map_err(unreachable)?;
        let limits = match info.cgroup_version {
            Some(bollard::models::SystemInfoCgroupVersionEnum::_2) => "cgroup v2",
            _ => "cgroup v1",
        };
        let security = info.security_options.unwrap_or_default();
        let has = |name: &str| {
            security.iter().any(|option| option.split(',').any(|part| part == format!("name={name}")))
        };
        let (filters_calls, has_apparmor) = (has("seccomp"), has("apparmor"));
        Ok(Self {
            api,
            version,
            limits: limits.to_owned(),
            processors: info.ncpu.and_then(|count| u64::try_from(count).ok()).filter(|count| *count > 0),
            filters_calls,
            has_apparmor,
            is_here: place.is_here(),
            place: place.clone(),
            answer,
        })
    }

    /// The same connection for calls that begin to answer late.
    pub(super) fn patient(&self, more: Duration) -> Docker {
        self.api.clone().with_timeout(self.answer + more)
    }
}

/// Whether the daemon answered with that status.
pub(super) fn is_status(error: &Error, wanted: u16) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code, .. } if *status_code == wanted)
}

/// What the daemon said.
pub(super) fn message(error: &Error) -> String {
    match error {
        Error::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        Error::DockerStreamError { error } => error.trim().to_owned(),
        Error::RequestTimeoutError => "it did not answer in time".to_owned(),
        other => {
            let mut text = other.to_string();
            let mut cause = other.source();
            while let Some(next) = cause {
                let more = next.to_string();
                if !text.ends_with(&more) {
                    text = format!("{text}: {more}");
                }
                cause = next.source();
            }
            text
        }
    }
}

/// Names what was attempted when the daemon refused it, and what helps.
pub(super) fn refused(attempt: impl Into<String>) -> impl FnOnce(Error) -> EngineError {
    move |error| {
        let attempt = attempt.into();
        let reason = message(&error);
        let (reason, hint) = match connection_error(&error) {
            Some(
                kind @ (ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::ConnectionRefused),
            ) => {
                return EngineError::Unreachable {
                    engine: "Docker".to_owned(),
                    reason: format!("could not {attempt}: {}", told(kind, &error)),
                    hint: hint_for(kind).to_owned(),
                };
            }
            Some(_) => (
                format!("the engine closed the connection before it had answered ({})", deepest(&error)),
                Some(CUT_OFF),
            ),
            None if matches!(error, Error::RequestTimeoutError) => (reason, Some(SLOW)),
            None => {
                let hint = hint_for_message(&reason);
                (reason, hint)
            }
        };
        EngineError::Refused { attempt, reason, hint: hint.map(str::to_owned) }
    }
}

/// What helps when `ssh` did not get there, or found nothing there.
fn over_ssh(typed: &str) -> String {
    format!(
        "`ssh {typed} docker version` must work without asking anything: sign in with a key that an agent holds, and accept the machine's own key once"
    )
}

/// What helps when one side does not trust the other.
fn over_tls(place: &TlsPlace) -> String {
    format!(
        "see that `ca.pem` in `{}` signed the engine's certificate, which names `{}`, and that the engine knows who signed `cert.pem`",
        place.certificates.display(),
        place.host()
    )
}

/// What lies at the bottom: what is above it only names layers of this program.
fn deepest(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

fn hint_for_message(message: &str) -> Option<&'static str> {
    let has = |text: &str| message.contains(text);
    if has("no space left on device") {
        Some(
            "make room: `docker system df` tells what takes it, `docker image prune` and `docker builder prune` free some",
        )
    } else if has("port is already allocated") || has("address already in use") {
        Some("another program has that port: stop it, or publish another one; `ss -ltnup` lists who listens")
    } else if has("non-overlapping IPv4 address pool")
        || has("predefined address pools have been fully subnetted")
    {
        Some(
            "all of Docker's address pools are taken: `docker network prune`, or widen `default-address-pools` in daemon.json",
        )
    } else if has("Pool overlaps with other one") {
        Some("choose another `ipam.config.subnet`: another network has this one")
    } else if has("executable file not found") || has("no such file or directory: unknown") {
        Some("the command is not in the image: correct `command` or `entrypoint`")
    } else if has("permission denied: unknown") {
        Some("the command in the image is not executable")
    } else if has("could not select device driver") {
        Some("the engine has no driver for these devices: install it, such as the NVIDIA container toolkit")
    } else if has("unknown or invalid runtime name") || has("Unknown runtime specified") {
        Some("declare the runtime in daemon.json, or take `runtime` away")
    } else if has("No such image") {
        Some("the image was removed in the meantime: deploy again, which builds or fetches it")
    } else if has("--storage-opt is supported only") {
        Some("this storage driver cannot limit the size: take `storage_opt` away, or use one that can")
    } else {
        None
    }
}

fn unreachable(place: &DockerPlace, error: &Error) -> EngineError {
    let shown = match place {
        DockerPlace::Socket(path) => path.display().to_string(),
        DockerPlace::Tcp(address) => address.clone(),
        DockerPlace::Tls(_) | DockerPlace::Ssh(_) => place.to_string(),
    };
    let kind = connection_error(error).unwrap_or(ErrorKind::Other);
    let hint = match error {
        Error::RequestTimeoutError => SLOW,
        Error::DockerResponseServerError { message, .. }
            if message.contains("Minimum supported API version") =>
        {
            "this Docker is newer than seaworthy understands: update seaworthy"
        }
        Error::DockerResponseServerError { .. } => "its log says more: `journalctl -u docker`",
        _ => hint_for(kind),
    };
    let (reason, hint) = match place {
        DockerPlace::Ssh(place) if matches!(kind, ErrorKind::Other) => {
            (deepest(error), over_ssh(&place.typed()))
        }
        DockerPlace::Tls(place) if !matches!(kind, ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            (deepest(error), over_tls(place))
        }
        _ => (told(kind, error), hint.to_owned()),
    };
    EngineError::Unreachable { engine: "Docker".to_owned(), reason: format!("`{shown}`: {reason}"), hint }
}

/// What kept a connection from being made or used, if that was the cause.
fn connection_error(error: &Error) -> Option<ErrorKind> {
    match error {
        Error::SocketNotFoundError(_) => return Some(ErrorKind::NotFound),
        Error::HyperLegacyError { .. } | Error::HyperResponseError { .. } | Error::IOError { .. } => {}
        _ => return None,
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(link) = cause {
        if let Some(found) = link.downcast_ref::<std::io::Error>() {
            return Some(found.kind());
        }
        cause = link.source();
    }
    // Some variants show their cause and do not name it as their source.
    let text = message(error);
    let kinds = [
        ("ermission denied", ErrorKind::PermissionDenied),
        ("onnection refused", ErrorKind::ConnectionRefused),
        ("No such file", ErrorKind::NotFound),
    ];
    let known = kinds.iter().find(|(words, _)| text.contains(words)).map(|(_, kind)| *kind);
    Some(known.unwrap_or(ErrorKind::Other))
}

fn told(kind: ErrorKind, error: &Error) -> String {
    match kind {
        ErrorKind::NotFound => "there is no such socket".to_owned(),
        ErrorKind::PermissionDenied => "this user may not use the socket".to_owned(),
        ErrorKind::ConnectionRefused => "nothing answers there".to_owned(),
        _ => message(error),
    }
}

fn hint_for(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::PermissionDenied => {
            "add the user to the group `docker` and log in again, or run the command as root"
        }
        _ => "start it (`systemctl start docker`), or say where it is with `DOCKER_HOST`",
    }
}
