//! Projects that are being worked on: kept beside the snapshot, so that neither a deploy nor a restart ends it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::GatewayError;
use crate::place::Place;
use crate::rim;
use crate::route::Network;
use crate::sockets::note;

/// The longest message, in bytes.
const LONGEST_MESSAGE: usize = 2_000;
/// The most networks that pass.
const MOST_ALLOWED: usize = 1_000;
/// The longest time after which clients are told to come again.
const LONGEST_SECONDS: u64 = 7 * 24 * 3600;
/// The largest file.
const MAX_BYTES: u64 = 16 << 20;

/// A project that is being worked on: clients are answered with 503.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// Since when.
    pub since: Timestamp,
    /// What clients are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Clients that are served all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Network>,
    /// When the others are told to come again.
    pub retry_after_seconds: u64,
}

impl Maintenance {
    /// Whether a client is served all the same.
    pub(crate) fn lets_in(&self, client: IpAddr) -> bool {
        self.allow.iter().any(|network| network.contains(client))
    }

    fn contradiction(&self) -> Option<String> {
        let long = self.message.as_ref().is_some_and(|text| text.len() > LONGEST_MESSAGE);
        if long {
            return Some(format!("the message is longer than {LONGEST_MESSAGE} bytes"));
        }
        if self.allow.len() > MOST_ALLOWED {
            return Some(format!("more than {MOST_ALLOWED} networks pass"));
        }
        let fits = (1..=LONGEST_SECONDS).contains(&self.retry_after_seconds);
        (!fits).then(|| "clients would come again in no time, or in more than a week".to_owned())
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Closed(ArcSwap<BTreeMap<String, Arc<Maintenance>>>);

impl Closed {
    /// Takes up what was kept.
    pub(crate) fn open(place: &Place) -> Self {
        let path = place.maintenance();
        let read = || -> Result<_, String> {
            match rim::read(&path, MAX_BYTES).map_err(|error| error.to_string())? {
                Some(bytes) => serde_json::from_slice::<BTreeMap<String, Maintenance>>(&bytes)
                    .map_err(|error| error.to_string()),
                None => Ok(BTreeMap::new()),
            }
        };
        let kept: BTreeMap<String, Maintenance> = read().unwrap_or_else(|reason| {
            note(
                place,
                &format!("which projects are being worked on cannot be read ({reason}); it was moved aside"),
            );
            let _ = rim::rename(&path, &path.with_extension("json.unreadable"));
            BTreeMap::new()
        });
        let shared = kept.into_iter().map(|(project, maintenance)| (project, Arc::new(maintenance)));
        Self(ArcSwap::from_pointee(shared.collect()))
    }

    /// That of a project.
    pub(crate) fn get(&self, project: &str) -> Option<Arc<Maintenance>> {
        let all = self.0.load();
        if all.is_empty() { None } else { all.get(project).cloned() }
    }

    /// Sets that of a project, or ends it. It is on disk before it counts.
    pub(crate) async fn set(
        &self,
        place: &Place,
        project: &str,
        maintenance: Option<Maintenance>,
    ) -> Result<(), GatewayError> {
        if let Some(reason) = maintenance.as_ref().and_then(Maintenance::contradiction) {
            return Err(GatewayError::Invalid { reason });
        }
        let mut all = BTreeMap::clone(&self.0.load());
        match maintenance {
            Some(maintenance) => all.insert(project.to_owned(), Arc::new(maintenance)),
            None => all.remove(project),
        };
        let bytes = serde_json::to_vec(&plain(&all))
            .map_err(|error| GatewayError::Failed { reason: error.to_string() })?;
        let path = place.maintenance();
        let written = tokio::task::spawn_blocking(move || rim::replace(&path, &bytes)).await;
        let doing = "write which projects are being worked on";
        written.map_err(std::io::Error::other).flatten().map_err(GatewayError::io(doing))?;
        self.0.store(Arc::new(all));
        Ok(())
    }
}

fn plain(all: &BTreeMap<String, Arc<Maintenance>>) -> BTreeMap<&str, &Maintenance> {
    all.iter().map(|(project, maintenance)| (project.as_str(), maintenance.as_ref())).collect()
}
