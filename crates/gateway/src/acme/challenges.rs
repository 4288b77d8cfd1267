//! What an issuer finds when it looks whether a host is ours.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use crate::tls::{guard, profile};

/// The protocol in which an issuer asks over TLS (RFC 8737).
pub(crate) const PROTOCOL: &[u8] = b"acme-tls/1";

/// How an issuer looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// By a request without TLS (HTTP-01).
    Http,
    /// By a handshake (TLS-ALPN-01).
    Tls,
}

/// All that issuers may find now.
#[derive(Debug, Default)]
pub(crate) struct Challenges {
    requests: Mutex<HashMap<(String, String), String>>,
    handshakes: Mutex<HashMap<String, Arc<ServerConfig>>>,
}

/// Something to be found; gone when dropped.
pub(crate) struct Offered<'a> {
    challenges: &'a Challenges,
    host: String,
    token: String,
}

impl Challenges {
    /// Has it found for a request.
    pub(super) fn offer_request(&self, host: &str, token: &str, authorization: &str) -> Offered<'_> {
        let (host, token) = (host.to_owned(), token.to_owned());
        lock(&self.requests).insert((host.clone(), token.clone()), authorization.to_owned());
        Offered { challenges: self, host, token }
    }

    /// Has it found in a handshake.
    pub(super) fn offer_handshake(&self, host: &str, digest: &[u8]) -> Option<Offered<'_>> {
        let mut wanted = CertificateParams::new([host.to_owned()]).ok()?;
        wanted.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let key = KeyPair::generate().ok()?;
        let made = wanted.self_signed(&key).ok()?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialized_der().to_vec()));
        // What a usual client checks cannot be: it would refuse what it must understand and does not.
        let key = any_supported_type(&key).ok()?;
        let certificate = CertifiedKey::new(vec![made.der().clone()], key);
        let name = asked_name(host);
        lock(&self.handshakes).insert(name.clone(), Arc::new(profile::challenge(certificate)));
        Some(Offered { challenges: self, host: name, token: String::new() })
    }

    /// What a request for a path is answered with.
    pub(crate) fn found(&self, host: &str, path: &str) -> Option<String> {
        let token = path.strip_prefix(guard::CHALLENGES)?;
        let requests = lock(&self.requests);
        requests.get(&(host.to_owned(), token.to_owned())).cloned()
    }

    /// What a handshake for a name is answered with.
    pub(crate) fn handshake(&self, name: Option<&str>) -> Option<Arc<ServerConfig>> {
        lock(&self.handshakes).get(&name?.to_ascii_lowercase()).cloned()
    }
}

impl Drop for Offered<'_> {
    fn drop(&mut self) {
        if self.token.is_empty() {
            lock(&self.challenges.handshakes).remove(&self.host);
        } else {
            lock(&self.challenges.requests).remove(&(self.host.clone(), self.token.clone()));
        }
    }
}

/// The name that a host is asked for by in a handshake: an address cannot be named there (RFC 8738, section 6).
fn asked_name(host: &str) -> String {
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        Ok(IpAddr::V6(address)) => {
            let digits = format!("{:032x}", u128::from(address));
            let reversed: Vec<String> = digits.chars().rev().map(String::from).collect();
            format!("{}.ip6.arpa", reversed.join("."))
        }
        Err(_) => host.to_ascii_lowercase(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_found_until_it_is_dropped() {
        let challenges = Challenges::default();
        let offered = challenges.offer_request("a.example", "token", "token.thumb");
        let found = |host, path| challenges.found(host, path);
        assert_eq!(found("a.example", "/.well-known/acme-challenge/token").as_deref(), Some("token.thumb"));
        assert_eq!(found("b.example", "/.well-known/acme-challenge/token"), None);
        assert_eq!(found("a.example", "/.well-known/acme-challenge/other"), None);
        assert_eq!(found("a.example", "/token"), None);
        drop(offered);
        assert_eq!(found("a.example", "/.well-known/acme-challenge/token"), None);
        let offered = challenges.offer_handshake("127.0.0.1", &[7; 32]).unwrap();
        assert!(challenges.handshake(Some("1.0.0.127.in-addr.arpa")).is_some());
        assert!(challenges.handshake(None).is_none());
        drop(offered);
        assert!(challenges.handshake(Some("1.0.0.127.in-addr.arpa")).is_none());
    }

    #[test]
    fn addresses_have_names_to_be_asked_for() {
        assert_eq!(asked_name("A.example"), "a.example");
        let long = asked_name("[2001:db8::1]");
        assert!(long.starts_with("1.0.0.0.0.") && long.ends_with(".8.b.d.0.1.0.0.2.ip6.arpa"), "{long}");
    }
}
