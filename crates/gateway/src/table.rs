//! Everything readers must see together: one immutable table, swapped whole.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::backend::Backend;
use crate::error::GatewayError;
use crate::route::{Balance, Protocol, Route, RouteSet, SetHash};

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
    pub(crate) backends: Vec<Arc<Backend>>,
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

    /// The addresses in use.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.listens.keys().copied().collect()
    }

    /// The addresses that one project uses.
    pub(crate) fn listens_of(&self, project: &str) -> impl Iterator<Item = SocketAddr> {
        self.projects.get(project).into_iter().flat_map(|entry| &entry.set.routes).map(|route| route.listen)
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
            });
            old.flat_map(|old| &old.backends).find(|old| old.id == id && old.address == address).cloned()
        };
        let backends = route.backends.iter().map(|backend| {
            kept(&backend.id, backend.address)
                .unwrap_or_else(|| Backend::new(project, route, &backend.id, backend.address))
        });
        Self {
            project: project.to_owned(),
            backends: backends.collect(),
            route: route.clone(),
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

    /// The next backend that is well and not among those tried.
    pub(crate) fn choose(&self, tried: &[Arc<Backend>]) -> Option<Arc<Backend>> {
        self.choose_where(tried, |backend| backend.is_well())
    }

    /// The next backend that is not among those tried, well or not.
    pub(crate) fn choose_any(&self, tried: &[Arc<Backend>]) -> Option<Arc<Backend>> {
        self.choose_where(tried, |_| true)
    }

    fn choose_where(&self, tried: &[Arc<Backend>], fits: impl Fn(&Backend) -> bool) -> Option<Arc<Backend>> {
        let open: Vec<&Arc<Backend>> = self
            .backends
            .iter()
            .filter(|backend| fits(backend) && !tried.iter().any(|other| Arc::ptr_eq(other, backend)))
            .collect();
        if open.is_empty() {
            return None;
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        match self.route.balance {
            Balance::RoundRobin => open.get(turn % open.len()).map(|backend| (*backend).clone()),
            Balance::LeastConnections => {
                let fewest = open.iter().map(|backend| backend.in_flight()).min()?;
                let fewest: Vec<_> =
                    open.into_iter().filter(|backend| backend.in_flight() <= fewest).collect();
                fewest.get(turn % fewest.len().max(1)).map(|backend| (*backend).clone())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

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
            sticky: false,
            http2: false,
            tls: None,
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
