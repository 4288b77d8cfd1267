//! TLS: which certificate is served where, kept fresh while requests are served. What goes wrong with one never stands
//! in the way of its route, nor of others: until a certificate can be had, one that the gateway made itself stands in.

pub(crate) mod arrival;
mod certificate;
pub(crate) mod guard;
pub(crate) mod own;
pub(crate) mod profile;
mod validity;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::ServerConfig;
use tokio::time::{MissedTickBehavior, interval};

use crate::acme;
use crate::acme::challenges::Challenges;
use crate::error::GatewayError;
use crate::metrics::CertificateLine;
use crate::rim;
use crate::route::tls::{Acme, CertificateSource};
use crate::route::{Protocol, RouteSet};
use crate::sockets::note;
use crate::table::Table;
use crate::worker::Gateway;

pub(crate) use arrival::Via;
pub(crate) use certificate::Certificate;
pub use certificate::{CertificateError, examine};

/// Between two looks whether files changed or a certificate has to be renewed.
const LOOK: Duration = Duration::from_secs(2);

/// A certificate that is served.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) config: Arc<ServerConfig>,
    /// It stands in for one that could not be had: clients are not led to it.
    pub(crate) stands_in: bool,
}

/// A certificate that is wanted: for whom, and from where.
type Wish = (Option<String>, CertificateSource);

/// What there is for a wish.
#[derive(Debug)]
struct Held {
    live: Arc<Live>,
    certificate: Certificate,
    /// What was read last, to be read again only when that changed.
    seen: Option<Seen>,
    problem: Option<String>,
}

/// When the two files of a certificate were last written.
type Seen = [Option<SystemTime>; 2];

/// By address, then by the host that is named.
type Served = HashMap<SocketAddr, HashMap<Option<String>, Arc<Live>>>;

/// All certificates that are served.
#[derive(Debug, Default)]
pub(crate) struct Certificates {
    held: Mutex<BTreeMap<Wish, Held>>,
    served: ArcSwap<Served>,
    pub(crate) challenges: Challenges,
}

/// A certificate that an issuer is to be asked for, now or later.
pub(crate) struct Due {
    pub(crate) host: String,
    pub(crate) acme: Acme,
    /// There is none yet.
    pub(crate) stands_in: bool,
    /// Whether it was said why.
    pub(crate) has_problem: bool,
    /// How long the one that is served holds.
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

impl Certificates {
    /// The certificate for the host that a client names, or, where it names none, for the address it came to.
    pub(crate) fn find(
        &self,
        listen: SocketAddr,
        named: Option<&str>,
        local: SocketAddr,
    ) -> Option<Arc<Live>> {
        let served = self.served.load();
        let here = served.get(&listen)?;
        let host = match named {
            Some(named) => named.trim_end_matches('.').to_ascii_lowercase(),
            None if local.is_ipv6() => format!("[{}]", local.ip()),
            None => local.ip().to_string(),
        };
        here.get(&Some(host)).or_else(|| here.get(&None)).cloned()
    }

    /// Whether TLS is spoken on an address.
    pub(crate) fn speaks(&self, listen: SocketAddr) -> bool {
        self.served.load().contains_key(&listen)
    }

    /// Whether a client can be led to TLS for a host: there is a certificate that it was promised.
    pub(crate) fn is_ready(&self, listen: SocketAddr, host: Option<&String>) -> bool {
        let served = self.served.load();
        served.get(&listen).and_then(|here| here.get(&host.cloned())).is_some_and(|live| !live.stands_in)
    }

    /// Has a certificate for every route of a table that wants one, and none for others. What cannot be had is noted.
    pub(crate) fn cover(&self, table: &Table, gateway: &Gateway) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let wishes = wishes(table);
        held.retain(|wish, _| wishes.contains(wish));
        for wish in wishes {
            if let Some(fresh) = fresh(&wish, held.get(&wish), gateway) {
                held.insert(wish, fresh);
            }
        }
        self.serve(table, &held);
        gateway.metrics.certificates(held.iter().map(|(wish, held)| line(wish, held)));
    }

    /// The certificates that come from issuers.
    pub(crate) fn due(&self) -> Vec<Due> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let issued = held.iter().filter_map(|((host, source), held)| match source {
            CertificateSource::Acme(acme) => Some(Due {
                host: host.clone()?,
                acme: acme.clone(),
                stands_in: held.live.stands_in,
                has_problem: held.problem.is_some(),
                from: held.certificate.from,
                until: held.certificate.until,
            }),
            _ => None,
        });
        issued.collect()
    }

    /// Serves what an issuer gave.
    pub(crate) fn issued(
        &self,
        due: &Due,
        certificate: Certificate,
        problem: Option<String>,
        gateway: &Gateway,
    ) {
        let live = profile::live(&certificate, false);
        self.change(due, gateway, |held| *held = Held { live, certificate, seen: None, problem });
    }

    /// Notes that an issuer gave nothing; what is served is served on.
    pub(crate) fn failed(&self, due: &Due, reason: &str, gateway: &Gateway) {
        note(&gateway.place, &format!("no certificate for {} (acme): {reason}", named(Some(&due.host))));
        self.change(due, gateway, |held| held.problem = Some(reason.to_owned()));
    }

    fn change(&self, due: &Due, gateway: &Gateway, change: impl FnOnce(&mut Held)) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody may want it any more.
        let wish = (Some(due.host.clone()), CertificateSource::Acme(due.acme.clone()));
        if let Some(found) = held.get_mut(&wish) {
            change(found);
        }
        self.serve(&gateway.table.load(), &held);
        gateway.metrics.certificates(held.iter().map(|(wish, held)| line(wish, held)));
    }

    fn serve(&self, table: &Table, held: &BTreeMap<Wish, Held>) {
        let mut served = Served::new();
        // The user's own files count more than what is made, where two routes of a host differ.
        for ((host, source), held) in held {
            for route in tls_routes(table).filter(|route| route.host == *host) {
                if route.tls.as_ref().is_some_and(|tls| tls.certificate == *source) {
                    let here = served.entry(route.listen).or_default();
                    here.entry(host.clone()).or_insert_with(|| held.live.clone());
                }
            }
        }
        self.served.store(Arc::new(served));
    }
}

fn tls_routes(table: &Table) -> impl Iterator<Item = &crate::route::Route> {
    let routes = table.projects.values().flat_map(|entry| &entry.set.routes);
    routes.filter(|route| route.protocol == Protocol::Http && route.tls.is_some())
}

fn wishes(table: &Table) -> BTreeSet<Wish> {
    tls_routes(table)
        .filter_map(|route| Some((route.host.clone(), route.tls.as_ref()?.certificate.clone())))
        .collect()
}

/// What is there now for a wish, where that is not what is held already.
fn fresh(wish: &Wish, held: Option<&Held>, gateway: &Gateway) -> Option<Held> {
    let (host, source) = wish;
    let (now, host) = (rim::now(), host.as_deref());
    let (seen, got) = match source {
        CertificateSource::Files { certificate, key } => {
            let seen = [certificate, key].map(|file| rim::written_at(file));
            // What cannot be used is looked at again: two files are not replaced at once.
            if held.is_some_and(|held| held.seen == Some(seen) && held.problem.is_none()) {
                return None;
            }
            match Certificate::read(certificate, key) {
                Ok(read) => match read.is_for(host, now) {
                    Ok(()) => (Some(seen), Ok(read)),
                    // Where there is nothing better, what the user named is served as it is.
                    Err(error) if held.is_none() => return Some(doubtful(wish, read, seen, &error, gateway)),
                    Err(error) => (Some(seen), Err(error)),
                },
                Err(error) => (Some(seen), Err(error)),
            }
        }
        CertificateSource::SelfSigned => {
            if held.is_some_and(|held| !held.certificate.is_ageing(now)) {
                return None;
            }
            (None, own::kept_or_made(host, &gateway.place))
        }
        CertificateSource::Acme(acme) => {
            // From here on it is the issuer's turn.
            return held.is_none().then(|| of_issuer(acme, host, gateway)).flatten();
        }
    };
    let problem = match got {
        Ok(certificate) => {
            if held.is_some() {
                note(&gateway.place, &format!("the certificate for {} was taken up", named(host)));
            }
            return Some(Held { live: profile::live(&certificate, false), certificate, seen, problem: None });
        }
        Err(error) => told(&error),
    };
    if held.is_some_and(|held| held.problem.as_ref() == Some(&problem)) {
        return None;
    }
    note(&gateway.place, &format!("no new certificate for {} ({}): {problem}", named(host), source.word()));
    let problem = Some(problem);
    match held {
        Some(Held { live, certificate, .. }) => {
            Some(Held { live: live.clone(), certificate: certificate.clone(), seen, problem })
        }
        None => {
            let certificate = own::stand_in(host).ok()?;
            Some(Held { live: profile::live(&certificate, true), certificate, seen, problem })
        }
    }
}

/// The user's own certificate, though clients may refuse it.
fn doubtful(
    wish: &Wish,
    certificate: Certificate,
    seen: Seen,
    error: &CertificateError,
    gateway: &Gateway,
) -> Held {
    let problem = told(error);
    note(&gateway.place, &format!("the certificate for {} is doubtful: {problem}", named(wish.0.as_deref())));
    let live = profile::live(&certificate, false);
    Held { live, certificate, seen: Some(seen), problem: Some(problem) }
}

/// What was issued before, or what stands in until something is.
fn of_issuer(acme: &Acme, host: Option<&str>, gateway: &Gateway) -> Option<Held> {
    let kept = acme::kept(&gateway.place, acme, host?);
    let (certificate, stands_in) = match kept {
        Some(certificate) => (certificate, false),
        None => (own::stand_in(host).ok()?, true),
    };
    Some(Held { live: profile::live(&certificate, stands_in), certificate, seen: None, problem: None })
}

fn line(wish: &Wish, held: &Held) -> CertificateLine {
    let (host, source) = wish;
    CertificateLine {
        host: host.clone().unwrap_or_else(|| "*".to_owned()),
        source: if held.live.stands_in { "stand-in" } else { source.word() },
        until: held.certificate.until.as_second(),
        problem: held.problem.is_some(),
    }
}

pub(crate) fn named(host: Option<&str>) -> String {
    host.map_or_else(|| "any host".to_owned(), |host| format!("`{host}`"))
}

/// An error and its cause.
fn told(error: &CertificateError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(" ({cause})")).unwrap_or_default();
    format!("{error}{cause}")
}

/// Keeps certificates fresh until the worker ends.
pub(crate) async fn keep(gateway: Arc<Gateway>) {
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stopping = gateway.stopping.subscribe();
    loop {
        let ended = tokio::select! {
            _ = look.tick() => false,
            _ = stopping.wait_for(|stopping| *stopping) => true,
        };
        if ended {
            return;
        }
        gateway.look_at_certificates().await;
    }
}

/// Whether the certificates of a set could be served, for whoever is about to deploy it.
///
/// # Errors
/// The first that could not.
pub fn check(set: &RouteSet) -> Result<(), GatewayError> {
    for route in &set.routes {
        let Some(CertificateSource::Files { certificate, key }) =
            route.tls.as_ref().map(|tls| &tls.certificate)
        else {
            continue;
        };
        let read = Certificate::read(certificate, key);
        let checked = read.and_then(|read| read.is_for(route.host.as_deref(), rim::now()));
        checked.map_err(|error| GatewayError::Certificate {
            route: route.name.clone(),
            reason: told(&error),
            hint: error.hint(),
        })?;
    }
    Ok(())
}
