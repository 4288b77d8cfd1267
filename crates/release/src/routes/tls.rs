//! Which addresses of a route speak TLS, and how: the port that browsers take for it, and what is published beside it.

use std::net::SocketAddr;
use std::time::Duration;

use seaworthy_gateway::route::Protocol;
use seaworthy_gateway::route::tls::{Acme, CertificateSource, Clients, Tls};
use seaworthy_project::Service;
use seaworthy_project::model::tls::{Tls as Said, TlsMode};

/// The ports that clients take for HTTP without and with TLS, where an address names none.
const PLAIN: u16 = 80;
pub(super) const SECURE: u16 = 443;
/// The issuers that have a name here.
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
const LETS_ENCRYPT_STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";
const STAGING: &str = "letsencrypt-staging";
/// How long browsers are told to come with TLS only, unless it is said: long enough to be of use between two visits,
/// short enough to get over it when TLS is given up.
const HSTS: Duration = Duration::from_secs(30 * 24 * 3600);

/// What a route says of TLS, where it wishes it.
pub(super) fn said(service: &Service) -> Option<&Said> {
    let said = &service.settings.route.as_ref()?.value.tls.as_ref()?.value;
    source(said).map(|_| said)
}

fn source(said: &Said) -> Option<CertificateSource> {
    if let Some(files) = &said.files {
        let (certificate, key) = (files.certificate.clone(), files.key.clone());
        return Some(CertificateSource::Files { certificate, key });
    }
    match said.mode? {
        TlsMode::Off => None,
        TlsMode::SelfSigned => Some(CertificateSource::SelfSigned),
        TlsMode::Acme => Some(CertificateSource::Acme(Acme {
            directory: match said.acme.directory.as_deref() {
                None | Some("letsencrypt") => LETS_ENCRYPT.to_owned(),
                Some(STAGING) => LETS_ENCRYPT_STAGING.to_owned(),
                Some(address) => address.to_owned(),
            },
            email: said.acme.email.clone(),
            roots: said.acme.roots.clone(),
        })),
    }
}

/// How a route is served at an address; `port` is where TLS is spoken.
pub(super) fn route(said: &Said, port: u16) -> Option<Tls> {
    let certificate = source(said)?;
    // Who keeps to a certificate that no browser trusts is locked out.
    let trusted = match &certificate {
        CertificateSource::Files { .. } => true,
        CertificateSource::SelfSigned => false,
        CertificateSource::Acme(acme) => acme.directory != LETS_ENCRYPT_STAGING,
    };
    let hsts = said.hsts.unwrap_or(if trusted { HSTS } else { Duration::ZERO });
    let hsts_seconds = Some(hsts.as_secs()).filter(|seconds| *seconds > 0);
    let clients = said.clients.as_ref().map(|own| Clients { ca: own.ca.clone(), required: !own.optional });
    Some(Tls { certificate, port, redirect: said.redirect.unwrap_or(true), hsts_seconds, clients })
}

/// Adds the address of TLS beside the plain one, where nothing else is published.
pub(super) fn beside(listens: &mut Vec<(Protocol, u16, SocketAddr)>) {
    let secure = |(protocol, _, listen): &(Protocol, u16, SocketAddr)| {
        listen.port() == SECURE || (*protocol == Protocol::Http && listen.port() != PLAIN)
    };
    if listens.iter().any(secure) {
        return;
    }
    let plain = listens.iter().filter(|(protocol, ..)| *protocol == Protocol::Http);
    let added: Vec<_> =
        plain.map(|(_, target, at)| (Protocol::Http, *target, SocketAddr::new(at.ip(), SECURE))).collect();
    listens.extend(added);
}

/// The port that requests without TLS are sent to from an address: its own, unless everybody takes it for plain.
pub(super) fn port(listen: SocketAddr, listens: &[(Protocol, u16, SocketAddr)]) -> u16 {
    if listen.port() != PLAIN {
        return listen.port();
    }
    let mut others = listens.iter().filter(|(protocol, _, other)| {
        *protocol == Protocol::Http && other.port() != PLAIN && other.ip() == listen.ip()
    });
    let ports: Vec<u16> = others.by_ref().map(|(.., other)| other.port()).collect();
    if ports.contains(&SECURE) { SECURE } else { ports.first().copied().unwrap_or(SECURE) }
}
