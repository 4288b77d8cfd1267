//! Lines over TLS, with the certificates that the `docker` program uses.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use crate::docker::options::MOST_BYTES;
use crate::docker::place::TlsPlace;
use crate::{EngineError, system};

/// How long it may take until a line is up.
const CONNECT: Duration = Duration::from_secs(30);

/// A client over TLS. The server is always held against `ca.pem`: what is sent to it may hold secrets.
pub(in crate::docker) fn connect(place: &TlsPlace, answer: Duration) -> Result<Docker, EngineError> {
    let refused = |reason: String| EngineError::Unreachable {
        engine: "Docker".to_owned(),
        reason: format!("`{place}`: {reason}"),
        hint: format!(
            "put the engine's `ca.pem`, and your `cert.pem` and `key.pem`, into `{}`, or say with `DOCKER_CERT_PATH` where they are",
            place.certificates.display()
        ),
    };
    let name = ServerName::try_from(place.host().to_owned())
        .map_err(|_| refused(format!("`{}` is no name of a machine", place.host())))?;
    let connector = TlsConnector::from(Arc::new(configuration(&place.certificates).map_err(refused)?));
    let address = place.address.clone();
    let make = move || {
        let (connector, name, address) = (connector.clone(), name.clone(), address.clone());
        async move {
            let work = async {
                let stream = TcpStream::connect(&address).await?;
                stream.set_nodelay(true)?;
                connector.connect(name, stream).await
            };
            let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no connection was made in time");
            timeout(CONNECT, work).await.map_err(late)?
        }
    };
    super::client(make, &place.address, answer).map_err(|error| refused(error.to_string()))
}

/// What to trust, and what to show; what is wrong with it is told.
fn configuration(folder: &Path) -> Result<ClientConfig, String> {
    let read = |name: &str| {
        let read = system::read(&folder.join(name), MOST_BYTES);
        read.map(|bytes| bytes.map(Zeroizing::new))
            .map_err(|error| format!("`{name}` cannot be read: {error}"))
    };
    let certificates = |name: &str, bytes: &[u8]| {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
        let found: Vec<CertificateDer<'static>> =
            found.map_err(|error| format!("`{name}` is no certificate: {error}"))?;
        if found.is_empty() { Err(format!("`{name}` holds no certificate")) } else { Ok(found) }
    };
    let authority = read("ca.pem")?.ok_or_else(|| "there is no `ca.pem` to know it by".to_owned())?;
    let mut roots = RootCertStore::empty();
    for root in certificates("ca.pem", &authority)? {
        roots.add(root).map_err(|error| format!("`ca.pem` cannot be used: {error}"))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    match (read("cert.pem")?, read("key.pem")?) {
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(shown), Some(key)) => {
            let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| {
                "`key.pem` holds no private key that can be read without a password".to_owned()
            })?;
            builder
                .with_client_auth_cert(certificates("cert.pem", &shown)?, key)
                .map_err(|error| format!("`cert.pem` and `key.pem` cannot be used: {error}"))
        }
        (None, Some(_)) => Err("there is a `key.pem` and no `cert.pem`".to_owned()),
        (Some(_), None) => Err("there is a `cert.pem` and no `key.pem`".to_owned()),
    }
}
