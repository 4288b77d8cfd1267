//! Gives up what a worker has no use for, before it serves anybody: who takes it over gets little.

mod calls;
mod landlock;

use std::path::Path;

use rustix::process::geteuid;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set, no_new_privs,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};
use serde::{Deserialize, Serialize};

use crate::place::Place;
use crate::rim;
use crate::route::RouteSet;
use crate::route::tls::CertificateSource;

/// All that serving needs of root's rights: ports below 1024, for a supervisor that the worker starts when its own died.
const KEPT: CapabilitySet = CapabilitySet::NET_BIND_SERVICE;

/// What a process gave up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// The rights of root that are left, as the kernel names them.
    pub capabilities: Vec<String>,
    /// Why more are left than binding needs, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// Whether no program that it starts can have more rights than it has.
    pub no_new_privileges: bool,
    /// Whether it can write outside its own folder.
    pub writes: Writes,
    /// Which calls of the kernel it can make.
    #[serde(default)]
    pub calls: Calls,
}

/// Which calls of the kernel can be made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calls {
    /// All but so many that serving never needs.
    AllBut(usize),
    /// All; and why.
    All(String),
    /// A worker of an older program does not tell.
    #[default]
    Untold,
}

/// Where files can be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Writes {
    /// Only in the gateway's own folder.
    OwnFolder,
    /// Wherever its user may; and why.
    Anywhere(String),
}

/// Confines this thread and all that it will start: before there is any other. What the system does not offer is told.
pub(crate) fn confine(place: &Place, sets: &[RouteSet]) -> Confinement {
    let (more, because) = needed(place, sets);
    let _ = clear_ambient_capability_set();
    let keep = KEPT | more;
    for capability in CapabilitySet::all().iter().filter(|one| !keep.contains(*one)) {
        // Refused where this process is not root: then it has none to give up.
        let _ = remove_capability_from_bounding_set(capability);
    }
    if let Ok(had) = capabilities(None) {
        let left = CapabilitySets {
            effective: had.effective & keep,
            permitted: had.permitted & keep,
            inheritable: CapabilitySet::empty(),
        };
        let _ = set_capabilities(None, left);
    }
    let _ = set_no_new_privs(true);
    let writes = match landlock::write_only_in(place.folder()) {
        Ok(()) => Writes::OwnFolder,
        Err(error) => Writes::Anywhere(format!("Landlock is not to be had: {error}")),
    };
    let calls = match calls::refuse() {
        Ok(number) => Calls::AllBut(number),
        Err(error) => Calls::All(format!("seccomp is not to be had: {error}")),
    };
    let left = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
    Confinement {
        capabilities: left.iter_names().map(|(name, _)| format!("CAP_{name}")).collect(),
        because,
        no_new_privileges: no_new_privs().unwrap_or(false),
        writes,
        calls,
    }
}

/// What serving needs beyond that, as things are: files that belong to somebody else. Nothing that is served now may be lost.
fn needed(place: &Place, sets: &[RouteSet]) -> (CapabilitySet, Option<String>) {
    let own = geteuid().as_raw();
    let is_other = |path: &Path| rim::owner(path).is_some_and(|owner| owner != own);
    if own == 0 && is_other(place.folder()) {
        let because = format!("`{}` belongs to another user", place.folder().display());
        return (CapabilitySet::DAC_OVERRIDE, Some(because));
    }
    let routes = || sets.iter().flat_map(|set| &set.routes);
    let sources = routes().filter_map(|route| route.tls.as_ref());
    let files = sources.filter_map(|tls| match &tls.certificate {
        CertificateSource::Files { certificate, key } => Some([certificate, key]),
        _ => None,
    });
    let headers = routes().filter_map(|route| route.traces.as_ref()?.headers.as_ref());
    match files.flatten().chain(headers).find(|path| own == 0 && is_other(path)) {
        Some(path) => {
            let because = format!("`{}` belongs to another user", path.display());
            (CapabilitySet::DAC_READ_SEARCH, Some(because))
        }
        None => (CapabilitySet::empty(), None),
    }
}
