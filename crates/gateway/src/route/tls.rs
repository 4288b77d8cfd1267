//! What a route says of TLS: where its certificate comes from, and what is done with requests that come without.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How a route is served over TLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Where its certificate comes from.
    pub certificate: CertificateSource,
    /// The port that a request without TLS is sent to.
    pub port: u16,
    /// Whether a request without TLS is sent there; if not, it is answered as it came.
    pub redirect: bool,
    /// How long browsers are to come with TLS only, in seconds; `None` says nothing to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hsts_seconds: Option<u64>,
    /// Whose certificates clients show; `None` is asking for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<Clients>,
}

/// Clients that have certificates of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clients {
    /// A file with the certificates of those who issue them, as PEM; read again when it changes.
    pub ca: PathBuf,
    /// Whether those without are refused.
    pub required: bool,
}

impl Tls {
    /// The file that clients' certificates are held against.
    pub(crate) fn issuers(&self) -> Option<&PathBuf> {
        self.clients.as_ref().map(|clients| &clients.ca)
    }
}

/// Where a certificate comes from. Keys never travel: only where they lie does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CertificateSource {
    /// Two files of the user's, read again when they change.
    Files {
        /// The certificate, and after it those between it and its root, as PEM.
        certificate: PathBuf,
        /// Its key, as PEM.
        key: PathBuf,
    },
    /// Made by the gateway itself; no client knows whom to trust for it.
    SelfSigned,
    /// Asked for at an issuer that speaks ACME (RFC 8555).
    Acme(Acme),
}

/// Which issuer is asked, and how.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acme {
    /// The address of its directory.
    pub directory: String,
    /// Whom the issuer may write to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Certificates that the issuer's own is held against, instead of those of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roots: Option<PathBuf>,
}

impl CertificateSource {
    /// One word for it, for logs and metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Files { .. } => "files",
            Self::SelfSigned => "self-signed",
            Self::Acme(_) => "acme",
        }
    }
}
