//! The worker: serves requests, takes route sets whole, and outlives everything but its own program.

use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::time::{Instant, sleep};

use crate::access_log::AccessLog;
use crate::backend::Backend;
use crate::error::GatewayError;
use crate::launch::Program;
use crate::listener::Listeners;
use crate::metrics::Metrics;
use crate::place::Place;
use crate::probe::Probes;
use crate::route::{RouteSet, SetHash};
use crate::sockets::{Sockets, note};
use crate::supervisor::{from_stdin, listen};
use crate::table::Table;
use crate::wire::{BackendStatus, ProjectStatus, Status};
use crate::{admin, rim, snapshot};

/// How long requests in flight may take when the worker is told to end.
const FINISH: Duration = Duration::from_secs(30);
/// Between two looks whether they are done.
const LOOK: Duration = Duration::from_millis(10);
/// Threads that serve.
const THREADS: usize = 2;

/// All that a worker has.
pub(crate) struct Gateway {
    pub(crate) place: Place,
    pub(crate) table: ArcSwap<Table>,
    pub(crate) sockets: Arc<Sockets>,
    pub(crate) metrics: Metrics,
    pub(crate) log: AccessLog,
    pub(crate) stopping: watch::Sender<bool>,
    pub(crate) connections: AtomicUsize,
    started_at: Timestamp,
    snapshot_problem: Option<String>,
    /// One change at a time.
    changing: AsyncMutex<(Listeners, Probes)>,
    /// Backends that were taken out and may still have requests in flight.
    leaving: Mutex<Vec<Arc<Backend>>>,
}

/// Runs a worker until it is told to end. Standard input is the socket to its supervisor.
///
/// # Errors
/// When it cannot begin.
pub fn work(program: &Program, state: &Path) -> Result<(), GatewayError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
    let runtime = runtime.map_err(GatewayError::io("start the worker"))?;
    runtime.block_on(async {
        let place = Place::new(state);
        place.make()?;
        let sockets = Sockets::take(from_stdin()?, program.clone(), place.clone()).await?;
        let gateway = Gateway::start(place, sockets).await?;
        gateway.run().await
    })
}

impl Gateway {
    /// Takes up what the snapshot says.
    async fn start(place: Place, sockets: Arc<Sockets>) -> Result<Arc<Self>, GatewayError> {
        let (projects, snapshot_problem) = match snapshot::read(&place) {
            Ok(projects) => (projects, None),
            Err(error) => {
                note(&place, &format!("{error} It was moved aside, nothing is served of it."));
                snapshot::put_aside(&place);
                (Default::default(), Some(error.to_string()))
            }
        };
        let gateway = Arc::new(Self {
            log: AccessLog::start(&place),
            place,
            table: ArcSwap::default(),
            sockets,
            metrics: Metrics::default(),
            stopping: watch::Sender::new(false),
            connections: AtomicUsize::new(0),
            started_at: rim::now(),
            snapshot_problem,
            changing: AsyncMutex::default(),
            leaving: Mutex::default(),
        });
        for (project, set) in projects {
            if let Err(error) = gateway.put(&project, Some(set)).await {
                note(&gateway.place, &format!("project {project} of the snapshot: {error}"));
            }
        }
        Ok(gateway)
    }

    async fn run(self: &Arc<Self>) -> Result<(), GatewayError> {
        let mut terminate =
            signal(SignalKind::terminate()).map_err(GatewayError::io("listen for signals"))?;
        let admin = tokio::spawn(admin::serve(admin::open(self)?, self.clone()));
        let mut stopping = self.stopping.subscribe();
        tokio::select! {
            _ = terminate.recv() => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
        self.stopping.send_replace(true);
        admin.abort();
        let until = Instant::now() + FINISH;
        while self.table.load().backends().any(|backend| backend.in_flight() > 0) && Instant::now() < until {
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Replaces a project's set, or takes the project out; everything is ready before anything is swapped.
    pub(crate) async fn put(
        self: &Arc<Self>,
        project: &str,
        set: Option<RouteSet>,
    ) -> Result<SetHash, GatewayError> {
        let mut changing = self.changing.lock().await;
        let before = self.table.load_full();
        let set = set.filter(|set| !set.routes.is_empty());
        let hash = set.as_ref().map_or_else(|| RouteSet::default().hash(), RouteSet::hash);
        let after = match set {
            Some(set) => {
                before.accepts(project, &set)?;
                before.with(project, set)
            }
            None => before.without(project),
        };
        let used = after.addresses();
        let mut sockets = Vec::new();
        for address in used.iter().filter(|address| !changing.0.has(**address)) {
            match self.sockets.get(*address).await {
                Ok(socket) => sockets.push((*address, socket)),
                Err(error) => {
                    self.sockets.release_others(&before.addresses()).await;
                    return Err(error);
                }
            }
        }
        snapshot::write(&self.place, &after)?;
        let backends: Vec<Arc<Backend>> = after.backends().cloned().collect();
        self.table.store(Arc::new(after));
        // Only now: whoever is accepted must find the routes.
        for (address, socket) in sockets {
            changing.0.open(address, socket, self)?;
        }
        self.metrics.swapped();
        self.let_go(&before, &backends);
        changing.1.cover(backends, self);
        changing.0.close_others(&used);
        self.sockets.release_others(&used).await;
        Ok(hash)
    }

    /// Takes out the backends that the table no longer has.
    fn let_go(&self, before: &Table, now: &[Arc<Backend>]) {
        let mut leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        leaving.retain(|backend| backend.in_flight() > 0);
        for backend in before.backends().filter(|old| !now.iter().any(|new| Arc::ptr_eq(old, new))) {
            backend.retire();
            self.metrics.forget(backend);
            leaving.push(backend.clone());
        }
    }

    /// Requests in flight to backends that were taken out.
    pub(crate) fn left(&self, project: &str, ids: &[String]) -> u64 {
        let leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = leaving.iter().filter(|backend| backend.project == project && ids.contains(&backend.id));
        ours.map(|backend| backend.in_flight()).sum()
    }

    /// Whether a set would be taken. Changes nothing: an address is tried and let go at once.
    pub(crate) fn check(&self, project: &str, set: &RouteSet) -> Result<(), GatewayError> {
        self.table.load().accepts(project, set)?;
        for route in &set.routes {
            if !self.sockets.holds(route.listen) {
                listen(route.listen).map_err(|error| GatewayError::bind(route.listen, &error))?;
            }
        }
        Ok(())
    }

    pub(crate) fn status(&self) -> Status {
        let table = self.table.load();
        let backend = |backend: &Arc<Backend>| BackendStatus {
            route: backend.route.clone(),
            id: backend.id.clone(),
            address: backend.address,
            well: backend.is_well(),
            in_flight: backend.in_flight(),
        };
        let projects = table.projects.iter().map(|(project, entry)| ProjectStatus {
            project: project.clone(),
            hash: entry.hash.clone(),
            backends: entry.routes.iter().flat_map(|live| &live.backends).map(backend).collect(),
        });
        Status {
            process: std::process::id(),
            started_at: self.started_at,
            snapshot_problem: self.snapshot_problem.clone(),
            projects: projects.collect(),
        }
    }
}
