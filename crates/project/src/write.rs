//! Writes a resolved project out again.

mod hash;
mod json;
mod layout;
mod redact;
mod shown;
mod yaml;

use serde_json::Value;

use crate::Project;

pub use hash::service_hash;
pub use redact::show_variables;
pub(crate) use redact::{Secrets, without_credentials};

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
    /// Whether values of variables named like credentials, passwords in URLs and command lines, and contents of secrets are
    /// `[redacted]`.
    pub redact: bool,
    /// Whether a `$` is written `$$`, as it must be in a file that is loaded again.
    pub escape_dollars: bool,
}

/// The resolved project as `docker compose config --format json` prints it; what nothing uses is left out.
pub fn show_json(project: &Project, show: Show) -> Value {
    match show.redact {
        true => shown(&redact::veil(project), show),
        false => shown(project, show),
    }
}

/// The resolved project as a Compose file: what `docker compose config` prints.
pub fn show_yaml(project: &Project, show: Show) -> String {
    match show.redact {
        true => yaml_of(&redact::veil(project), show),
        false => yaml_of(project, show),
    }
}

fn yaml_of(project: &Project, show: Show) -> String {
    // Service by service: the whole at once would need as much memory again as the project.
    let secrets = show.redact.then(|| Secrets::shown(project));
    let finish = |mut value: Value| {
        match &secrets {
            Some(secrets) => secrets.redact(&mut value),
            None => json::drop_captured(&mut value),
        }
        value
    };
    let escape = |mut value: Value| {
        if show.escape_dollars {
            json::escape_dollars(&mut value);
        }
        value
    };
    let (before, after) = shown::around_services(finish(json::without_services(project)), project);
    let mut text = yaml::entries(&escape(before));
    let mut services = json::services(project);
    services.sort_by(|a, b| a.key.value.cmp(&b.key.value));
    text.push_str(if services.is_empty() { "services: {}\n" } else { "services:\n" });
    for service in services {
        yaml::services(&escape(shown::service(finish(json::service(service)))), &mut text);
    }
    text.push_str(&yaml::entries(&escape(after)));
    text
}

fn shown(project: &Project, show: Show) -> Value {
    let mut value = json::value(project);
    if show.redact {
        Secrets::shown(project).redact(&mut value);
    } else {
        json::drop_captured(&mut value);
    }
    let mut value = shown::project(value, project);
    if show.escape_dollars {
        json::escape_dollars(&mut value);
    }
    value
}
