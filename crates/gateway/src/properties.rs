//! What must hold for any bytes from outside: the bodies of the fuzz targets, which a test replays too.

mod requests;

use std::net::IpAddr;
use std::path::Path;

use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

use crate::balance::Asker;
use crate::confine::confine;
use crate::place::Place;
use crate::route::RouteSet;
use crate::table::Table;
use crate::{proxy_protocol, rim, snapshot as snapshots};

pub use requests::requests;

/// Confines this process as a worker is, and tells as JSON which of these paths can be read and which written then, and
/// what the kernel says to who asks for the descriptor of a process.
pub fn confined(state: &Path, paths: &[String]) -> serde_json::Value {
    let place = Place::new(state);
    let made = place.make().is_ok();
    let confinement = confine(&place, &[]);
    let read: Vec<bool> =
        paths.iter().map(|path| matches!(rim::read(Path::new(path), 100), Ok(Some(_)))).collect();
    let wrote: Vec<bool> = paths.iter().map(|path| rim::append(Path::new(path)).is_ok()).collect();
    let descriptor = pidfd_open(getpid(), PidfdFlags::empty())
        .and_then(|ourselves| pidfd_getfd(ourselves, 0, PidfdGetfdFlags::empty()));
    let took = descriptor.map(drop).map_err(|error| error.raw_os_error());
    serde_json::json!({ "made": made, "confinement": confinement, "read": read, "wrote": wrote, "took": took.err() })
}

/// What a target does with its input; it panics when a property does not hold.
pub type Body = fn(&[u8]);

/// The functions by the names of their fuzz targets.
pub const TARGETS: [(&str, Body); 3] =
    [("requests", requests), ("proxy_header", proxy_header), ("snapshot", snapshot)];

/// A header of the PROXY protocol, and what follows it.
pub fn proxy_header(bytes: &[u8]) {
    proxy_protocol::hold(bytes);
}

/// A snapshot as it lies on disk: what can be read of it can be served, written and read again, the same.
///
/// # Panics
/// When that does not hold.
pub fn snapshot(bytes: &[u8]) {
    let Ok(served) = snapshots::parse(bytes) else { return };
    let table = Table::default();
    let table = served.projects.into_iter().fold(table, |table, (name, set)| table.with(&name, set));
    for (project, ids) in served.aside {
        let ids: Vec<String> = ids.into_iter().collect();
        table.backends_named(&project, &ids).iter().for_each(|backend| backend.set_aside(true));
    }
    for (name, entry) in &table.projects {
        // A set that contradicts itself is not taken; one in a snapshot by other hands must still harm nobody.
        let _ = table.accepts(name, &entry.set);
        let text = serde_json::to_vec(&entry.set).expect("a set can be written");
        let again: RouteSet = serde_json::from_slice(&text).expect("what was written can be read");
        assert_eq!((&again, again.hash()), (&entry.set, entry.hash.clone()));
        for live in &entry.routes {
            let client = IpAddr::from([203, 0, 113, 7]);
            let asker = Asker { client, headers: None };
            let chosen = live.choose(&[], asker).or_else(|| live.choose_any(&[], asker));
            assert!(chosen.is_none_or(|chosen| !chosen.is_set_aside()));
            let _ = table.trusts(live.route.listen, client);
            let _ =
                table.find(live.route.listen, live.route.host.as_deref().unwrap_or("a"), &live.route.path);
        }
    }
    let written = snapshots::text(&table, table.aside()).expect("a table can be written");
    let again = snapshots::parse(&written).expect("what was written can be read");
    let sets = table.projects.iter().map(|(name, entry)| (name.clone(), entry.set.clone()));
    assert_eq!((again.projects, again.aside), (sets.collect(), table.aside()));
}
