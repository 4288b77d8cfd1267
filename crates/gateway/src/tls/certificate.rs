//! A certificate and its key: read, held against each other, and made ready to be served.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rustls::client::verify_server_name;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use thiserror::Error;

use super::validity;
use crate::rim;

/// The longest file of a certificate or a key.
const MAX_BYTES: u64 = 1 << 20;
/// Permissions that let others than the owner read or write.
const OTHERS: u32 = 0o077;

/// Why a certificate cannot be served.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// A file is not there, or not for us.
    #[error("`{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// Others can read the key.
    #[error("the key `{}` can be read by others (its mode is {mode:o})", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// There is no certificate in the file, or one that is none.
    #[error("there is no certificate in PEM form in it")]
    NoCertificate,
    /// There is no key in the file, or one that is none.
    #[error("there is no private key in PEM form in it that can be used")]
    NoKey,
    /// They do not belong together.
    #[error("the key is not that of the certificate")]
    NotAPair,
    /// It is over.
    #[error("the certificate expired on {on}")]
    Expired {
        /// When.
        on: Timestamp,
    },
    /// It has not begun.
    #[error("the certificate holds only from {on} on")]
    NotYet {
        /// When it does.
        on: Timestamp,
    },
    /// It is for somebody else.
    #[error("the certificate is not for `{host}`")]
    OtherHost {
        /// The host of the route.
        host: String,
    },
    /// Its bytes say nothing that could be understood.
    #[error("the certificate cannot be understood")]
    Malformed,
}

impl CertificateError {
    /// What the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } => "write the file, or name another one".to_owned(),
            Self::Open { path, .. } => format!("run `chmod 600 {}`", path.display()),
            Self::NoCertificate => {
                "name a file that begins with `-----BEGIN CERTIFICATE-----`, your own certificate first"
                    .to_owned()
            }
            Self::NoKey => "name a file with an unencrypted RSA, ECDSA or Ed25519 key in PEM form".to_owned(),
            Self::NotAPair => "name the certificate and the key that were made together".to_owned(),
            Self::Expired { .. } => "renew it, or use `tls: acme`, which renews by itself".to_owned(),
            Self::NotYet { .. } => "look at this machine's clock, or wait".to_owned(),
            Self::OtherHost { .. } => "name the certificate of this host, or change `route.host`".to_owned(),
            Self::Malformed => "make it again".to_owned(),
        }
    }
}

/// A certificate with its key, fit to be served.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    pub(crate) key: Arc<CertifiedKey>,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

/// Whether a certificate and its key, both as PEM, can be served for a host now.
///
/// # Errors
/// What stands in the way.
pub fn examine(
    certificate: &[u8],
    key: &[u8],
    host: Option<&str>,
    now: Timestamp,
) -> Result<(), CertificateError> {
    Certificate::parse(certificate, key)?.is_for(host, now)
}

impl Certificate {
    /// From the user's own files.
    pub(crate) fn read(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let mode = rim::mode(key).map_err(unreadable(key))?;
        if mode & OTHERS != 0 {
            return Err(CertificateError::Open { path: key.to_owned(), mode });
        }
        Self::parse(&bytes(certificate)?, &bytes(key)?)
    }

    /// From a file of the gateway's own, which holds both.
    pub(crate) fn kept(path: &Path) -> Result<Self, CertificateError> {
        let both = bytes(path)?;
        Self::parse(&both, &both)
    }

    /// From PEM.
    pub(crate) fn parse(certificate: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
        let chain = chain.map_err(|_| CertificateError::NoCertificate)?;
        if chain.is_empty() {
            return Err(CertificateError::NoCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| CertificateError::NoKey)?;
        Self::of(chain, &key)
    }

    pub(crate) fn of(
        chain: Vec<CertificateDer<'static>>,
        key: &PrivateKeyDer<'_>,
    ) -> Result<Self, CertificateError> {
        let first = chain.first().ok_or(CertificateError::NoCertificate)?;
        let (from, until) = validity::of(first).ok_or(CertificateError::Malformed)?;
        let key = ring::sign::any_supported_type(key).map_err(|_| CertificateError::NoKey)?;
        let key = CertifiedKey::new(chain, key);
        match key.keys_match() {
            Ok(()) => Ok(Self { key: Arc::new(key), from, until }),
            Err(rustls::Error::InconsistentKeys(_)) => Err(CertificateError::NotAPair),
            Err(_) => Err(CertificateError::Malformed),
        }
    }

    /// Whether clients of that host take it now.
    pub(crate) fn is_for(&self, host: Option<&str>, now: Timestamp) -> Result<(), CertificateError> {
        if self.until <= now {
            return Err(CertificateError::Expired { on: self.until });
        }
        if self.from > now {
            return Err(CertificateError::NotYet { on: self.from });
        }
        let Some(host) = host else { return Ok(()) };
        // A name that cannot be in a certificate is not looked for in one.
        let Ok(name) = ServerName::try_from(host.trim_matches(['[', ']'])) else { return Ok(()) };
        let first = self.key.cert.first().ok_or(CertificateError::NoCertificate)?;
        let parsed = ParsedCertificate::try_from(first).map_err(|_| CertificateError::Malformed)?;
        verify_server_name(&parsed, &name).map_err(|_| CertificateError::OtherHost { host: host.to_owned() })
    }

    /// Whether two thirds of its life are over.
    pub(crate) fn is_ageing(&self, now: Timestamp) -> bool {
        let life = self.until.as_second() - self.from.as_second();
        now.as_second() - self.from.as_second() >= life / 3 * 2
    }
}

/// What is in a file that must be there.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let read =
        rim::read(path, MAX_BYTES).and_then(|bytes| bytes.ok_or_else(|| io::ErrorKind::NotFound.into()));
    read.map_err(unreadable(path))
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> CertificateError {
    let path = path.to_owned();
    move |source| CertificateError::Unreadable { path, source }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn made(host: &str, from: i64, until: i64) -> (Vec<u8>, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut wanted = CertificateParams::new([host.to_owned()]).unwrap();
        let at =
            |seconds: i64| std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds as u64);
        wanted.not_before = at(from).into();
        wanted.not_after = at(until).into();
        let made = wanted.self_signed(&key).unwrap();
        (super::super::own::pem("CERTIFICATE", made.der()).into_bytes(), key)
    }

    fn key_pem(key: &KeyPair) -> Vec<u8> {
        super::super::own::pem("PRIVATE KEY", key.serialized_der()).into_bytes()
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_said() {
        let now = Timestamp::from_second(1_000_000_000).unwrap();
        let (good, key) = made("shop.example", 900_000_000, 1_100_000_000);
        let (_, other) = made("shop.example", 900_000_000, 1_100_000_000);
        let (over, over_key) = made("shop.example", 900_000_000, 999_999_999);
        let (early, early_key) = made("shop.example", 1_000_000_001, 1_100_000_000);
        let said = |certificate: &[u8], key: &[u8], host| {
            examine(certificate, key, host, now).err().map_or_else(String::new, |error| error.to_string())
        };
        let key = key_pem(&key);
        assert_eq!(said(&good, &key, Some("shop.example")), "");
        assert_eq!(said(&good, &key, None), "");
        assert_eq!(said(&good, &key, Some("blog.example")), "the certificate is not for `blog.example`");
        assert_eq!(said(&good, &key_pem(&other), None), "the key is not that of the certificate");
        assert_eq!(said(&over, &key_pem(&over_key), None), "the certificate expired on 2001-09-09T01:46:39Z");
        assert_eq!(
            said(&early, &key_pem(&early_key), None),
            "the certificate holds only from 2001-09-09T01:46:41Z on"
        );
        assert_eq!(said(&key, &key, None), "there is no certificate in PEM form in it");
        assert_eq!(said(&good, &good, None), "there is no private key in PEM form in it that can be used");
        assert_eq!(said(b"", &key, None), "there is no certificate in PEM form in it");
    }

    #[test]
    fn it_ages_at_two_thirds() {
        let (pem, key) = made("shop.example", 900_000_000, 900_000_300);
        let certificate = Certificate::parse(&pem, &key_pem(&key)).unwrap();
        let ageing =
            |seconds: i64| certificate.is_ageing(Timestamp::from_second(900_000_000 + seconds).unwrap());
        assert_eq!([0, 199, 200, 400].map(ageing), [false, false, true, true]);
    }
}
