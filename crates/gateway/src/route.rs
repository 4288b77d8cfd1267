//! What the gateway is asked to serve: an address, and for HTTP a host and path, to backends. Also its wire and
//! snapshot form, version 2; version 1 knew HTTP alone.

mod auth;
mod balancing;
mod compression;
mod cors;
mod files;
mod pages;
mod policy;
mod proxy_protocol;
mod site;
pub mod tls;
mod traces;

use std::collections::HashSet;
use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use auth::{Auth, LineError, Users, UsersError, is_realm};
pub use balancing::{Balancing, Ejection, HashBy, MOST_WAITING, WAIT_MS};
pub use compression::{Compression, LEAST_BYTES};
pub use cors::Cors;
pub use files::Files;
pub(crate) use pages::ANY;
pub use pages::{MAINTENANCE, MOST_PAGE_BYTES};
pub use policy::{BODY_TIMEOUT_MS, Edits, MAX_BODY_BYTES, Network, NotANetwork, Policy, RateLimit};
pub use proxy_protocol::{ProxyProtocol, ProxyVersion};
pub use site::{Canary, Redirect, Site};
pub use traces::Traces;

/// All routes of one project; replaced whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteSet {
    /// The routes, ordered by name.
    pub routes: Vec<Route>,
}

/// One route. Two HTTP routes may share a `listen` address when host or path differ; the longest path wins,
/// a named host before any host. A TCP route takes its address whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// What it is called in logs and metrics: the service's name. Unique within the set.
    pub name: String,
    /// The address the gateway listens on for it.
    pub listen: SocketAddr,
    /// What is balanced: requests or connections.
    #[serde(default)]
    pub protocol: Protocol,
    /// The host it answers to, lower case, without port; `None` is any, as for all of TCP.
    pub host: Option<String>,
    /// The path prefix it answers to, whole segments; starts with `/`, and is no more than that for TCP.
    pub path: String,
    /// How a backend is chosen.
    pub balance: Balance,
    /// How it is balanced beyond that.
    #[serde(default, skip_serializing_if = "Balancing::is_default")]
    pub balancing: Balancing,
    /// What it lets in, and what it adds to its answers.
    #[serde(default, skip_serializing_if = "Policy::is_default")]
    pub policy: Policy,
    /// What it answers by itself.
    #[serde(default, skip_serializing_if = "Site::is_default")]
    pub site: Site,
    /// Whether a client keeps its backend, by a cookie. HTTP alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sticky: bool,
    /// Whether backends speak HTTP/2 without TLS. HTTP alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub http2: bool,
    /// How it is served over TLS; `None` is not at all. HTTP alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<tls::Tls>,
    /// Where spans of its requests are told. HTTP alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traces: Option<Traces>,
    /// How backends are asked whether they are well; `None` is by TCP connection. Those of a TCP route are asked only
    /// once they could not be reached: a connection without a word counts against whoever makes it in some servers.
    pub probe: Option<Probe>,
    /// The backends; while there is none, requests wait, and get 503 with `Retry-After` in the end; a TCP connection is
    /// reset then.
    pub backends: Vec<Backend>,
}

/// What a route balances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Requests, one by one.
    #[default]
    Http,
    /// Connections, whatever passes over them.
    Tcp,
}

/// An address the gateway may send to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backend {
    /// What it is called in logs and metrics: the instance's id.
    pub id: String,
    /// Where it listens.
    pub address: SocketAddr,
}

/// How a backend is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Balance {
    /// Each in turn.
    #[default]
    RoundRobin,
    /// The one with the fewest requests, or TCP connections, in flight.
    LeastConnections,
    /// Of two at random the one with fewer in flight.
    PowerOfTwo,
    /// The same for the same client, as long as it is there.
    Hash,
}

/// How a backend is asked whether it is well, from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The path of an HTTP GET; 200 to 399 is a yes.
    pub path: String,
    /// The service that gRPC's health protocol is asked for in place of that, over HTTP/2 without TLS; empty is the server
    /// as a whole. `SERVING` is a yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grpc: Option<String>,
    /// Time between two questions, in milliseconds.
    pub interval_ms: u64,
    /// How long an answer may take, in milliseconds.
    pub timeout_ms: u64,
    /// Failures in a row before it gets no more requests.
    pub fall: u32,
    /// Successes in a row before it gets requests again.
    pub rise: u32,
}

/// The hash of a [`RouteSet`]: SHA-256 over its JSON, as hexadecimal digits. The gateway answers with the
/// one it serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SetHash(pub String);

impl fmt::Display for SetHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The longest set that is taken.
const MOST_ROUTES: usize = 1000;

impl RouteSet {
    /// The hash of this set.
    pub fn hash(&self) -> SetHash {
        let text = serde_json::to_vec(self).unwrap_or_default();
        SetHash(Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// What contradicts itself in the set, as a sentence without its full stop.
    pub fn contradiction(&self) -> Option<String> {
        if self.routes.len() > MOST_ROUTES {
            return Some(format!("{} routes are more than {MOST_ROUTES}", self.routes.len()));
        }
        for (index, route) in self.routes.iter().enumerate() {
            if !route.path.starts_with('/') {
                return Some(format!("the path of route `{}` does not start with `/`", route.name));
            }
            if route.listen.port() == 0 {
                return Some(format!("route `{}` listens on port 0", route.name));
            }
            if let Some(host) = route.host.as_ref().filter(|host| !is_bare_host(host)) {
                return Some(format!(
                    "the host `{host}` of route `{}` is not a lower-case name without port",
                    route.name
                ));
            }
            if route.protocol == Protocol::Tcp && (route.host.is_some() || route.path != "/") {
                return Some(format!("the TCP route `{}` has a host or a path", route.name));
            }
            if route.protocol == Protocol::Tcp && route.tls.is_some() {
                return Some(format!("the TCP route `{}` asks for TLS", route.name));
            }
            if let Some(reason) = route.unfit().or_else(|| self.wrong_backend(route)) {
                return Some(format!("route `{}`: {reason}", route.name));
            }
            if let Some(other) = self.routes[..index].iter().find(|other| route.asks_otherwise(other)) {
                return Some(format!(
                    "routes `{}` and `{}` are of one host, and hold its clients' certificates against two files",
                    other.name, route.name
                ));
            }
            if let Some(other) = self.routes[..index].iter().find(|other| route.is_at_odds(other)) {
                return Some(format!(
                    "routes `{}` and `{}` trust others with the PROXY protocol on `{}`: {} and {}",
                    other.name,
                    route.name,
                    route.listen,
                    other.balancing.proxy_protocol.trusted(),
                    route.balancing.proxy_protocol.trusted()
                ));
            }
            if let Some(twin) =
                self.routes[..index].iter().find(|other| other.name == route.name || other.collides(route))
            {
                return Some(route.twin_of(twin));
            }
        }
        None
    }
}

impl RouteSet {
    fn wrong_backend(&self, route: &Route) -> Option<String> {
        let mut ids = HashSet::new();
        route.backends.iter().find_map(|backend| {
            if !ids.insert(&backend.id) {
                return Some(format!("two backends are called `{}`", backend.id));
            }
            if backend.address.port() == 0 {
                return Some(format!("the backend `{}` has no port", backend.id));
            }
            let own = self.routes.iter().any(|other| other.listen == backend.address);
            own.then(|| format!("the backend `{}` is the gateway itself", backend.id))
        })
    }
}

fn is_bare_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
            !host.is_empty() && host.chars().all(plain)
        }
    }
}

impl Route {
    /// What cannot be served of its settings.
    fn unfit(&self) -> Option<String> {
        let site = || self.site.contradiction();
        let traces = || self.traces.as_ref().and_then(Traces::contradiction);
        self.balancing.contradiction().or_else(|| self.policy.contradiction()).or_else(site).or_else(traces)
    }

    /// Whether both would answer the same requests or connections.
    pub fn collides(&self, other: &Self) -> bool {
        let tcp = [self.protocol, other.protocol].contains(&Protocol::Tcp);
        if self.listen != other.listen {
            return self.covers(other) || other.covers(self);
        }
        tcp || (self.host == other.host && same_path(&self.path, &other.path))
    }

    /// Whether both are of one host, and hold the certificates of its clients against different files: who shows one is
    /// asked once, before it is known for which path.
    fn asks_otherwise(&self, other: &Self) -> bool {
        let issuers = |route: &Self| route.tls.as_ref().and_then(tls::Tls::issuers).cloned();
        let both = issuers(self).zip(issuers(other));
        self.host == other.host && both.is_some_and(|(ours, theirs)| ours != theirs)
    }

    /// Whether both listen on one address and trust others with saying who asks.
    pub(crate) fn is_at_odds(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.balancing.proxy_protocol, &other.balancing.proxy_protocol);
        self.listen == other.listen && !ours.trusts_the_same(theirs)
    }

    /// Whether it listens on all addresses of which the other has one: both cannot be.
    fn covers(&self, other: &Self) -> bool {
        let (all, one) = (self.listen, other.listen);
        all.ip().is_unspecified() && all.port() == one.port() && all.is_ipv4() == one.is_ipv4()
    }

    /// Why it cannot stand beside a route that it collides with.
    fn twin_of(&self, twin: &Self) -> String {
        let (one, two) = (&twin.name, &self.name);
        if self.listen != twin.listen {
            return format!(
                "routes `{one}` and `{two}` listen on `{}` and `{}`, of which one is part of the other",
                twin.listen, self.listen
            );
        }
        match [twin, self].into_iter().find(|route| route.protocol == Protocol::Tcp) {
            Some(whole) if one != two => {
                format!(
                    "routes `{one}` and `{two}` both listen on `{}`, which `{}` needs alone as it passes TCP through",
                    whole.listen, whole.name
                )
            }
            _ => format!("routes `{one}` and `{two}` answer to the same"),
        }
    }
}

fn same_path(left: &str, right: &str) -> bool {
    left.trim_end_matches('/') == right.trim_end_matches('/')
}
