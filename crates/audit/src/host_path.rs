//! Paths of the host that a service sees, however they were mounted.

use seaworthy_project::Span;
use seaworthy_project::model::mount::MountKind;

use crate::{Context, Subject};

/// A path of the host inside a service.
#[derive(Debug, Clone)]
pub(crate) struct HostPath {
    /// The path on the host, without `.`, `..` or a slash at its end.
    pub(crate) path: String,
    /// Whether the service may only read it.
    pub(crate) read_only: bool,
    /// Where the mount was written.
    pub(crate) span: Span,
}

impl HostPath {
    /// Whether it is `path` or lies below it, by whole names.
    pub(crate) fn is_within(&self, path: &str) -> bool {
        self.path == path
            || (self.path.starts_with(path) && (path == "/" || self.path[path.len()..].starts_with('/')))
    }
}

/// Every path of the host that the service sees: bind mounts, and named volumes that are bind mounts in disguise.
pub(crate) fn host_paths(context: &Context<'_>, subject: &Subject<'_>) -> Vec<HostPath> {
    let paths = subject.service().mounts.iter().filter_map(|mount| {
        let source = mount.value.source.as_deref()?;
        let path = match mount.value.kind {
            MountKind::Bind => source.to_owned(),
            MountKind::Volume => {
                let options = context.project.volumes.get(source)?.node.get("driver_opts")?;
                let binds =
                    options.get("o")?.text()?.split(',').any(|option| matches!(option, "bind" | "rbind"));
                options.get("device").filter(|_| binds)?.text()?.to_owned()
            }
            _ => return None,
        };
        Some(HostPath { path: normal(&path), read_only: mount.value.read_only, span: mount.span })
    });
    paths.collect()
}

/// A path without `.`, `..`, doubled slashes or a slash at its end.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_plain() {
        assert_eq!(normal("/var//run/../lib/./x/"), "/var/lib/x");
        assert_eq!(normal("/../.."), "/");
    }
}
