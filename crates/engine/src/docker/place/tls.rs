//! A daemon that speaks TLS.

use std::path::PathBuf;

use crate::docker::place::host_of;

/// A TCP address that speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsPlace {
    /// `host:port`.
    pub(in crate::docker) address: String,
    /// The folder of `ca.pem`, `cert.pem` and `key.pem`.
    pub(in crate::docker) certificates: PathBuf,
}

impl TlsPlace {
    /// The host, which must stand in the server's certificate.
    pub(in crate::docker) fn host(&self) -> &str {
        host_of(&self.address)
    }
}

impl std::fmt::Display for TlsPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "tcp://{}", self.address)
    }
}
