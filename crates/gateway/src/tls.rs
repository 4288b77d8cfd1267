//! TLS: which certificate is served where, kept fresh while requests are served. What goes wrong with one never stands
//! in the way of its route, nor of others: until a certificate can be had, one that the gateway made itself stands in.

pub(crate) mod arrival;
mod beforehand;
mod certificate;
pub(crate) mod clients;
pub(crate) mod guard;
pub(crate) mod own;
pub(crate) mod profile;
pub(crate) mod roots;
mod subject;
mod validity;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::ServerConfig;
use tokio::time::{MissedTickBehavior, interval};

use crate::acme;
use crate::acme::challenges::Challenges;
use crate::metrics::CertificateLine;
use crate::rim;
use crate::route::Protocol;
use crate::route::tls::{Acme, CertificateSource};
use crate::sockets::note;
use crate::table::Table;
use crate::worker::Gateway;

pub(crate) use arrival::Via;
pub use beforehand::check;
pub(crate) use certificate::Certificate;
pub use certificate::{CertificateError, examine};
use clients::Issuers;
pub use clients::examine_issuers;
pub use roots::examine_roots;

/// Between two looks whether files changed or a certificate has to be renewed.
const LOOK: Duration = Duration::from_secs(2);

/// A certificate that is served.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) config: Arc<ServerConfig>,
    /// It stands in for one that could not be had: clients are not led to it.
    pub(crate) stands_in: bool,
    /// What clients' certificates are held against, where they are asked for some.
    pub(crate) issuers: Option<Arc<Path>>,
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
    /// Those who issue the certificates of its clients.
    issuers: Option<Issuers>,
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
            let issuers = held.get(&wish).and_then(|held| held.issuers.clone());
            let fresh = fresh(&wish, held.get(&wish), gateway);
            let anew = fresh.is_some();
            if let Some(fresh) = fresh {
                held.insert(wish.clone(), Held { issuers, ..fresh });
            }
            if let Some(held) = held.get_mut(&wish) {
                held.ask_clients(issuers_of(table, wish.0.as_ref()), anew, gateway);
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
        self.change(due, gateway, |held| {
            let issuers = held.issuers.take();
            let live = profile::live(&certificate, false, issuers.as_ref());
            *held = Held { live, certificate, seen: None, problem, issuers };
        });
    }

    /// Notes that an issuer gave nothing; what is served is served on.
    pub(crate) fn failed(&self, due: &Due, reason: &str, gateway: &Gateway) {
        self.change(due, gateway, |held| {
            // What is tried each second, as where nothing can be written, is told once.
            if held.problem.as_deref() != Some(reason) {
                let host = named(Some(&due.host));
                note(&gateway.place, &format!("no certificate for {host} (acme): {reason}"));
            }
            held.problem = Some(reason.to_owned());
        });
    }

    /// Notes that what was wrong is over by itself.
    pub(crate) fn settled(&self, due: &Due, gateway: &Gateway) {
        self.change(due, gateway, |held| held.problem = None);
    }

    /// What is wrong with certificates now, a sentence without its full stop each.
    pub(crate) fn problems(&self) -> Vec<String> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |((host, source), held): (&Wish, &Held)| {
            let until = held.certificate.until;
            let served = match held.live.stands_in {
                true => "clients refuse what stands in for it".to_owned(),
                false if until <= rim::now() => format!("the one that is served expired on {until}"),
                false => format!("the one that is served holds until {until}"),
            };
            let (host, word) = (named(host.as_deref()), source.word());
            let own = held.problem.as_ref();
            let own =
                own.map(|problem| format!("no new certificate for {host} ({word}): {problem}; {served}"));
            let issuers = held.issuers.as_ref().and_then(Issuers::problem);
            own.into_iter().chain(issuers).collect::<Vec<_>>()
        };
        held.iter().flat_map(of).collect()
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

impl Held {
    /// Has clients asked for certificates, or not, and takes up what those are held against; `anew` where it was made just now.
    fn ask_clients(&mut self, ca: Option<&PathBuf>, anew: bool, gateway: &Gateway) {
        let looked = ca.and_then(|ca| Issuers::look(ca, self.issuers.as_ref(), &gateway.place));
        let gone = ca.is_none() && self.issuers.take().is_some();
        let changed = looked.is_some() || gone;
        if looked.is_some() {
            self.issuers = looked;
        }
        if changed || (anew && self.issuers.is_some()) {
            self.live = profile::live(&self.certificate, self.live.stands_in, self.issuers.as_ref());
        }
    }
}

/// The file that certificates of a host's clients are held against. Routes of one project name one; of several projects the
/// first one's counts, and the others let nobody in who was held against it.
fn issuers_of<'a>(table: &'a Table, host: Option<&String>) -> Option<&'a PathBuf> {
    let mut own = tls_routes(table).filter(|route| route.host.as_ref() == host);
    own.find_map(|route| route.tls.as_ref()?.issuers())
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
            return Some(held_as(certificate, false, seen, None));
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
            let (live, certificate) = (live.clone(), certificate.clone());
            Some(Held { live, certificate, seen, problem, issuers: None })
        }
        None => {
            let certificate = own::stand_in(host).ok()?;
            Some(held_as(certificate, true, seen, problem))
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
    held_as(certificate, false, Some(seen), Some(problem))
}

fn held_as(certificate: Certificate, stands_in: bool, seen: Option<Seen>, problem: Option<String>) -> Held {
    Held { live: profile::live(&certificate, stands_in, None), certificate, seen, problem, issuers: None }
}

/// What was issued before, or what stands in until something is.
fn of_issuer(acme: &Acme, host: Option<&str>, gateway: &Gateway) -> Option<Held> {
    let kept = acme::kept(&gateway.place, acme, host?);
    let (certificate, stands_in) = match kept {
        Some(certificate) => (certificate, false),
        None => (own::stand_in(host).ok()?, true),
    };
    Some(held_as(certificate, stands_in, None, None))
}

fn line(wish: &Wish, held: &Held) -> CertificateLine {
    let (host, source) = wish;
    CertificateLine {
        host: host.clone().unwrap_or_else(|| "*".to_owned()),
        source: if held.live.stands_in { "stand-in" } else { source.word() },
        until: held.certificate.until.as_second(),
        problem: held.problem.is_some() || held.issuers.as_ref().and_then(Issuers::problem).is_some(),
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
