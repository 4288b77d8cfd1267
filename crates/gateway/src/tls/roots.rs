//! The certificates that servers are held against, where the gateway is the client.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::CertificateError;
use super::profile::PROVIDER;
use crate::rim;

/// The longest file of roots.
const MOST_ROOTS: u64 = 8 << 20;
/// Where systems keep the roots that they trust.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// TLS with those who are known by the roots in a file, or by those of the system; else the file that has none.
pub(crate) fn trusting(roots: Option<&Path>) -> Result<Arc<ClientConfig>, PathBuf> {
    let path = match roots {
        Some(path) => path,
        None => {
            let there = SYSTEM_ROOTS.iter().map(Path::new).find(|path| rim::written_at(path).is_some());
            there.unwrap_or(Path::new(SYSTEM_ROOTS[0]))
        }
    };
    let bytes = rim::read(path, MOST_ROOTS).ok().flatten().unwrap_or_default();
    let store = read(&bytes).map_err(|_| path.to_owned())?;
    let config = ClientConfig::builder_with_provider(PROVIDER.clone()).with_safe_default_protocol_versions();
    let config = config.expect("the provider speaks the usual versions");
    Ok(Arc::new(config.with_root_certificates(store).with_no_client_auth()))
}

/// Whether servers can be held against the certificates in such a file, as PEM.
///
/// # Errors
/// When there is none.
pub fn examine_roots(pem: &[u8]) -> Result<(), CertificateError> {
    read(pem).map(drop)
}

fn read(pem: &[u8]) -> Result<RootCertStore, CertificateError> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).filter_map(Result::ok));
    if store.is_empty() { Err(CertificateError::NoCertificate) } else { Ok(store) }
}
