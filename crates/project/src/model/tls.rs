//! `tls`: how a route is served over TLS, said at the route or for all of them.

use std::path::PathBuf;
use std::time::Duration;

/// `tls`, as far as it was said; what is absent is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// `mode`, or the only word there is.
    pub mode: Option<TlsMode>,
    /// `files`.
    pub files: Option<TlsFiles>,
    /// `acme`.
    pub acme: AcmeSettings,
    /// `hsts`: how long browsers are to come with TLS only; zero for `off`.
    pub hsts: Option<Duration>,
    /// `redirect`: whether requests without TLS are sent to where it is spoken.
    pub redirect: Option<bool>,
    /// `clients`: whose certificates clients show.
    pub clients: Option<ClientSettings>,
}

/// `clients`: clients that have certificates of their own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientSettings {
    /// `ca`: a file with the certificates of those who issue them.
    pub ca: PathBuf,
    /// `certificate: optional`: whoever shows none is let in all the same.
    pub optional: bool,
}

/// Where a certificate comes from, where it is not from files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// `off`.
    Off,
    /// `self-signed`.
    SelfSigned,
    /// `acme`.
    Acme,
}

/// `files`: a certificate that somebody else keeps fresh.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsFiles {
    /// `certificate`, and those up to its root after it.
    pub certificate: PathBuf,
    /// `key`.
    pub key: PathBuf,
}

/// `acme`: who issues certificates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AcmeSettings {
    /// `directory`: `letsencrypt` (default), `letsencrypt-staging`, or the address of one.
    pub directory: Option<String>,
    /// `email`: whom the issuer may write to.
    pub email: Option<String>,
    /// `roots`: what the issuer's own certificate is held against, instead of what the system trusts.
    pub roots: Option<PathBuf>,
}

impl Tls {
    /// What holds where `self` is said at a route and `default` for all of them.
    #[must_use]
    pub fn over(&self, default: &Self) -> Self {
        // Where a certificate comes from is one decision.
        let (mode, files) = match (self.mode, &self.files) {
            (None, None) => (default.mode, default.files.clone()),
            (mode, files) => (mode, files.clone()),
        };
        let acme = |own: &Option<String>, other: &Option<String>| own.clone().or_else(|| other.clone());
        Self {
            mode,
            files,
            acme: AcmeSettings {
                directory: acme(&self.acme.directory, &default.acme.directory),
                email: acme(&self.acme.email, &default.acme.email),
                roots: self.acme.roots.clone().or_else(|| default.acme.roots.clone()),
            },
            hsts: self.hsts.or(default.hsts),
            redirect: self.redirect.or(default.redirect),
            clients: self.clients.clone().or_else(|| default.clients.clone()),
        }
    }
}
