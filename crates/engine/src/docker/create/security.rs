//! What a container is allowed: rights, capabilities, security profiles, groups.

use bollard::models::HostConfig;
use seaworthy_project::Spanned;

use crate::docker::keys;
use crate::{EngineError, Revision, system};

/// The largest seccomp profile that is read; Docker's own has 13 KiB.
const LARGEST_PROFILE: u64 = 1 << 20;

/// The same container with the rights of its service.
pub(super) fn secured(base: HostConfig, revision: &Revision) -> Result<HostConfig, EngineError> {
    let service = &revision.service;
    let all = |items: &[Spanned<String>]| -> Option<Vec<String>> {
        (!items.is_empty()).then(|| items.iter().map(|item| item.value.clone()).collect())
    };
    let options: Vec<String> = service
        .security_opt
        .iter()
        .map(|option| security_option(option, revision))
        .collect::<Result<_, _>>()?;
    Ok(HostConfig {
        privileged: service.privileged.as_ref().map(|privileged| privileged.value),
        readonly_rootfs: service.read_only.as_ref().map(|read_only| read_only.value),
        cap_add: all(&service.cap_add),
        cap_drop: all(&service.cap_drop),
        group_add: keys::texts(&service.node, "group_add"),
        security_opt: (!options.is_empty()).then_some(options),
        ..base
    })
}

/// One option as the Engine API takes it: `key=value`, a seccomp profile by its contents.
fn security_option(option: &Spanned<String>, revision: &Revision) -> Result<String, EngineError> {
    let text = &option.value;
    let (key, value) = match text.split_once(['=', ':']) {
        Some((key, value)) if !text.starts_with("no-new-privileges") => (key, value),
        _ => return Ok(text.replacen(':', "=", 1)),
    };
    if key != "seccomp" || matches!(value, "unconfined" | "builtin") {
        return Ok(format!("{key}={value}"));
    }
    let path = revision.directory.join(value);
    let refused = |reason: String| EngineError::NotRunnable {
        service: revision.service.name.value.to_string(),
        reason: format!("names the seccomp profile `{}`, which {reason}", path.display()),
        hint: "correct the path in `security_opt`, or take it away to have Docker's own profile".to_owned(),
        span: Some(option.span),
    };
    let bytes = match system::read(&path, LARGEST_PROFILE) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(refused("is not there".to_owned())),
        Err(error) => return Err(refused(format!("cannot be read: {error}"))),
    };
    let profile: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| refused(format!("is no JSON: {error}")))?;
    Ok(format!("seccomp={profile}"))
}
