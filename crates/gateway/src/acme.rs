//! Certificates from an issuer (RFC 8555): asked for one at a time, never more often than issuers allow, and in nobody's
//! way. Until one is there, what was served before is served on.

pub(crate) mod challenges;
mod courier;
mod order;
mod pace;

use std::sync::Arc;
use std::time::Duration;

use instant_acme::LetsEncrypt;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::place::Place;
use crate::rim;
use crate::route::tls::Acme;
use crate::sockets::note;
use crate::tls::{Certificate, CertificateError, Due, named};
use crate::worker::Gateway;

use challenges::Kind;
use courier::Rest;
use order::{Failed, Trial};
use pace::Pace;

/// Between two looks whether a certificate is wanted.
const LOOK: Duration = Duration::from_secs(1);
/// How long an issuer may take for all of it.
const ISSUE: Duration = Duration::from_secs(300);
/// A part of a certificate's life in which hosts are spread, so that not all are renewed at once.
const SPREAD: i64 = 24;
/// The ports that issuers come to.
const HTTP: u16 = 80;
const HTTPS: u16 = 443;

/// Has certificates issued and renewed until the worker ends.
pub(crate) async fn keep(gateway: Arc<Gateway>) {
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stopping = gateway.stopping.subscribe();
    let work = async {
        loop {
            look.tick().await;
            for due in gateway.certificates.due() {
                attempt(&due, &gateway).await;
            }
        }
    };
    tokio::select! {
        () = work => {}
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
}

/// Tries to have a certificate, if its time has come.
async fn attempt(due: &Due, gateway: &Gateway) {
    let place = &gateway.place;
    let (host, acme) = (due.host.as_str(), &due.acme);
    let now = rim::now();
    if !due.stands_in && now < renewal(host, due.from, due.until) {
        // One that has not begun by our clock may be waited for.
        match (now < due.from, due.has_problem) {
            (true, false) => {
                let reason = CertificateError::NotYet { on: due.from }.to_string();
                gateway.certificates.failed(due, &reason, gateway);
            }
            (false, true) => gateway.certificates.settled(due, gateway),
            _ => {}
        }
        return;
    }
    let path = place.pace(&issuer(acme), host);
    let pace = Pace::read(&path);
    if now < pace.next {
        if let Some(reason) = pace.reason.filter(|_| !due.has_problem) {
            gateway.certificates.failed(due, &reason, gateway);
        }
        return;
    }
    // Written before anything is asked: an attempt that is cut off counts, and where nothing can be kept none is made.
    if let Err(error) = Pace::hard(&pace, now, "the last attempt was cut off").write(&path) {
        let reason = format!(
            "`{}` cannot be written ({error}): nothing is asked for that could not be kept",
            path.display()
        );
        return gateway.certificates.failed(due, &reason, gateway);
    }
    let rest = Rest::default();
    let got = match timeout(ISSUE, issue(due, &pace, &rest, gateway)).await {
        Ok(got) => got,
        Err(_) => Err(Failed::Late),
    };
    match got {
        Ok(certificate) => {
            note(
                place,
                &format!("a certificate for {} was issued, until {}", named(Some(host)), certificate.until),
            );
            let wrong = certificate.is_for(Some(host), now).err();
            // One that is over by our clock is asked for again, slowly.
            let after =
                wrong.as_ref().map_or_else(Pace::default, |error| Pace::hard(&pace, now, &error.to_string()));
            let _ = after.write(&path);
            gateway.certificates.issued(due, certificate, wrong.map(|error| error.to_string()), gateway);
        }
        Err(failed) => {
            let reason = failed.told();
            let after = if failed.reached_nobody() {
                Pace::soft(&pace, now, &reason)
            } else {
                Pace::hard(&pace, now, &reason)
            };
            let after = after.not_before(rest.until());
            let _ = after.write(&path);
            let next = after.next;
            gateway.certificates.failed(due, &format!("{reason}; it is tried again at {next}"), gateway);
        }
    }
}

/// One certificate, on disk before it is served.
async fn issue(due: &Due, pace: &Pace, rest: &Rest, gateway: &Gateway) -> Result<Certificate, Failed> {
    let Due { host, acme, .. } = due;
    let kind = kind(pace.failures, gateway).ok_or(Failed::NoPort)?;
    let trial = Trial { host, kind, gateway, rest: rest.clone() };
    // Faults are found where they cost nothing: this issuer forgives few.
    if due.stands_in && acme.directory == LetsEncrypt::Production.url() {
        let staging = Acme { directory: LetsEncrypt::Staging.url().to_owned(), ..acme.clone() };
        order::rehearse(&trial, &staging).await?;
    }
    let pem = order::issue(&trial, acme).await?;
    let path = gateway.place.issued(&issuer(acme), host);
    let certificate = Certificate::parse(pem.as_bytes(), pem.as_bytes()).map_err(Failed::Unusable)?;
    rim::replace(&path, pem.as_bytes()).map_err(|source| Failed::Unkept { path, source })?;
    Ok(certificate)
}

/// Where the issuer is to look: what is listened on, and the other one after a failure.
fn kind(failures: u32, gateway: &Gateway) -> Option<Kind> {
    let ports: Vec<u16> = gateway.table.load().addresses().iter().map(|address| address.port()).collect();
    let kinds = [(HTTP, Kind::Http), (HTTPS, Kind::Tls)];
    let open: Vec<Kind> =
        kinds.into_iter().filter(|(port, _)| ports.contains(port)).map(|(_, kind)| kind).collect();
    open.get(failures as usize % open.len().max(1)).copied()
}

/// The certificate that is kept of an issuer for a host.
pub(crate) fn kept(place: &Place, acme: &Acme, host: &str) -> Option<Certificate> {
    Certificate::kept(&place.issued(&issuer(acme), host)).ok()
}

/// When a certificate is renewed: at two thirds of its life, each host a little later than another.
fn renewal(host: &str, from: Timestamp, until: Timestamp) -> Timestamp {
    let life = until.as_second() - from.as_second();
    let spread = Sha256::digest(host.as_bytes()).first().copied().map_or(0, i64::from);
    let after = life / 3 * 2 + life / SPREAD * spread / 256;
    from.checked_add(SignedDuration::from_secs(after)).unwrap_or(until)
}

/// What an issuer's folder is called.
fn issuer(acme: &Acme) -> String {
    let digest = Sha256::digest(acme.directory.as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_is_at_two_thirds_and_spread() {
        let (from, until) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(90 * 24 * 3600).unwrap());
        let days: Vec<i64> = (0..200)
            .map(|host| renewal(&format!("{host}.example"), from, until).as_second() / (24 * 3600))
            .collect();
        assert_eq!((days.iter().min(), days.iter().max()), (Some(&60), Some(&63)));
    }
}
