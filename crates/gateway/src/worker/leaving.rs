//! Backends that were taken out, and what is still in flight to them.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Gateway, LOOK};
use crate::backend::Backend;
use crate::table::Table;

/// How long a connection whose time is up is left to its backend: that is stopped next, and most say goodbye then, as
/// WebSockets do (RFC 6455, section 7.1.1). As long as an instance is given to end where nothing else is said.
const FAREWELL: Duration = Duration::from_secs(10);
/// How long connections that are cut may take to end.
const CUT: Duration = Duration::from_secs(1);

impl Gateway {
    /// Takes out the backends that the table no longer has.
    pub(super) fn let_go(&self, before: &Table, now: &[Arc<Backend>]) {
        let mut leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        leaving.retain(|backend| {
            let stays = backend.in_flight() > 0;
            // One that came after it under its name goes on counting.
            if !stays && !now.iter().any(|new| new.is_called_as(backend)) {
                self.metrics.forget(backend);
            }
            stays
        });
        for backend in before.backends().filter(|old| !now.iter().any(|new| Arc::ptr_eq(old, new))) {
            backend.retire();
            leaving.push(backend.clone());
        }
    }

    /// Requests and TCP connections in flight to backends that were taken out.
    pub(crate) fn left(&self, project: &str, ids: &[String]) -> u64 {
        let leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = leaving.iter().filter(|backend| backend.project == project && ids.contains(&backend.id));
        ours.map(|backend| backend.in_flight()).sum()
    }

    /// Ends the TCP and upgraded connections to backends that were taken out; their time is up. Who says goodbye when its
    /// backend is told to end may still do so.
    pub(crate) fn cut(&self, project: &str, ids: &[String]) {
        let leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = leaving.iter().filter(|backend| backend.project == project && ids.contains(&backend.id));
        let ours: Vec<Arc<Backend>> = ours.filter(|backend| backend.in_flight() > 0).cloned().collect();
        drop(leaving);
        if ours.is_empty() {
            return;
        }
        tokio::spawn(async move {
            sleep(FAREWELL).await;
            ours.iter().for_each(|backend| backend.cut());
        });
    }

    /// Ends all TCP and upgraded connections, and waits until that was told.
    pub(super) async fn cut_all(&self) {
        let leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let all: Vec<Arc<Backend>> = self.table.load().backends().cloned().chain(leaving).collect();
        all.iter().for_each(|backend| backend.cut());
        let until = Instant::now() + CUT;
        while all.iter().any(|backend| backend.in_flight() > 0) && Instant::now() < until {
            sleep(LOOK).await;
        }
    }
}
