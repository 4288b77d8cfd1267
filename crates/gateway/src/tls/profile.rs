//! How TLS is spoken: versions 1.2 and 1.3 with forward secrecy, and HTTP/2 where the client knows it.

use std::sync::{Arc, LazyLock};

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ProducesTickets, ServerSessionMemoryCache};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};

use super::clients::Issuers;
use super::{Certificate, Live};
use crate::acme::challenges::PROTOCOL;

/// The protocols that are spoken over TLS, the one preferred first (RFC 7301).
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];
/// Sessions of clients without tickets that are kept, each about a kilobyte.
const MOST_SESSIONS: usize = 1024;

/// The library's own choice of algorithms; all of them have forward secrecy and authenticated encryption.
pub(crate) static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(ring::default_provider()));

/// A certificate, ready to be served; where clients have some of their own, they are asked for them.
pub(super) fn live(certificate: &Certificate, stands_in: bool, issuers: Option<&Issuers>) -> Arc<Live> {
    let verifier = issuers.and_then(|issuers| issuers.verifier.clone());
    let mut config = with(Arc::new(SingleCertAndKey::from(certificate.key.clone())), verifier);
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    match (issuers, ring::Ticketer::new()) {
        // What a client showed is looked at each time: it may be over by the next.
        (Some(_), _) => config.send_tls13_tickets = 0,
        (None, Ok(tickets)) => config.ticketer = tickets as Arc<dyn ProducesTickets>,
        (None, Err(_)) => config.session_storage = ServerSessionMemoryCache::new(MOST_SESSIONS),
    }
    let issuers = issuers.map(|issuers| issuers.ca.clone());
    Arc::new(Live { config: Arc::new(config), stands_in, issuers })
}

/// A certificate that only an issuer looks at, in its own protocol.
pub(crate) fn challenge(certificate: CertifiedKey) -> ServerConfig {
    let mut config = with(Arc::new(SingleCertAndKey::from(certificate)), None);
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config
}

/// A configuration that resumes no session.
fn with(
    resolver: Arc<dyn rustls::server::ResolvesServerCert>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
) -> ServerConfig {
    let builder = ServerConfig::builder_with_provider(PROVIDER.clone());
    let builder =
        builder.with_protocol_versions(&[&TLS13, &TLS12]).expect("the provider speaks both versions");
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(resolver);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config
}
