//! Writes a resolved project out again.

mod json;
mod prune;
mod redact;
mod yaml;

use serde_json::Value;

use crate::Project;

/// The resolved project in canonical long form, with all it needs to run again from a fresh shell: each environment is
/// complete, and a secret or config that comes from a variable carries its value as `x-seaworthy-value`. A `$` stands
/// for itself. Values are not redacted: seal it or print only what may be seen.
///
/// [`load_resolved`](crate::load_resolved) reads it back. Contents of files are not in it.
pub fn write_json(project: &Project) -> Value {
    json::value(project)
}

/// As [`write_json`], for people and for `docker compose`: credentials are `[redacted]`, a `$` is
/// written `$$`, and what nothing uses is left out, as `docker compose config` does.
pub fn write_json_redacted(project: &Project) -> Value {
    let mut value = json::value(project);
    redact::redact(&mut value);
    prune::prune(&mut value);
    json::escape_dollars(&mut value);
    value
}

/// The resolved project as a Compose file, as `docker compose config` would write it. With `redact`, values of variables named like
/// credentials, passwords in URLs and contents of secrets are `[redacted]`.
pub fn write_yaml(project: &Project, redact: bool) -> String {
    let mut value = json::value(project);
    if redact {
        redact::redact(&mut value);
    } else {
        json::drop_captured(&mut value);
    }
    prune::prune(&mut value);
    json::escape_dollars(&mut value);
    yaml::document(&value)
}
