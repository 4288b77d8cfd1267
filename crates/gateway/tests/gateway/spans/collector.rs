//! A collector of spans in the test's own process: what it was told, and answers as it is asked to.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use crate::rig::Pair;

/// What it says to batches.
#[derive(Debug, Default)]
struct Shared {
    spans: Mutex<Vec<Value>>,
    headers: Mutex<Vec<(String, HeaderMap)>>,
    /// Statuses of the next answers, each with a header; then all is taken.
    next: Mutex<Vec<(u16, &'static str)>>,
    said: Mutex<&'static str>,
    holds: Mutex<bool>,
    go_on: Notify,
}

pub(super) struct Collector {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

impl Collector {
    pub(super) async fn start() -> Self {
        Self::start_with(None).await
    }

    /// One that speaks TLS with this certificate.
    pub(super) async fn secure(pair: &Pair) -> Self {
        let certificate = rustls::pki_types::CertificateDer::from_pem_file(&pair.certificate).unwrap();
        let key = PrivateKeyDer::from_pem_file(&pair.key).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
        Self::start_with(Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn start_with(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { said: Mutex::new("{}"), ..Shared::default() });
        let kept = shared.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (shared, tls) = (kept.clone(), tls.clone());
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(request, shared.clone()));
                    match tls {
                        Some(tls) => {
                            let Ok(stream) = tls.accept(stream).await else { return };
                            let _ =
                                http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                        }
                        None => {
                            let _ =
                                http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                        }
                    }
                });
            }
        });
        Self { address, shared }
    }

    /// Answers the next batches so; each has a status and seconds for `Retry-After`, or nothing.
    pub(super) fn next(&self, answers: &[(u16, &'static str)]) {
        *self.shared.next.lock().unwrap() = answers.to_vec();
    }

    /// What it says of what it took.
    pub(super) fn says(&self, said: &'static str) {
        *self.shared.said.lock().unwrap() = said;
    }

    /// Holds batches from now on, or takes those that it held.
    pub(super) fn hold(&self, holds: bool) {
        *self.shared.holds.lock().unwrap() = holds;
        self.shared.go_on.notify_waiters();
    }

    /// Batches that arrived: their paths and headers.
    pub(super) fn batches(&self) -> Vec<(String, HeaderMap)> {
        self.shared.headers.lock().unwrap().clone()
    }

    /// All spans that it took.
    pub(super) fn spans(&self) -> Vec<Value> {
        self.shared.spans.lock().unwrap().clone()
    }

    /// Those of requests.
    pub(super) fn requests(&self) -> Vec<Value> {
        self.spans().into_iter().filter(|span| span["kind"] == 2).collect()
    }

    /// Those of tries that are part of one.
    pub(super) fn tries(&self, of: &Value) -> Vec<Value> {
        self.spans()
            .into_iter()
            .filter(|span| span["kind"] == 3 && span["parentSpanId"] == of["spanId"])
            .collect()
    }
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    shared.headers.lock().unwrap().push((head.uri.path().to_owned(), head.headers));
    loop {
        let go_on = shared.go_on.notified();
        if !*shared.holds.lock().unwrap() {
            break;
        }
        go_on.await;
    }
    let mut next = shared.next.lock().unwrap();
    if !next.is_empty() {
        let (status, after) = next.remove(0);
        let mut answer = Response::builder().status(status);
        if !after.is_empty() {
            answer = answer.header("retry-after", after);
        }
        return Ok(answer.body(Full::default()).unwrap());
    }
    drop(next);
    let told: Value = serde_json::from_slice(&body).unwrap();
    let whole = &told["resourceSpans"][0];
    for mut span in whole["scopeSpans"][0]["spans"].as_array().unwrap().iter().cloned() {
        span["service"] = whole["resource"]["attributes"][0]["value"]["stringValue"].clone();
        shared.spans.lock().unwrap().push(span);
    }
    let said = *shared.said.lock().unwrap();
    Ok(Response::new(Full::from(said)))
}
