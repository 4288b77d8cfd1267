//! Writes a resolved project out again.

mod hash;
mod json;
mod layout;
mod redact;
mod shown;
mod yaml;

use serde_json::Value;

use crate::Project;
use shown::Format;

pub use hash::service_hash;
pub(crate) use redact::Secrets;

/// The resolved project in canonical long form, with all it needs to run again from a fresh shell: each environment is
/// complete, and a secret or config that comes from a variable carries its value as `x-seaworthy-value`. A `$` stands
/// for itself. Values are not redacted: seal it or print only what may be seen.
///
/// [`load_resolved`](crate::load_resolved) reads it back. Contents of files are not in it.
pub fn write_json(project: &Project) -> Value {
    json::value(project)
}

/// How a project is shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Show {
    /// Whether values of variables named like credentials, passwords in URLs and contents of secrets are `[redacted]`.
    pub redact: bool,
    /// Whether a `$` is written `$$`, as it must be in a file that is loaded again.
    pub escape_dollars: bool,
}

/// The resolved project as `docker compose config --format json` prints it; what nothing uses is left out.
pub fn show_json(project: &Project, show: Show) -> Value {
    shown(project, show, Format::Json)
}

/// The resolved project as a Compose file: what `docker compose config` prints.
pub fn show_yaml(project: &Project, show: Show) -> String {
    yaml::document(&shown(project, show, Format::Yaml))
}

fn shown(project: &Project, show: Show, format: Format) -> Value {
    let mut value = json::value(project);
    if show.redact {
        redact::redact(&mut value);
    } else {
        json::drop_captured(&mut value);
    }
    let mut value = shown::project(value, format);
    if show.escape_dollars {
        json::escape_dollars(&mut value);
    }
    value
}
