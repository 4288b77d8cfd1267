//! The snapshot: what is served, on disk before it is acknowledged, so that a new worker serves the same.

use std::collections::BTreeMap;

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
}

/// Writes what a table serves, off the threads that serve.
pub(crate) async fn write(place: &Place, table: &Table) -> Result<(), GatewayError> {
    let projects = table.projects.iter().map(|(name, entry)| (name.clone(), entry.set.clone())).collect();
    let bytes = serde_json::to_vec(&Snapshot { version: VERSION, projects })
        .map_err(|error| GatewayError::Failed { reason: error.to_string() })?;
    let path = place.snapshot();
    let written = tokio::task::spawn_blocking(move || rim::replace(&path, &bytes)).await;
    written.map_err(std::io::Error::other).flatten().map_err(GatewayError::io("write the snapshot"))
}

/// Reads what was served; nothing when there is no snapshot.
pub(crate) fn read(place: &Place) -> Result<BTreeMap<String, RouteSet>, GatewayError> {
    let path = place.snapshot();
    let unreadable = |reason: String| GatewayError::Snapshot { path: path.clone(), reason };
    let bytes = match rim::read(&path, MAX_BYTES) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(BTreeMap::new()),
        Err(error) => return Err(unreadable(error.to_string())),
    };
    let told: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    match told.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if (OLDEST.into()..=VERSION.into()).contains(&version) => {}
        Some(version) => {
            return Err(unreadable(format!("it has version {version}, this program knows {VERSION}")));
        }
        None => return Err(unreadable("it names no version".to_owned())),
    }
    let snapshot: Snapshot = serde_json::from_value(told).map_err(|error| unreadable(error.to_string()))?;
    Ok(snapshot.projects)
}

/// Moves a snapshot that cannot be read out of the way, for a person to look at.
pub(crate) fn put_aside(place: &Place) {
    let path = place.snapshot();
    let _ = rim::rename(&path, &path.with_extension("json.unreadable"));
}
