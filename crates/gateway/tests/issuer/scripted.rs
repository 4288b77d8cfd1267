//! An issuer that does as it is told, also what no real one does on request. It believes everybody and signs what it is asked to.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PublicKeyData, SignatureAlgorithm};
use rustls::ServerConfig;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::gateway::rig::pem;

/// What it does.
#[derive(Default)]
pub(crate) struct Script {
    /// The answer to a new order, with how long to leave it alone.
    pub(crate) enough: Option<String>,
    /// From when until when certificates hold, in seconds from now.
    pub(crate) holds: Option<(i64, i64)>,
    /// Done before a certificate is handed out.
    pub(crate) before_handing_out: Option<Box<dyn Fn() + Send>>,
    /// New orders that it was asked for.
    pub(crate) orders: usize,
    /// The certificate that is handed out; empty until the order is done.
    pub(crate) certificate: String,
}

/// It runs until it is dropped.
pub(crate) struct Scripted {
    folder: TempDir,
    address: SocketAddr,
    host: String,
    pub(crate) script: Arc<Mutex<Script>>,
    running: JoinHandle<()>,
}

struct Root {
    issuer: Issuer<'static, KeyPair>,
}

/// A key of which only the public half is known.
struct Key(Vec<u8>);

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl Scripted {
    /// One that certifies a host.
    pub(crate) async fn start(host: &str, script: Script) -> Self {
        let (folder, script) = (TempDir::new().unwrap(), Arc::new(Mutex::new(script)));
        let key = KeyPair::generate().unwrap();
        let mut wanted = CertificateParams::new(Vec::new()).unwrap();
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = wanted.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("root.pem"), pem("CERTIFICATE", root.der())).unwrap();
        let root = Arc::new(Root { issuer: Issuer::new(wanted, key) });
        let own = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let certificate = certificate.signed_by(&own, &root.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let own = rustls::pki_types::PrivateKeyDer::Pkcs8(own.serialize_der().into());
        let config = config.unwrap().with_no_client_auth();
        let config = config.with_single_cert(vec![certificate.der().clone()], own).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let desk =
            Desk { base: format!("https://{address}"), host: host.to_owned(), script: script.clone(), root };
        let running = tokio::spawn(desk.open(listener, TlsAcceptor::from(Arc::new(config))));
        Self { folder, address, host: host.to_owned(), script, running }
    }

    /// Nobody answers at its address any more.
    pub(crate) async fn stop(&mut self) {
        self.running.abort();
        while TcpStream::connect(self.address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) fn directory(&self) -> String {
        format!("https://{}/directory", self.address)
    }

    pub(crate) fn roots(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    pub(crate) fn orders(&self) -> usize {
        self.script.lock().unwrap().orders
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.running.abort();
    }
}

#[derive(Clone)]
struct Desk {
    base: String,
    host: String,
    script: Arc<Mutex<Script>>,
    root: Arc<Root>,
}

impl Desk {
    async fn open(self, listener: TcpListener, acceptor: TlsAcceptor) {
        while let Ok((stream, _)) = listener.accept().await {
            let (desk, acceptor) = (self.clone(), acceptor.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = service_fn(move |request| desk.clone().answer(request));
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let path = request.uri().path().to_owned();
        let sent = request.into_body().collect().await?.to_bytes();
        let at = |path: &str| format!("{}{path}", self.base);
        let challenge =
            json!({ "type": "http-01", "url": at("/challenge"), "token": "token", "status": "valid" });
        let is_address = self.host.parse::<std::net::IpAddr>().is_ok();
        let identifier = json!({ "type": if is_address { "ip" } else { "dns" }, "value": self.host });
        let order = |status: &str| {
            json!({
                "status": status, "identifiers": [identifier], "authorizations": [at("/authorization")],
                "finalize": at("/finalize"), "certificate": at("/certificate"),
            })
        };
        let mut head =
            Response::builder().header("replay-nonce", "nonce").header("content-type", "application/json");
        let text = match path.as_str() {
            "/directory" => json!({
                "newNonce": at("/nonce"), "newAccount": at("/account"), "newOrder": at("/order"),
                "revokeCert": at("/revoke"), "keyChange": at("/key"),
            }),
            "/nonce" => Value::Null,
            "/account" => {
                head = head.status(StatusCode::CREATED).header("location", at("/account/1"));
                json!({ "status": "valid" })
            }
            "/order" => match self.ordered() {
                Some(after) => {
                    head = head.status(StatusCode::TOO_MANY_REQUESTS).header("retry-after", after);
                    let kind = "urn:ietf:params:acme:error:rateLimited";
                    json!({ "type": kind, "detail": "too many certificates for this host", "status": 429 })
                }
                None => {
                    head = head.status(StatusCode::CREATED).header("location", at("/order/1"));
                    order("pending")
                }
            },
            "/order/1" => {
                order(if self.script.lock().unwrap().certificate.is_empty() { "ready" } else { "valid" })
            }
            "/authorization" => {
                json!({ "status": "pending", "identifier": identifier, "challenges": [challenge] })
            }
            "/challenge" => challenge,
            "/finalize" => {
                self.sign(&sent);
                order("valid")
            }
            _ => {
                let script = self.script.lock().unwrap();
                script.before_handing_out.iter().for_each(|before| before());
                return Ok(head.body(script.certificate.clone().into()).unwrap());
            }
        };
        let text = if text.is_null() { String::new() } else { text.to_string() };
        Ok(head.body(text.into()).unwrap())
    }

    /// Takes an order, unless it has enough of them.
    fn ordered(&self) -> Option<String> {
        let mut script = self.script.lock().unwrap();
        script.orders += 1;
        script.certificate.clear();
        script.enough.clone()
    }

    /// Certifies the key of a request for a certificate.
    fn sign(&self, sent: &[u8]) {
        let sent: Value = serde_json::from_slice(sent).unwrap();
        let decoded = |text: &Value| URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap();
        let payload: Value = serde_json::from_slice(&decoded(&sent["payload"])).unwrap();
        let request = decoded(&payload["csr"]);
        // A point on the curve, as it stands in it: a bit string of 66 bytes with no bits left over, 4 for both coordinates.
        let begin = request.windows(4).position(|four| four == [0x03, 0x42, 0x00, 0x04]).unwrap() + 3;
        let key = Key(request[begin..begin + 65].to_vec());
        let mut script = self.script.lock().unwrap();
        let (from, until) = script.holds.unwrap_or((-3600, 90 * 24 * 3600));
        let at = |seconds: i64| {
            let now = SystemTime::now();
            let by = Duration::from_secs(seconds.unsigned_abs());
            if seconds < 0 { now - by } else { now + by }
        };
        let mut wanted = CertificateParams::new([self.host.clone()]).unwrap();
        (wanted.not_before, wanted.not_after) = (at(from).into(), at(until).into());
        let made = wanted.signed_by(&key, &self.root.issuer).unwrap();
        script.certificate = pem("CERTIFICATE", made.der());
    }
}
