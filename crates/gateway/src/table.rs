//! Everything readers must see together: one immutable table, swapped whole.

mod choice;

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock};

use prometheus_client::metrics::histogram::Histogram;
use tokio::sync::mpsc::Sender;

use crate::backend::Backend;
use crate::balance::Budget;
use crate::error::GatewayError;
use crate::policy::Policy;
use crate::route::{Protocol, Route, RouteSet, SetHash};
use crate::site::Site;
use crate::snapshot::Aside;
use crate::spans::Span;
use crate::wait::WaitingRoom;

/// All routes of all projects.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) projects: BTreeMap<String, Entry>,
    /// By address; the most specific route first.
    listens: HashMap<SocketAddr, Vec<Arc<LiveRoute>>>,
}

/// One project.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) set: RouteSet,
    pub(crate) hash: SetHash,
    pub(crate) routes: Vec<Arc<LiveRoute>>,
}

/// A route with its live backends.
#[derive(Debug)]
pub(crate) struct LiveRoute {
    pub(crate) project: String,
    pub(crate) route: Route,
    pub(crate) policy: Policy,
    pub(crate) site: Site,
    pub(crate) backends: Vec<Arc<Backend>>,
    /// Where its requests wait for a backend; that of the route it replaces.
    pub(crate) room: Arc<WaitingRoom>,
    /// What may be sent a second time; that of the route it replaces.
    pub(crate) budget: Arc<Budget>,
    /// Its histogram, found once.
    pub(crate) seconds: OnceLock<Histogram>,
    /// The way to its collector of spans, found once; nothing where there are too many.
    pub(crate) spans: OnceLock<Option<Sender<Span>>>,
    next: AtomicUsize,
}

impl Table {
    /// The same table with one project's set replaced; backends that stay keep their state.
    pub(crate) fn with(&self, project: &str, set: RouteSet) -> Self {
        let before = self.projects.get(project).map(|entry| entry.routes.as_slice()).unwrap_or_default();
        let routes =
            set.routes.iter().map(|route| Arc::new(LiveRoute::new(project, route, before))).collect();
        let mut projects = self.projects.clone();
        let hash = set.hash();
        projects.insert(project.to_owned(), Entry { set, hash, routes });
        Self::of(projects)
    }

    /// The same table without a project.
    pub(crate) fn without(&self, project: &str) -> Self {
        let mut projects = self.projects.clone();
        projects.remove(project);
        Self::of(projects)
    }

    fn of(projects: BTreeMap<String, Entry>) -> Self {
        let mut listens: HashMap<SocketAddr, Vec<Arc<LiveRoute>>> = HashMap::new();
        for live in projects.values().flat_map(|entry| &entry.routes) {
            listens.entry(live.route.listen).or_default().push(live.clone());
        }
        for routes in listens.values_mut() {
            routes.sort_by_key(|live| {
                (live.route.host.is_none(), std::cmp::Reverse(live.route.path.trim_end_matches('/').len()))
            });
        }
        Self { projects, listens }
    }

    /// The route that has an address whole, for TCP.
    pub(crate) fn tcp(&self, listen: SocketAddr) -> Option<&Arc<LiveRoute>> {
        self.listens.get(&listen)?.iter().find(|live| live.route.protocol == Protocol::Tcp)
    }

    /// The route that answers a request. On an address that passes TCP through by now, a connection that began with
    /// HTTP goes on with it.
    pub(crate) fn find(&self, listen: SocketAddr, host: &str, path: &str) -> Option<&Arc<LiveRoute>> {
        self.listens.get(&listen)?.iter().find(|live| live.answers(host, path))
    }

    /// A route of a project by its name.
    pub(crate) fn named(&self, project: &str, name: &str) -> Option<&Arc<LiveRoute>> {
        self.projects.get(project)?.routes.iter().find(|live| live.route.name == name)
    }

    /// The addresses in use.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.listens.keys().copied().collect()
    }

    /// The addresses that one project uses.
    pub(crate) fn listens_of(&self, project: &str) -> impl Iterator<Item = SocketAddr> {
        self.projects.get(project).into_iter().flat_map(|entry| &entry.set.routes).map(|route| route.listen)
    }

    /// Whether a connection from there to this address must say whom it comes from.
    pub(crate) fn trusts(&self, listen: SocketAddr, from: IpAddr) -> bool {
        // The same for all routes of the address.
        let route = self.listens.get(&listen).and_then(|routes| routes.first());
        route.is_some_and(|live| {
            live.route.balancing.proxy_protocol.trust.iter().any(|network| network.contains(from))
        })
    }

    /// The backends that are set aside, by project.
    pub(crate) fn aside(&self) -> Aside {
        let mut aside = Aside::new();
        for backend in self.backends().filter(|backend| backend.is_set_aside()) {
            aside.entry(backend.project.clone()).or_default().insert(backend.id.clone());
        }
        aside
    }

    /// The backends of a project with these ids.
    pub(crate) fn backends_named(&self, project: &str, ids: &[String]) -> Vec<Arc<Backend>> {
        let ours = |backend: &&Arc<Backend>| backend.project == project && ids.contains(&backend.id);
        self.backends().filter(ours).cloned().collect()
    }

    /// Has what waits for a backend of a project look again, as when its set was swapped.
    pub(crate) fn wake(&self, project: &str) {
        for live in self.projects.get(project).into_iter().flat_map(|entry| &entry.routes) {
            live.room.wake();
        }
    }

    /// All backends.
    pub(crate) fn backends(&self) -> impl Iterator<Item = &Arc<Backend>> {
        self.projects.values().flat_map(|entry| &entry.routes).flat_map(|live| &live.backends)
    }

    /// Whether a set could be served beside the other projects.
    pub(crate) fn accepts(&self, project: &str, set: &RouteSet) -> Result<(), GatewayError> {
        if let Some(reason) = set.contradiction() {
            return Err(GatewayError::Invalid { reason });
        }
        let others = self.projects.iter().filter(|(name, _)| *name != project);
        for (name, entry) in others {
            for theirs in &entry.set.routes {
                if let Some(ours) = set.routes.iter().find(|ours| ours.is_at_odds(theirs)) {
                    let reason = format!(
                        "route `{}` and route `{}` of project `{name}` listen on `{}` and trust others with the PROXY protocol",
                        ours.name, theirs.name, ours.listen
                    );
                    return Err(GatewayError::Invalid { reason });
                }
                if let Some(ours) = set.routes.iter().find(|ours| ours.collides(theirs)) {
                    return Err(GatewayError::Conflict {
                        listen: ours.listen,
                        host: ours.host.clone().unwrap_or_else(|| "*".to_owned()),
                        path: ours.path.clone(),
                        project: name.clone(),
                        taken_by: theirs.name.clone(),
                    });
                }
            }
        }
        Ok(())
    }
}

impl LiveRoute {
    fn new(project: &str, route: &Route, before: &[Arc<LiveRoute>]) -> Self {
        let kept = |id: &str, address: SocketAddr| {
            let old = before.iter().filter(|old| {
                let (old, new) = (&old.route, route);
                (&old.name, &old.probe, old.protocol, old.http2)
                    == (&new.name, &new.probe, new.protocol, new.http2)
                    && old.balancing.keeps_backends(&new.balancing)
            });
            old.flat_map(|old| &old.backends).find(|old| old.id == id && old.address == address).cloned()
        };
        let replaced = before.iter().find(|old| old.route.name == route.name);
        let room = replaced.map(|old| old.room.clone()).unwrap_or_default();
        let budget = replaced.map(|old| old.budget.clone()).unwrap_or_default();
        let backends = route.backends.iter().map(|backend| {
            kept(&backend.id, backend.address).unwrap_or_else(|| Backend::new(project, route, backend, &room))
        });
        Self {
            project: project.to_owned(),
            backends: backends.collect(),
            room,
            budget,
            policy: Policy::new(&route.policy, replaced.map(|old| &old.policy)),
            site: Site::new(route, replaced.map(|old| &old.site)),
            route: route.clone(),
            seconds: OnceLock::new(),
            spans: OnceLock::new(),
            next: AtomicUsize::new(0),
        }
    }

    fn answers(&self, host: &str, path: &str) -> bool {
        if self.route.host.as_ref().is_some_and(|own| !own.eq_ignore_ascii_case(host)) {
            return false;
        }
        let prefix = self.route.path.trim_end_matches('/');
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || prefix.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::route::{Balance, Balancing};

    const HOSTS: [&str; 3] = ["shop.example", "blog.example", "other.example"];
    const PATHS: [&str; 7] = ["/", "/a", "/a/", "/a/b", "/ab", "/a/b/c", "/b"];

    fn listen() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 8080))
    }

    fn route(name: usize, host: Option<&str>, path: &str) -> Route {
        Route {
            name: name.to_string(),
            listen: listen(),
            protocol: Protocol::Http,
            host: host.map(str::to_owned),
            path: path.to_owned(),
            balance: Balance::RoundRobin,
            balancing: Balancing::default(),
            policy: crate::route::Policy::default(),
            site: crate::route::Site::default(),
            sticky: false,
            http2: false,
            tls: None,
            traces: None,
            probe: None,
            backends: Vec::new(),
        }
    }

    /// The rule, segment by segment: how many segments of the path a route answers, if it answers.
    fn depth(route: &Route, host: &str, path: &str) -> Option<(bool, usize)> {
        let segments = |path: &str| -> Vec<String> {
            path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        let (own, asked) = (segments(&route.path), segments(path));
        let answers = route.host.as_deref().is_none_or(|own| own == host) && asked.starts_with(&own);
        answers.then_some((route.host.is_some(), own.len()))
    }

    proptest! {
        #[test]
        fn a_named_host_then_the_longest_path_wins(
            wanted in proptest::collection::vec((proptest::option::of(select(&HOSTS[..2])), select(&PATHS[..])), 0..8),
            host in select(&HOSTS[..]),
            path in select(&PATHS[..]),
            rest in select(&["", "/", "/x", "x"][..]),
        ) {
            let mut set = RouteSet::default();
            for (host, path) in wanted {
                let next = route(set.routes.len(), host, path);
                if !set.routes.iter().any(|other| other.collides(&next)) {
                    set.routes.push(next);
                }
            }
            let path = format!("{}{rest}", path.trim_end_matches('/'));
            let path = if path.starts_with('/') { path } else { format!("/{path}") };
            let best = set.routes.iter().filter_map(|route| Some((depth(route, host, &path)?, &route.name))).max();
            let table = Table::default().with("shop", set.clone());
            let found = table.find(listen(), host, &path).map(|live| live.route.name.clone());
            prop_assert_eq!(found, best.map(|(_, name)| name.clone()), "{} {}", host, path);
        }
    }
}
