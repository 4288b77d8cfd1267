//! Where the daemon is, from the variables and contexts that the `docker` program goes by.

mod context;
mod ssh;
mod tls;

use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::EngineError;
use crate::docker::options::settings;

pub use ssh::SshPlace;
pub use tls::TlsPlace;

/// Where the daemon listens when nothing is said.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// Its usual port without TLS.
const PLAIN_PORT: u16 = 2375;
/// Its usual port with TLS.
const TLS_PORT: u16 = 2376;
/// How long a daemon may take to take a connection, when it is only looked for.
const ANSWER: Duration = Duration::from_secs(2);

/// Where a daemon is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DockerPlace {
    /// A socket of this machine.
    Socket(PathBuf),
    /// A TCP address, `host:port`.
    Tcp(String),
    /// A TCP address that speaks TLS.
    Tls(TlsPlace),
    /// A machine that `ssh` reaches.
    Ssh(SshPlace),
}

/// The variables that say where the daemon is.
#[derive(Debug, Clone, Default)]
pub struct DockerVariables {
    /// `DOCKER_HOST`.
    pub host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub context: Option<String>,
    /// Whether `DOCKER_TLS_VERIFY`, `DOCKER_TLS` or `DOCKER_CERT_PATH` asks for TLS.
    pub encrypted: bool,
    /// `DOCKER_CERT_PATH`: the folder of `ca.pem`, `cert.pem` and `key.pem`; Docker's own folder of settings when
    /// nothing is said.
    pub certificates: Option<PathBuf>,
    /// `SSH_AUTH_SOCK`: the agent that signs in for `ssh`.
    pub agent: Option<PathBuf>,
}

impl std::fmt::Display for DockerPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Tls(place) => place.fmt(f),
            Self::Ssh(place) => place.fmt(f),
        }
    }
}

impl DockerPlace {
    /// Where the daemon is: `DOCKER_HOST`, else `DOCKER_CONTEXT`, else the current context of `configuration`, else
    /// the usual socket.
    ///
    /// # Errors
    /// When what was said cannot be understood, or is not carried.
    pub fn find(variables: &DockerVariables, configuration: Option<&Path>) -> Result<Self, EngineError> {
        let said = |variable: &Option<String>| variable.clone().filter(|text| !text.is_empty());
        if let Some(host) = said(&variables.host) {
            let folder = || variables.certificates.clone().or_else(|| configuration.map(Path::to_owned));
            let certificates = variables.encrypted.then(|| folder().unwrap_or_default());
            return Self::parse(&host, "DOCKER_HOST", certificates, variables);
        }
        let context = match (said(&variables.context), configuration) {
            (Some(context), _) => Some(context),
            (None, Some(folder)) => settings(folder)?
                .and_then(|settings| settings.get("currentContext")?.as_str().map(str::to_owned)),
            (None, None) => None,
        };
        let Some(name) = context.filter(|name| !name.is_empty() && name != "default") else {
            return Ok(Self::Socket(DEFAULT_SOCKET.into()));
        };
        let context = context::read(&name, configuration)?;
        Self::parse(&context.host, &format!("context `{name}`"), context.certificates, variables)
    }

    fn parse(
        host: &str,
        said_by: &str,
        certificates: Option<PathBuf>,
        variables: &DockerVariables,
    ) -> Result<Self, EngineError> {
        let refused = |reason: String, hint: &str| EngineError::Unreachable {
            engine: "Docker".to_owned(),
            reason: format!("{said_by}: {reason}"),
            hint: hint.to_owned(),
        };
        match host.split_once("://") {
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Socket(path.into())),
            Some(("tcp" | "http", address)) if !address.is_empty() => {
                let address = address.trim_end_matches('/');
                Ok(match certificates {
                    Some(certificates) => {
                        Self::Tls(TlsPlace { address: with_port(address, TLS_PORT), certificates })
                    }
                    None => Self::Tcp(with_port(address, PLAIN_PORT)),
                })
            }
            Some(("ssh", address)) => SshPlace::parse(address, variables.agent.clone())
                .map(Self::Ssh)
                .map_err(|reason| refused(format!("`{host}` {reason}"), ssh::FORM)),
            _ => Err(refused(
                format!("`{host}` is no address of a Docker Engine"),
                "write `unix:///var/run/docker.sock`, `tcp://127.0.0.1:2375` or `ssh://user@host`",
            )),
        }
    }

    /// Whether somebody takes connections there. Of a machine behind `ssh` that is believed: the first call tells.
    pub fn answers(&self) -> bool {
        match self {
            Self::Socket(path) => UnixStream::connect(path).is_ok(),
            Self::Tcp(address) | Self::Tls(TlsPlace { address, .. }) => {
                address.to_socket_addrs().is_ok_and(|mut addresses| {
                    addresses.any(|address| TcpStream::connect_timeout(&address, ANSWER).is_ok())
                })
            }
            Self::Ssh(_) => true,
        }
    }

    /// Whether the daemon sees this machine's files, processes and networks.
    pub fn is_here(&self) -> bool {
        match self {
            Self::Socket(_) => true,
            Self::Tcp(address) | Self::Tls(TlsPlace { address, .. }) => {
                let host = host_of(address);
                host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
            }
            Self::Ssh(_) => false,
        }
    }
}

/// The host of `host:port`, without the brackets of an IPv6 address.
fn host_of(address: &str) -> &str {
    match address.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host.trim_matches(['[', ']']),
        _ => address.trim_matches(['[', ']']),
    }
}

fn with_port(address: &str, port: u16) -> String {
    match address.rsplit_once(':') {
        Some((_, said)) if !said.contains(']') => address.to_owned(),
        _ => format!("{address}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods)]
    use super::*;

    fn found(
        host: Option<&str>,
        context: Option<&str>,
        folder: Option<&Path>,
    ) -> Result<DockerPlace, EngineError> {
        let text = |text: &str| text.to_owned();
        let variables = DockerVariables {
            host: host.map(text),
            context: context.map(text),
            ..DockerVariables::default()
        };
        DockerPlace::find(&variables, folder)
    }

    #[test]
    fn the_variable_goes_before_the_context_and_both_before_the_usual_socket() {
        let folder = tempfile::tempdir().unwrap();
        let name = "64ec88ca00b268e5ba1a35678a1b5316d212f4f366b2477232534a8aeca37f3c";
        let meta = folder.path().join("contexts/meta").join(name);
        std::fs::create_dir_all(&meta).unwrap();
        let text = r#"{"Name":"x","Endpoints":{"docker":{"Host":"unix:///run/other.sock"}}}"#;
        // The folder is named for the SHA-256 of the context's name, here `Hello world`.
        std::fs::write(meta.join("meta.json"), text).unwrap();
        let path = Some(folder.path());
        let other = DockerPlace::Socket("/run/other.sock".into());
        assert_eq!(found(None, None, path).unwrap(), DockerPlace::Socket(DEFAULT_SOCKET.into()));
        assert_eq!(found(None, Some("Hello world"), path).unwrap(), other);
        std::fs::write(folder.path().join("config.json"), r#"{"currentContext":"Hello world"}"#).unwrap();
        assert_eq!(found(None, None, path).unwrap(), other);
        let encrypted = text.replace("unix:///run/other.sock", "tcp://there");
        std::fs::write(meta.join("meta.json"), encrypted).unwrap();
        assert_eq!(found(None, None, path).unwrap(), DockerPlace::Tcp("there:2375".into()));
        let certificates = folder.path().join("contexts/tls").join(name).join("docker");
        std::fs::create_dir_all(&certificates).unwrap();
        let encrypted = TlsPlace { address: "there:2376".into(), certificates };
        assert_eq!(found(None, None, path).unwrap(), DockerPlace::Tls(encrypted));
        assert_eq!(found(None, Some("default"), path).unwrap(), DockerPlace::Socket(DEFAULT_SOCKET.into()));
        assert_eq!(
            found(Some("tcp://[::1]:2375"), Some("nothing"), path).unwrap(),
            DockerPlace::Tcp("[::1]:2375".into())
        );
        assert!(found(None, Some("nothing"), path).unwrap_err().hint().is_some());
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for host in
            ["ssh://me:secret@there", "npipe:////./pipe/docker", "tcp://", "nonsense", "unix://relative"]
        {
            assert!(found(Some(host), None, None).unwrap_err().hint().is_some(), "{host}");
        }
    }

    #[test]
    fn only_this_machine_is_here() {
        for (host, here) in [
            ("unix:///a", true),
            ("tcp://127.0.0.1:2375", true),
            ("tcp://10.0.0.9:2375", false),
            ("ssh://localhost", false),
        ] {
            assert_eq!(found(Some(host), None, None).unwrap().is_here(), here, "{host}");
        }
    }
}
