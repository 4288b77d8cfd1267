//! The snapshot: what is served, on disk before it is acknowledged, so that a new worker serves the same.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::error::GatewayError;
use crate::place::Place;
use crate::rim;
use crate::route::RouteSet;
use crate::table::Table;

const VERSION: u32 = 2;
/// The oldest version that can still be read: its routes had no protocol, and were HTTP.
const OLDEST: u32 = 1;
/// The largest snapshot that is read.
const MAX_BYTES: u64 = 64 << 20;

#[derive(Debug, Serialize, Deserialize)]
struct Snapshot {
    version: u32,
    projects: BTreeMap<String, RouteSet>,
    /// Backends that somebody took out of traffic, by project.
    #[serde(default, skip_serializing_if = "Aside::is_empty")]
    aside: Aside,
}

/// Ids of backends by project.
pub(crate) type Aside = BTreeMap<String, BTreeSet<String>>;

/// What was served.
#[derive(Debug, Default)]
pub(crate) struct Served {
    pub(crate) projects: BTreeMap<String, RouteSet>,
    pub(crate) aside: Aside,
}

/// Writes what a table serves and what of it is set aside, off the threads that serve.
pub(crate) async fn write(place: &Place, table: &Table, aside: Aside) -> Result<(), GatewayError> {
    let bytes = text(table, aside).map_err(|error| GatewayError::Failed { reason: error.to_string() })?;
    let path = place.snapshot();
    let written = tokio::task::spawn_blocking(move || rim::replace(&path, &bytes)).await;
    written.map_err(std::io::Error::other).flatten().map_err(GatewayError::io("write the snapshot"))
}

/// The text of a snapshot.
pub(crate) fn text(table: &Table, aside: Aside) -> serde_json::Result<Vec<u8>> {
    let projects = table.projects.iter().map(|(name, entry)| (name.clone(), entry.set.clone())).collect();
    serde_json::to_vec(&Snapshot { version: VERSION, projects, aside })
}

/// Reads what was served; nothing when there is no snapshot.
pub(crate) fn read(place: &Place) -> Result<Served, GatewayError> {
    let path = place.snapshot();
    let unreadable = |reason: String| GatewayError::Snapshot { path: path.clone(), reason };
    let bytes = match rim::read(&path, MAX_BYTES) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(Served::default()),
        Err(error) => return Err(unreadable(error.to_string())),
    };
    parse(&bytes).map_err(unreadable)
}

/// Reads a snapshot's text.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse(bytes: &[u8]) -> Result<Served, String> {
    let told: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    match told.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if (OLDEST.into()..=VERSION.into()).contains(&version) => {}
        Some(version) => {
            return Err(format!("it has version {version}, this program knows {VERSION}"));
        }
        None => return Err("it names no version".to_owned()),
    }
    let snapshot: Snapshot = serde_json::from_value(told).map_err(|error| error.to_string())?;
    Ok(Served { projects: snapshot.projects, aside: snapshot.aside })
}

/// Moves a snapshot that cannot be read out of the way, for a person to look at.
pub(crate) fn put_aside(place: &Place) {
    let path = place.snapshot();
    let _ = rim::rename(&path, &path.with_extension("json.unreadable"));
}
