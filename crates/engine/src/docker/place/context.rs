//! Contexts, as `docker context create` writes them.

use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::docker::options::MOST_BYTES;
use crate::{EngineError, system};

/// What a context says of its Docker Engine.
pub(super) struct Context {
    /// Its address, as `DOCKER_HOST` would have it.
    pub(super) host: String,
    /// The folder of its certificates, where it has one.
    pub(super) certificates: Option<PathBuf>,
}

pub(super) fn read(name: &str, configuration: Option<&Path>) -> Result<Context, EngineError> {
    let refused = |reason: String| EngineError::Unreachable {
        engine: "Docker".to_owned(),
        reason,
        hint:
            "`docker context ls` lists those there are; `DOCKER_CONTEXT` or `docker context use` chooses one"
                .to_owned(),
    };
    let id: String = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let path = configuration.map(|of| of.join("contexts/meta").join(&id).join("meta.json"));
    let read = path.as_deref().map_or(Ok(None), |path| system::read(path, MOST_BYTES));
    let bytes = match read {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(refused(format!("there is no context `{name}`"))),
        Err(error) => return Err(refused(format!("context `{name}` cannot be read: {error}"))),
    };
    let meta: Value = serde_json::from_slice(&bytes)
        .map_err(|error| refused(format!("context `{name}` is no JSON: {error}")))?;
    let host = meta.pointer("/Endpoints/docker/Host").and_then(Value::as_str);
    let host = host.ok_or_else(|| refused(format!("context `{name}` names no Docker Engine")))?.to_owned();
    let certificates = configuration.map(|of| of.join("contexts/tls").join(&id).join("docker"));
    Ok(Context { host, certificates: certificates.filter(|folder| folder.is_dir()) })
}
