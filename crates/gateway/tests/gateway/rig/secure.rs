//! Certificates, and clients that come with TLS or HTTP/2.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use seaworthy_gateway::route::Route;
use seaworthy_gateway::route::tls::{CertificateSource, Tls};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{PATIENCE, Server, route};

/// A pair of files that hold a certificate and its key.
pub(crate) struct Pair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Pair {
    /// Makes a certificate for a host; the one there was is replaced.
    pub(crate) fn write(folder: &Path, host: &str) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let wanted = rcgen::CertificateParams::new([host.to_owned()]).unwrap();
        let made = wanted.self_signed(&key).unwrap();
        let pair =
            Self { certificate: folder.join(format!("{host}.crt")), key: folder.join(format!("{host}.key")) };
        pair.put(&pem("CERTIFICATE", made.der()), &pem("PRIVATE KEY", key.serialized_der()));
        pair
    }

    /// Writes both files, the key for its owner alone.
    pub(crate) fn put(&self, certificate: &str, key: &str) {
        std::fs::write(&self.key, key).unwrap();
        std::fs::set_permissions(&self.key, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&self.certificate, certificate).unwrap();
    }

    pub(crate) fn source(&self) -> CertificateSource {
        CertificateSource::Files { certificate: self.certificate.clone(), key: self.key.clone() }
    }
}

/// A certificate and its key of which most of its life is over.
#[allow(dead_code, reason = "the issuer's tests alone need it")]
pub(crate) fn aged(host: &str) -> String {
    lived(host, 90, 10)
}

/// One that is over.
#[allow(dead_code, reason = "the issuer's tests alone need it")]
pub(crate) fn over(host: &str) -> String {
    lived(host, 100, -1)
}

/// A certificate and its key that began so many hours ago, and hold for so many more.
#[allow(dead_code, reason = "the issuer's tests alone need it")]
fn lived(host: &str, ago: u64, more: i64) -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut wanted = rcgen::CertificateParams::new([host.to_owned()]).unwrap();
    let (now, hours) =
        (std::time::SystemTime::now(), |hours: u64| std::time::Duration::from_secs(hours * 3600));
    let until = hours(more.unsigned_abs());
    wanted.not_before = (now - hours(ago)).into();
    wanted.not_after = if more < 0 { now - until } else { now + until }.into();
    let made = wanted.self_signed(&key).unwrap();
    pem("CERTIFICATE", made.der()) + &pem("PRIVATE KEY", key.serialized_der())
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let digits = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{digits}\n-----END {label}-----\n")
}

/// A route of a host that is served over TLS, and sends those without it there.
pub(crate) fn secure(
    name: &str,
    listen: SocketAddr,
    host: &str,
    source: CertificateSource,
    backends: &[&Server],
) -> Route {
    let tls =
        Tls { certificate: source, port: listen.port(), redirect: true, hsts_seconds: None, clients: None };
    Route { host: Some(host.to_owned()), tls: Some(tls), ..route(name, listen, backends) }
}

/// How a client comes.
#[derive(Clone)]
pub(crate) struct Visitor {
    /// The file whose certificates it trusts.
    pub(crate) trusts: PathBuf,
    pub(crate) protocols: &'static [&'static [u8]],
    pub(crate) versions: &'static [&'static SupportedProtocolVersion],
    /// The certificate that it shows, and its key, as DER.
    pub(crate) shows: Option<(Vec<u8>, Vec<u8>)>,
}

impl Visitor {
    pub(crate) fn trusting(file: &Path) -> Self {
        Self {
            trusts: file.to_owned(),
            protocols: &[b"http/1.1"],
            versions: rustls::ALL_VERSIONS,
            shows: None,
        }
    }

    pub(crate) fn http2(file: &Path) -> Self {
        Self { protocols: &[b"h2"], ..Self::trusting(file) }
    }

    /// A connection whose handshake is done.
    pub(crate) async fn knock(&self, address: SocketAddr, host: &str) -> io::Result<TlsStream<TcpStream>> {
        self.shake_hands(TcpStream::connect(address).await?, host).await
    }

    /// The handshake over a connection.
    pub(crate) async fn shake_hands(
        &self,
        stream: TcpStream,
        host: &str,
    ) -> io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_file_iter(&self.trusts).map_err(io::Error::other)? {
            roots.add(root.map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_protocol_versions(self.versions).unwrap();
        let config = config.with_root_certificates(roots);
        let mut config = match self.shows.clone() {
            Some((certificate, key)) => {
                let key = rustls::pki_types::PrivateKeyDer::Pkcs8(key.into());
                config.with_client_auth_cert(vec![certificate.into()], key).map_err(io::Error::other)?
            }
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = self.protocols.iter().map(|name| name.to_vec()).collect();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        timeout(PATIENCE, TlsConnector::from(Arc::new(config)).connect(name, stream)).await?
    }

    /// One request over a connection of its own.
    pub(crate) async fn get(
        &self,
        address: SocketAddr,
        host: &str,
        target: &str,
    ) -> io::Result<Response<Bytes>> {
        self.ask(self.knock(address, host).await?, host, target).await
    }

    /// One request over a connection whose handshake is done.
    pub(crate) async fn ask(
        &self,
        stream: TlsStream<TcpStream>,
        host: &str,
        target: &str,
    ) -> io::Result<Response<Bytes>> {
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let asked = async {
            let request = |uri: String| Request::builder().uri(uri).header("host", host);
            if http2 {
                let mut sender = http2_over(stream).await?;
                let request = Request::builder().uri(format!("https://{host}{target}"));
                let answer = sender.send_request(request.body(Full::default()).unwrap()).await;
                whole(answer.map_err(io::Error::other)?).await
            } else {
                let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
                    .await
                    .map_err(io::Error::other)?;
                tokio::spawn(connection);
                let request = request(target.to_owned()).body(Full::<Bytes>::default()).unwrap();
                whole(sender.send_request(request).await.map_err(io::Error::other)?).await
            }
        };
        timeout(PATIENCE, asked).await?
    }
}

pub(crate) type Http2 = hyper::client::conn::http2::SendRequest<Full<Bytes>>;

/// Speaks HTTP/2 over a connection.
pub(crate) async fn http2_over<S>(stream: S) -> io::Result<Http2>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (sender, connection) = shaken.map_err(io::Error::other)?;
    tokio::spawn(connection);
    Ok(sender)
}

/// An answer and all of its body.
pub(crate) async fn whole(answer: Response<hyper::body::Incoming>) -> io::Result<Response<Bytes>> {
    let (parts, body) = answer.into_parts();
    Ok(Response::from_parts(parts, body.collect().await.map_err(io::Error::other)?.to_bytes()))
}
