//! What can go wrong between a caller and the gateway, each with what to do about it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// Why the gateway did not do what it was asked to.
#[derive(Debug, Error)]
pub enum GatewayError {
    /// Nothing answers in this state folder.
    #[error("the gateway of `{}` is not running.", state.display())]
    NotRunning {
        /// The state folder.
        state: PathBuf,
    },
    /// The gateway is about to end; the next one has not taken over in time.
    #[error("the gateway is stopping.")]
    Stopping,
    /// Another program listens there.
    #[error("the address `{address}` is taken by another program.")]
    AddressInUse {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The system does not let this user listen there.
    #[error("this user may not listen on `{address}`.")]
    AddressDenied {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The address is not one of this machine, or the system refuses it for another reason.
    #[error("cannot listen on `{address}`: {reason}.")]
    AddressUnusable {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        reason: String,
    },
    /// Another project already answers there.
    #[error("`{host}{path}` on `{listen}` already belongs to route `{taken_by}` of project `{project}`.")]
    Conflict {
        /// The address both listen on.
        listen: SocketAddr,
        /// The host both answer to; `*` is any.
        host: String,
        /// The path both answer to.
        path: String,
        /// The project that has it.
        project: String,
        /// That project's route.
        taken_by: String,
    },
    /// The set contradicts itself or holds a value out of bounds.
    #[error("the routes cannot be served: {reason}.")]
    Invalid {
        /// What is wrong, with the route's name.
        reason: String,
    },
    /// A certificate cannot be served.
    #[error("route `{route}` has no certificate that can be served: {reason}.")]
    Certificate {
        /// The route.
        route: String,
        /// What is wrong.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// The two sides speak different versions of the admin protocol.
    #[error("the running gateway speaks version {theirs} of its protocol, this program speaks {ours}.")]
    Version {
        /// The gateway's version.
        theirs: u32,
        /// This program's version.
        ours: u32,
    },
    /// The gateway did not become another program.
    #[error("the gateway was not upgraded: {reason}.")]
    NotUpgraded {
        /// What it said.
        reason: String,
    },
    /// Its worker is of the other program, its supervisor is not.
    #[error("the gateway serves by this program, but its supervisor is still the one before: {reason}.")]
    HalfUpgraded {
        /// What it said.
        reason: String,
    },
    /// The gateway that runs cannot be asked to become another program.
    #[error("the gateway that runs is of a version that cannot be upgraded while it serves.")]
    TooOld,
    /// No answer in time.
    #[error("the gateway did not answer `{asked}` within {after:?}.")]
    Timeout {
        /// What was asked.
        asked: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// The answer could not be understood.
    #[error("the gateway's answer could not be understood: {reason}.")]
    Protocol {
        /// What was wrong with it.
        reason: String,
    },
    /// The gateway tried and failed; nothing was changed.
    #[error("the gateway could not do it: {reason}.")]
    Failed {
        /// What it said.
        reason: String,
    },
    /// The gateway's program could not be started.
    #[error("the gateway's program `{}` could not be started.", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// It was started but ended, or did not answer in time.
    #[error("the gateway was started but did not answer within {after:?}.")]
    DidNotStart {
        /// How long was waited.
        after: Duration,
        /// Where its processes write what went wrong.
        log: PathBuf,
    },
    /// A running worker did not hand its sockets over to the new supervisor.
    #[error("the running gateway did not hand over its sockets.")]
    HandOver,
    /// The worker was started by hand, without the socket that its supervisor gives it.
    #[error("the gateway's worker must be started by its supervisor.")]
    NotSupervised,
    /// The snapshot on disk cannot be read.
    #[error("the snapshot `{}` cannot be read: {reason}.", path.display())]
    Snapshot {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A system call failed.
    #[error("could not {doing}.")]
    Io {
        /// What was tried, as words that follow "could not".
        doing: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

/// An error and what caused it, as words without a full stop.
pub(crate) fn with_cause(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let text = text.trim_end_matches('.');
    match error.source() {
        Some(cause) => format!("{text} ({cause})"),
        None => text.to_owned(),
    }
}

impl GatewayError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NotRunning { .. } => "start it with a deploy; `seaworthy doctor` says more.".into(),
            Self::Stopping | Self::Timeout { .. } => "try again in a few seconds.".into(),
            Self::AddressInUse { address } => {
                format!(
                    "see who has it with `ss -ltnp 'sport = :{}'`, or publish another port.",
                    address.port()
                )
            }
            Self::AddressDenied { address } => format!(
                "publish a port of 1024 or more, run as root, or allow it with `sysctl net.ipv4.ip_unprivileged_port_start={}`.",
                address.port()
            ),
            Self::AddressUnusable { .. } => "use an address of this machine, such as `0.0.0.0`.".into(),
            Self::Conflict { project, .. } => {
                format!("give one of them another host, path or port, or take `{project}` down first.")
            }
            Self::Certificate { hint, .. } => format!("{hint}."),
            Self::Invalid { .. } => "change the route in the Compose file.".into(),
            Self::Version { .. } => "run `seaworthy gateway upgrade`: no request fails for it.".into(),
            Self::NotUpgraded { .. } => {
                "the gateway serves as before; read `gateway/supervisor.log` in the state folder.".into()
            }
            Self::HalfUpgraded { .. } => "run `seaworthy gateway upgrade` again.".into(),
            Self::TooOld => {
                "once, at a quiet time: end the process `gateway supervise`, and `seaworthy deploy` starts the new one.".into()
            }
            Self::Protocol { .. } | Self::Failed { .. } | Self::HandOver | Self::Start { .. } => {
                "read `gateway/gateway.log` in the state folder.".into()
            }
            Self::DidNotStart { log, .. } => format!("read `{}`.", log.display()),
            Self::NotSupervised => "use `seaworthy deploy`, which starts both.".into(),
            Self::Snapshot { .. } => "move the file away and deploy again.".into(),
            Self::Io { .. } => "check that the state folder exists, is yours and has room.".into(),
        }
    }

    /// For `map_err`: a failed system call and what it was for.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// A failed bind, by what the system said.
    pub(crate) fn bind(address: SocketAddr, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AddrInUse => Self::AddressInUse { address },
            io::ErrorKind::PermissionDenied => Self::AddressDenied { address },
            _ => Self::AddressUnusable { address, reason: error.to_string() },
        }
    }
}
