//! What the docker engine is given of the world around it, and where its daemon is.

use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{EngineError, system};

/// The largest file of Docker's own configuration that is read.
const MOST_BYTES: u64 = 1 << 20;
/// Where the daemon listens when nothing is said.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// How long a daemon may take to take a connection, when it is only looked for.
const ANSWER: Duration = Duration::from_secs(2);

/// What the docker engine is given of the world around it.
#[derive(Debug, Clone)]
pub struct DockerOptions {
    /// Its own folder, for locks.
    pub state: PathBuf,
    /// A folder in memory, for secrets and configs as files.
    pub runtime: PathBuf,
    /// Where the daemon is.
    pub place: DockerPlace,
    /// Docker's own folder of settings: `$DOCKER_CONFIG`, else `~/.docker`.
    pub configuration: Option<PathBuf>,
    /// `PATH`, for the `docker` program and credential helpers.
    pub search_path: String,
    /// `HOME`, for the same.
    pub home: Option<PathBuf>,
    /// How long the daemon may take to begin an answer.
    pub answer: Duration,
}

impl DockerOptions {
    /// How long the daemon may take to begin an answer when nothing is said.
    pub const ANSWER: Duration = Duration::from_secs(120);
}

/// Where a daemon is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DockerPlace {
    /// A socket of this machine.
    Socket(PathBuf),
    /// A TCP address, `host:port`.
    Tcp(String),
}

/// The variables that say where the daemon is.
#[derive(Debug, Clone, Default)]
pub struct DockerVariables {
    /// `DOCKER_HOST`.
    pub host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub context: Option<String>,
    /// Whether `DOCKER_TLS_VERIFY` or `DOCKER_CERT_PATH` asks for TLS.
    pub encrypted: bool,
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
            return Self::parse(&host, "DOCKER_HOST", variables.encrypted);
        }
        let context = match (said(&variables.context), configuration) {
            (Some(context), _) => Some(context),
            (None, Some(folder)) => settings(folder)?
                .and_then(|settings| settings.get("currentContext")?.as_str().map(str::to_owned)),
            (None, None) => None,
        };
        match context.filter(|name| !name.is_empty() && name != "default") {
            Some(context) => Self::of_context(&context, configuration),
            None => Ok(Self::Socket(DEFAULT_SOCKET.into())),
        }
    }

    fn of_context(name: &str, configuration: Option<&Path>) -> Result<Self, EngineError> {
        let folder: String =
            Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let refused = |reason: String| {
            EngineError::Unreachable {
            engine: "Docker".to_owned(),
            reason,
            hint: "`docker context ls` lists those there are; `DOCKER_CONTEXT` or `docker context use` chooses one"
                .to_owned(),
        }
        };
        let path = configuration.map(|of| of.join("contexts/meta").join(&folder).join("meta.json"));
        let read = path.as_deref().map_or(Ok(None), |path| system::read(path, MOST_BYTES));
        let bytes = match read {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(refused(format!("there is no context `{name}`"))),
            Err(error) => return Err(refused(format!("context `{name}` cannot be read: {error}"))),
        };
        let meta: Value = serde_json::from_slice(&bytes)
            .map_err(|error| refused(format!("context `{name}` is no JSON: {error}")))?;
        let host = meta.pointer("/Endpoints/docker/Host").and_then(Value::as_str);
        let host = host.ok_or_else(|| refused(format!("context `{name}` names no Docker Engine")))?;
        let certificates = configuration
            .is_some_and(|folder_of| folder_of.join("contexts/tls").join(&folder).join("docker").is_dir());
        Self::parse(host, &format!("context `{name}`"), certificates)
    }

    fn parse(host: &str, said_by: &str, encrypted: bool) -> Result<Self, EngineError> {
        let refused = |reason: String, hint: &str| EngineError::Unreachable {
            engine: "Docker".to_owned(),
            reason: format!("{said_by}: {reason}"),
            hint: hint.to_owned(),
        };
        match host.split_once("://") {
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Socket(path.into())),
            Some(("tcp" | "http", _)) if encrypted => Err(refused(
                format!("`{host}` asks for TLS, which is not carried yet"),
                "forward the daemon's socket by ssh, and point `DOCKER_HOST` at it: `ssh -L /tmp/docker.sock:/var/run/docker.sock …`",
            )),
            Some(("tcp" | "http", address)) if !address.is_empty() => {
                Ok(Self::Tcp(address.trim_end_matches('/').to_owned()))
            }
            Some(("ssh", _)) => Err(refused(
                format!("`{host}` is on another machine"),
                "run seaworthy on that machine, next to the engine and the gateway",
            )),
            _ => Err(refused(
                format!("`{host}` is no address of a Docker Engine"),
                "write `unix:///var/run/docker.sock` or `tcp://127.0.0.1:2375`",
            )),
        }
    }

    /// Whether somebody takes connections there.
    pub fn answers(&self) -> bool {
        match self {
            Self::Socket(path) => UnixStream::connect(path).is_ok(),
            Self::Tcp(address) => address.to_socket_addrs().is_ok_and(|mut addresses| {
                addresses.any(|address| TcpStream::connect_timeout(&address, ANSWER).is_ok())
            }),
        }
    }

    /// Whether the daemon sees this machine's files and networks.
    pub fn is_here(&self) -> bool {
        match self {
            Self::Socket(_) => true,
            Self::Tcp(address) => {
                let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host);
                host == "localhost"
                    || host
                        .trim_matches(['[', ']'])
                        .parse()
                        .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
            }
        }
    }
}

/// `config.json` of Docker's folder of settings; `None` when there is none.
pub(super) fn settings(configuration: &Path) -> Result<Option<Value>, EngineError> {
    let path = configuration.join("config.json");
    let broken = |reason: String| EngineError::Unreachable {
        engine: "Docker".to_owned(),
        reason: format!("its settings `{}` {reason}", path.display()),
        hint: "correct the file, or name another folder of settings with `DOCKER_CONFIG`".to_owned(),
    };
    match system::read(&path, MOST_BYTES) {
        Err(error) => Err(broken(format!("cannot be read: {error}"))),
        Ok(None) => Ok(None),
        Ok(Some(bytes)) => {
            serde_json::from_slice(&bytes).map(Some).map_err(|error| broken(format!("are no JSON: {error}")))
        }
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
        let variables =
            DockerVariables { host: host.map(text), context: context.map(text), encrypted: false };
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
        assert_eq!(found(None, Some("default"), path).unwrap(), DockerPlace::Socket(DEFAULT_SOCKET.into()));
        assert_eq!(
            found(Some("tcp://[::1]:2375"), Some("nothing"), path).unwrap(),
            DockerPlace::Tcp("[::1]:2375".into())
        );
        assert!(found(None, Some("nothing"), path).unwrap_err().hint().is_some());
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for host in ["ssh://me@there", "npipe:////./pipe/docker", "tcp://", "nonsense", "unix://relative"] {
            assert!(found(Some(host), None, None).unwrap_err().hint().is_some(), "{host}");
        }
    }

    #[test]
    fn only_this_machine_is_here() {
        for (host, here) in
            [("unix:///a", true), ("tcp://127.0.0.1:2375", true), ("tcp://10.0.0.9:2375", false)]
        {
            assert_eq!(found(Some(host), None, None).unwrap().is_here(), here, "{host}");
        }
    }
}
