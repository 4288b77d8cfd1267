//! A backend that tells what it saw, and is slow or rude when asked to be.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Debug, Default)]
struct Shared {
    seen: Mutex<Vec<Seen>>,
    arrived: AtomicUsize,
    sick: AtomicBool,
    go_on: Notify,
}

/// A backend in this process. Its paths: `/health`; `/held` answers when released; `/rude` closes the connection
/// without an answer; `/rude-once` does so the first time; `/ws` agrees to be a WebSocket that echoes lines, and
/// refuses all else; `/ws-unasked` agrees unasked; any other answers with its name.
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    tasks: Option<tokio::task::JoinHandle<()>>,
}

impl Server {
    pub(crate) async fn start(name: &str) -> Self {
        Self::start_at(name, "127.0.0.1:0".parse().unwrap()).await
    }

    pub(crate) async fn start_at(name: &str, address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let tasks = tokio::spawn(accept(listener, name.to_owned(), shared.clone()));
        Self { name: name.to_owned(), address, shared, tasks: Some(tasks) }
    }

    /// Ends at once, as a killed process does.
    pub(crate) async fn kill(&mut self) {
        if let Some(tasks) = self.tasks.take() {
            tasks.abort();
            let _ = tasks.await;
        }
    }

    /// What arrived, health checks left out.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> Seen {
        self.seen().pop().expect("a request")
    }

    /// How many requests began to arrive.
    pub(crate) fn arrived(&self) -> usize {
        self.shared.arrived.load(Ordering::SeqCst)
    }

    pub(crate) fn sick(&self, sick: bool) {
        self.shared.sick.store(sick, Ordering::SeqCst);
    }

    /// Lets one held request go on.
    pub(crate) fn release(&self) {
        self.shared.go_on.notify_one();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(tasks) = self.tasks.take() {
            tasks.abort();
        }
    }
}

async fn accept(listener: TcpListener, name: String, shared: Arc<Shared>) {
    // Dropped with this task, and all connections with it.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let (name, shared) = (name.clone(), shared.clone());
        connections.spawn(async move {
            let service = service_fn(|request| answer(request, name.clone(), shared.clone()));
            let _ =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// An error makes the server close the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("rude")]
struct Rude;

async fn answer(
    mut request: Request<Incoming>,
    name: String,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, Rude> {
    let path = request.uri().path().to_owned();
    if path == "/health" {
        let sick = shared.sick.load(Ordering::SeqCst);
        let status = if sick { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        return Ok(Response::builder().status(status).body(Full::default()).unwrap());
    }
    let before = shared.arrived.fetch_add(1, Ordering::SeqCst);
    let upgrade = hyper::upgrade::on(&mut request);
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Rude)?.to_bytes();
    let seen = Seen {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: parts.headers.clone(),
        body: body.clone(),
    };
    shared.seen.lock().unwrap().push(seen);
    match path.as_str() {
        "/rude" => return Err(Rude),
        "/rude-once" if before == 0 => return Err(Rude),
        "/ws" | "/ws-unasked" => return Ok(switch(upgrade, &parts.headers, &path, name)),
        "/held" => shared.go_on.notified().await,
        _ => {}
    }
    let mut answer = Response::new(Full::new(Bytes::from(name)));
    let headers = answer.headers_mut();
    headers.insert("server", "teapot/1".parse().unwrap());
    headers.insert("x-own", "kept".parse().unwrap());
    if path == "/hops" {
        headers.insert("connection", "x-hop".parse().unwrap());
        headers.insert("x-hop", "must not pass".parse().unwrap());
        headers.insert("keep-alive", "timeout=5".parse().unwrap());
    }
    Ok(answer)
}

/// Agrees to a WebSocket, over which it says hello and echoes lines, each with its name.
fn switch(upgrade: OnUpgrade, headers: &HeaderMap, path: &str, name: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::default());
    if path == "/ws" && !headers.contains_key("upgrade") {
        *answer.status_mut() = StatusCode::BAD_REQUEST;
        return answer;
    }
    tokio::spawn(async move {
        let Ok(stream) = upgrade.await else { return };
        let (hears, mut says) = tokio::io::split(TokioIo::new(stream));
        let mut lines = BufReader::new(hears).lines();
        let mut next = Ok(Some("hello".to_owned()));
        while let Ok(Some(line)) = next {
            if says.write_all(format!("{name} {line}\n").as_bytes()).await.is_err() {
                return;
            }
            next = lines.next_line().await;
        }
    });
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    for (name, value) in [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-accept", "y"),
        ("server", "teapot"),
    ] {
        answer.headers_mut().insert(name, value.parse().unwrap());
    }
    answer
}
