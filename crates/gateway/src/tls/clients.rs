//! Certificates that clients show: held in the handshake against those of the user's own issuers, and told to backends.
//! One that is not of theirs ends the handshake; who shows none is let through that far, so that it can be told why not further.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use hyper::header::HeaderValue;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use sha2::{Digest, Sha256};

use super::certificate::{CertificateError, bytes};
use super::profile::PROVIDER;
use super::{subject, told};
use crate::place::Place;
use crate::rim;
use crate::sockets::note;

/// Those who issue the certificates of clients. While they cannot be read, nobody's certificate counts.
#[derive(Debug, Clone)]
pub(super) struct Issuers {
    pub(super) ca: Arc<Path>,
    pub(super) verifier: Option<Arc<dyn ClientCertVerifier>>,
    /// When what was read last was written.
    seen: Option<SystemTime>,
    problem: Option<String>,
}

/// What a client showed in the handshake of its connection.
#[derive(Debug)]
pub(crate) struct Shown {
    /// What it was held against.
    pub(crate) ca: Arc<Path>,
    /// What backends are told of its certificate, where it showed one.
    pub(crate) certificate: Option<HeaderValue>,
}

impl Issuers {
    /// What is there now, where that is not what there was before.
    pub(super) fn look(ca: &Path, before: Option<&Self>, place: &Place) -> Option<Self> {
        let before = before.filter(|before| *before.ca == *ca);
        let seen = rim::written_at(ca);
        if before.is_some_and(|before| before.seen == seen && before.problem.is_none()) {
            return None;
        }
        let (verifier, problem) = match bytes(ca).and_then(|pem| verifier(&pem)) {
            Ok(verifier) => (Some(verifier), None),
            // Those who were let in before still are.
            Err(error) => (before.and_then(|before| before.verifier.clone()), Some(told(&error))),
        };
        if before.is_some_and(|before| before.problem.is_some() && before.problem == problem) {
            return None;
        }
        let now = Self { ca: ca.into(), verifier, seen, problem };
        match now.problem() {
            Some(problem) => note(place, &problem),
            None if before.is_some() => {
                note(place, &format!("clients are held against what is in `{}` now", ca.display()));
            }
            None => {}
        }
        Some(now)
    }

    /// What is wrong with them, as a sentence without its full stop.
    pub(super) fn problem(&self) -> Option<String> {
        let problem = self.problem.as_ref()?;
        Some(format!("clients cannot be held against `{}`: {problem}", self.ca.display()))
    }
}

/// Whether a file of certificates, as PEM, can be what those of clients are held against.
///
/// # Errors
/// What is wrong with it.
pub fn examine_issuers(pem: &[u8]) -> Result<(), CertificateError> {
    verifier(pem).map(|_| ())
}

/// The same for a file that is named.
pub(super) fn examine_file(ca: &Path) -> Result<(), CertificateError> {
    examine_issuers(&bytes(ca)?)
}

fn verifier(pem: &[u8]) -> Result<Arc<dyn ClientCertVerifier>, CertificateError> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| CertificateError::NoCertificate)?;
        store.add(certificate).map_err(|_| CertificateError::Malformed)?;
    }
    if store.is_empty() {
        return Err(CertificateError::NoCertificate);
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(store), PROVIDER.clone());
    builder.allow_unauthenticated().build().map_err(|_| CertificateError::Malformed)
}

impl Shown {
    pub(super) fn of(ca: Arc<Path>, chain: Option<&[CertificateDer<'_>]>) -> Self {
        Self { ca, certificate: chain.and_then(|chain| line(chain.first()?)) }
    }
}

/// What backends are told: the SHA-256 of the certificate, and whom it names.
fn line(certificate: &[u8]) -> Option<HeaderValue> {
    let hash: String = Sha256::digest(certificate).iter().map(|byte| format!("{byte:02x}")).collect();
    let subject =
        subject::of(certificate).map(|subject| format!(";Subject=\"{subject}\"")).unwrap_or_default();
    HeaderValue::from_str(&format!("Hash={hash}{subject}")).ok()
}
