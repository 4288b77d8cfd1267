//! The worker: serves requests, takes route sets whole, and outlives everything but its own program.

mod aside;
mod leaving;
mod turns;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex as AsyncMutex, mpsc, watch};
use tokio::time::{Instant, interval, sleep};

use crate::access_log::AccessLog;
use crate::backend::Backend;
use crate::build::Build;
use crate::confine::Confinement;
use crate::error::GatewayError;
use crate::lanes::Lanes;
use crate::launch::Program;
use crate::listener::{Listeners, Room};
use crate::maintenance::{Closed, Maintenance};
use crate::metrics::Metrics;
use crate::place::Place;
use crate::probe::Probes;
use crate::route::{RouteSet, SetHash};
use crate::sockets::{Order, Sockets, Standing, note};
use crate::spans::Spans;
use crate::sticky::Sessions;
use crate::supervisor::{from_stdin, try_address};
use crate::table::Table;
use crate::tls::Certificates;
use crate::wire::{BackendStatus, ProjectStatus, Status};
use crate::{acme, admin, confine, rim, snapshot, tls};

/// How long requests and TCP connections may take when the worker is told to end.
pub(crate) const FINISH: Duration = Duration::from_secs(30);
/// Between two looks whether they are done.
const LOOK: Duration = Duration::from_millis(10);
/// Between two tries to listen where another program was in the way.
const AGAIN: Duration = Duration::from_secs(1);

/// All that a worker has.
pub(crate) struct Gateway {
    pub(crate) place: Place,
    pub(crate) table: ArcSwap<Table>,
    pub(crate) sockets: Arc<Sockets>,
    pub(crate) metrics: Metrics,
    pub(crate) log: AccessLog,
    pub(crate) stopping: watch::Sender<bool>,
    pub(crate) connections: Room,
    pub(crate) sessions: Sessions,
    pub(crate) certificates: Certificates,
    pub(crate) closed: Closed,
    /// The runtimes that serve; changes, probes and questions are the main thread's.
    pub(crate) lanes: Vec<Handle>,
    pub(crate) spans: Spans,
    started_at: Timestamp,
    confinement: Confinement,
    snapshot_problem: Option<String>,
    /// One change at a time.
    changing: AsyncMutex<Changing>,
    /// Backends that were taken out and may still have requests in flight.
    leaving: Mutex<Vec<Arc<Backend>>>,
}

/// What only a change touches.
#[derive(Default)]
struct Changing {
    listeners: Listeners,
    probes: Probes,
    /// This worker ends: it takes no more changes, so that none is acknowledged that its successor does not know.
    closed: bool,
    /// Addresses that could not be listened on, which was said.
    missing: BTreeSet<SocketAddr>,
}

/// Runs a worker until it is told to end. Standard input is the socket to its supervisor.
///
/// # Errors
/// When it cannot begin.
pub fn work(program: &Program, state: &Path) -> Result<(), GatewayError> {
    let place = Place::new(state);
    place.make()?;
    // First of all, since each thread has rights of its own.
    let confinement = confine::confine(&place, &turns::served(&place));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(GatewayError::io("start the worker"))?;
    let lanes = Lanes::start()?;
    runtime.block_on(async {
        let (sockets, mut orders) = Sockets::take(from_stdin()?, program.clone(), place.clone()).await?;
        let tried = sockets.standing() == Standing::Trying;
        if tried && !turns::rehearse(&place, &sockets, &mut orders).await? {
            return Ok(());
        }
        let gateway = Gateway::start(place, sockets, lanes.handles(), confinement).await?;
        gateway.run(orders, tried).await
    })
}

impl Gateway {
    /// Takes up what the snapshot says, all of it at once.
    async fn start(
        place: Place,
        sockets: Arc<Sockets>,
        lanes: Vec<Handle>,
        confinement: Confinement,
    ) -> Result<Arc<Self>, GatewayError> {
        let (served, snapshot_problem) = match snapshot::read(&place) {
            Ok(served) => (served, None),
            Err(error) => {
                note(&place, &format!("{error} It was moved aside, nothing is served of it."));
                snapshot::put_aside(&place);
                (Default::default(), Some(error.to_string()))
            }
        };
        let table = turns::table(served.projects);
        for (project, ids) in served.aside {
            let ids: Vec<String> = ids.into_iter().collect();
            table.backends_named(&project, &ids).iter().for_each(|backend| backend.set_aside(true));
        }
        let gateway = Arc::new(Self {
            log: AccessLog::start(&place),
            sessions: Sessions::open(&place),
            certificates: Certificates::default(),
            closed: Closed::open(&place),
            spans: Spans::start(),
            place,
            table: ArcSwap::from_pointee(table),
            sockets,
            metrics: Metrics::default(),
            stopping: watch::Sender::new(false),
            connections: Room::take(),
            lanes,
            started_at: rim::now(),
            confinement,
            snapshot_problem,
            changing: AsyncMutex::default(),
            leaving: Mutex::default(),
        });
        gateway.certificates.cover(&gateway.table.load_full(), &gateway);
        gateway.settle(&mut *gateway.changing.lock().await).await;
        Ok(gateway)
    }

    async fn run(
        self: &Arc<Self>,
        mut orders: mpsc::Receiver<Order>,
        tried: bool,
    ) -> Result<(), GatewayError> {
        let mut terminate =
            signal(SignalKind::terminate()).map_err(GatewayError::io("listen for signals"))?;
        let mut admin = tokio::spawn(admin::serve(admin::open(self)?, self.clone()));
        if tried {
            self.sockets.tell(turns::sets(&self.table.load())).await;
        }
        tokio::spawn(tls::keep(self.clone()));
        tokio::spawn(acme::keep(self.clone()));
        let mut stopping = self.stopping.subscribe();
        let mut again = interval(AGAIN);
        let mut outcast = self.sockets.outcast.subscribe();
        let successor = loop {
            tokio::select! {
                _ = terminate.recv() => break true,
                _ = stopping.wait_for(|stopping| *stopping) => break false,
                // Another supervisor has the folder, with a worker of its own: this one is in its way.
                _ = outcast.wait_for(|outcast| *outcast) => break false,
                Some(order) = orders.recv() => {
                    if self.turn(order, &mut admin).await {
                        break true;
                    }
                }
                _ = again.tick() => {
                    let mut changing = self.changing.lock().await;
                    if !changing.missing.is_empty() {
                        self.settle(&mut changing).await;
                    }
                }
            }
        };
        // A change that has begun is finished first: the successor starts from the snapshot.
        self.changing.lock().await.closed = true;
        admin.abort();
        let _ = admin.await;
        self.stopping.send_replace(true);
        self.sockets.leave(successor).await;
        let until = Instant::now() + FINISH;
        while !self.connections.is_empty() && Instant::now() < until {
            sleep(LOOK).await;
        }
        self.cut_all().await;
        tokio::join!(self.log.finish(), self.spans.finish(self));
        Ok(())
    }

    /// Makes listeners, held sockets and probes fit the table.
    async fn settle(self: &Arc<Self>, changing: &mut Changing) {
        let table = self.table.load_full();
        let used = table.addresses();
        let before = std::mem::take(&mut changing.missing);
        for address in &used {
            if changing.listeners.has(*address) {
                continue;
            }
            let socket = self.sockets.get(*address).await;
            if let Err(error) = socket.and_then(|socket| changing.listeners.open(*address, socket, self)) {
                changing.missing.insert(*address);
                if !before.contains(address) {
                    note(&self.place, &format!("{error} It is tried again."));
                }
            }
        }
        changing.probes.cover(table.backends().cloned().collect(), self);
        changing.listeners.close_others(&used).await;
        self.sockets.release_others(&used).await;
    }

    /// Replaces a project's set, or takes the project out; everything is ready before anything is swapped.
    pub(crate) async fn put(
        self: &Arc<Self>,
        project: &str,
        set: Option<RouteSet>,
    ) -> Result<SetHash, GatewayError> {
        let mut changing = self.changing.lock().await;
        if changing.closed {
            return Err(GatewayError::Stopping);
        }
        let before = self.table.load_full();
        let set = set.filter(|set| !set.routes.is_empty());
        let same = before.projects.get(project).map(|entry| &entry.set) == set.as_ref();
        let hash = set.as_ref().map_or_else(|| RouteSet::default().hash(), RouteSet::hash);
        let after = match set {
            Some(set) => {
                before.accepts(project, &set)?;
                before.with(project, set)
            }
            None => before.without(project),
        };
        // Another set undoes what was set aside by hand.
        let mut aside = before.aside();
        if !same {
            aside.remove(project);
        }
        if let Err(error) = self.prepare(project, &before, &after, aside).await {
            self.sockets.release_others(&before.addresses()).await;
            return Err(error);
        }
        let backends: Vec<Arc<Backend>> = after.backends().cloned().collect();
        self.certificates.cover(&after, self);
        if !same {
            let ours = backends.iter().filter(|backend| backend.project == project && backend.is_set_aside());
            ours.for_each(|backend| backend.set_aside(false));
        }
        self.table.store(Arc::new(after));
        // What an issuer gave meanwhile was looked at with the table before.
        self.certificates.cover(&self.table.load_full(), self);
        self.metrics.swapped();
        before.wake(project);
        self.let_go(&before, &backends);
        self.settle(&mut changing).await;
        Ok(hash)
    }

    /// Closes a project to its clients, or opens it again.
    pub(crate) async fn maintain(
        &self,
        project: &str,
        maintenance: Option<Maintenance>,
    ) -> Result<(), GatewayError> {
        let changing = self.changing.lock().await;
        if changing.closed {
            return Err(GatewayError::Stopping);
        }
        self.closed.set(&self.place, project, maintenance).await
    }

    /// Takes up certificates that changed, and renews those that age.
    pub(crate) async fn look_at_certificates(&self) {
        let _changing = self.changing.lock().await;
        self.certificates.cover(&self.table.load_full(), self);
    }

    /// Gets the sockets that a project needs, then writes the snapshot: all that can fail, before the swap. What is
    /// missing for other projects is no reason to refuse this one.
    async fn prepare(
        &self,
        project: &str,
        before: &Table,
        after: &Table,
        aside: snapshot::Aside,
    ) -> Result<(), GatewayError> {
        let old: Vec<SocketAddr> = before.listens_of(project).collect();
        for address in after.listens_of(project).filter(|address| !old.contains(address)) {
            self.sockets.get(address).await?;
        }
        if let Some(name) =
            after.projects.get(project).and_then(|entry| self.missing_files(project, &entry.set))
        {
            return Err(GatewayError::Invalid {
                reason: format!("the files of route `{name}` are not kept here"),
            });
        }
        snapshot::write(&self.place, after, aside).await
    }

    /// The route whose files were not brought before it.
    fn missing_files<'a>(&self, project: &str, set: &'a RouteSet) -> Option<&'a str> {
        let gone = |hash: &str| rim::length(&self.place.file_list(project, hash)).is_none();
        let route = set
            .routes
            .iter()
            .find(|route| route.site.files.as_ref().is_some_and(|files| gone(&files.list)))?;
        Some(&route.name)
    }

    /// Whether this worker takes no more changes.
    pub(crate) async fn is_closed(&self) -> bool {
        self.changing.lock().await.closed
    }

    /// Closes this worker for changes when nothing is served; whether it did. It ends when `stopping` is set.
    pub(crate) async fn close_if_idle(&self) -> bool {
        let mut changing = self.changing.lock().await;
        changing.closed |= self.table.load().projects.is_empty();
        changing.closed
    }

    /// Whether a set would be taken. Changes nothing: an address is tried and let go at once.
    pub(crate) fn check(&self, project: &str, set: &RouteSet) -> Result<(), GatewayError> {
        self.table.load().accepts(project, set)?;
        tls::check(set)?;
        for route in &set.routes {
            if !self.sockets.holds(route.listen) {
                try_address(route.listen)?;
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
            well: backend.is_answering(),
            left_out: backend.is_left_out(),
            set_aside: backend.is_set_aside(),
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
            build: Build::own().ok(),
            confinement: Some(self.confinement.clone()),
            snapshot_problem: self.snapshot_problem.clone(),
            certificate_problems: self.certificates.problems(),
            projects: projects.collect(),
        }
    }
}
