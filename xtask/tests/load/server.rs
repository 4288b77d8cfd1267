//! Small servers on loopback, each with a fault of its own.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener as BlockingListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;

/// A server that can be held up, and fails one request in so many.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    held: watch::Sender<bool>,
    seen: Arc<Seen>,
}

/// What the server counted.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) requests: AtomicU64,
    pub(super) connections: AtomicU64,
    pub(super) puts: AtomicU64,
    pub(super) unauthorised: AtomicU64,
}

impl Server {
    /// Starts a server; with `fail_every` each request of that number is answered with 503.
    pub(super) fn start(fail_every: Option<u64>) -> Self {
        let seen = Arc::new(Seen::default());
        let (held, gate) = watch::channel(false);
        let listener = BlockingListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a socket that tokio takes");
        let address = listener.local_addr().expect("a bound address");
        let counting = Arc::clone(&seen);
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(accept(listener, counting, gate, fail_every));
        });
        Self { address, held, seen }
    }

    /// Answers nothing until [`Server::resume`].
    pub(super) fn hold(&self) {
        self.held.send_replace(true);
    }

    pub(super) fn resume(&self) {
        self.held.send_replace(false);
    }

    pub(super) fn count(&self, what: fn(&Seen) -> &AtomicU64) -> u64 {
        what(&self.seen).load(Ordering::SeqCst)
    }
}

async fn accept(
    listener: BlockingListener,
    seen: Arc<Seen>,
    gate: watch::Receiver<bool>,
    fail_every: Option<u64>,
) {
    let listener = TcpListener::from_std(listener).expect("a runtime is here");
    while let Ok((stream, _)) = listener.accept().await {
        seen.connections.fetch_add(1, Ordering::SeqCst);
        let (seen, gate) = (Arc::clone(&seen), gate.clone());
        let service = service_fn(move |request| answer(request, Arc::clone(&seen), gate.clone(), fail_every));
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn answer(
    request: Request<Incoming>,
    seen: Arc<Seen>,
    mut gate: watch::Receiver<bool>,
    fail_every: Option<u64>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let number = seen.requests.fetch_add(1, Ordering::SeqCst) + 1;
    if request.method() == Method::PUT {
        seen.puts.fetch_add(1, Ordering::SeqCst);
        if request.headers().get("authorization").is_none_or(|value| value != "Bearer token-of-the-test") {
            seen.unauthorised.fetch_add(1, Ordering::SeqCst);
        }
    }
    let _ = gate.wait_for(|held| !held).await;
    let mut response = Response::new(Full::new(Bytes::from_static(b"{}")));
    if fail_every.is_some_and(|every| number.is_multiple_of(every)) {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}

/// A server that reads a request, answers every one with these bytes, and closes the connection.
pub(super) fn blunt(answer: &'static [u8]) -> SocketAddr {
    let listener = BlockingListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer);
        }
    });
    address
}

/// An address where nobody listens, taken for as long as the socket is held.
pub(super) fn nobody() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
    let address = socket.local_addr().expect("a bound address");
    (socket, address)
}
