//! HTTP/2 with clients: many requests over one connection, which is let go with a word when this worker ends.

mod greeting;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use crate::framing::Framing;
use crate::proxy::{self, Switch};
use crate::stream::ClientStream;
use crate::tls::clients::Shown;
use crate::tls::{Via, guard};
use crate::worker::Gateway;

use greeting::Greeted;

/// Requests of one connection at a time.
const MOST_STREAMS: u32 = 128;
/// Bytes of a request's headers, as the client counts them (RFC 9113, section 6.5.2).
const MOST_HEADER_BYTES: u32 = 64 << 10;
/// Requests that a client took back and that are still held; more end the connection (CVE-2023-44487).
const MOST_RESETS: usize = 32;
/// Faults of a client in its requests, after which its connection ends.
const MOST_FAULTS: usize = 128;
/// What a client may send unasked, of one request and of all, and what is held of one answer that it does not take.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;
const MOST_UNSENT: usize = 256 << 10;
/// How often a client is asked whether it is still there, and how long it may take to say so.
const ALIVE: Duration = Duration::from_secs(30);
const ALIVE_ANSWER: Duration = Duration::from_secs(20);
/// How long a connection without a request is kept.
const IDLE: Duration = Duration::from_secs(120);

/// Requests whose answers have not begun, and a sign when one has.
#[derive(Default)]
struct Busy {
    requests: AtomicUsize,
    done: Notify,
}

/// One of them.
struct Request<'a>(&'a Busy);

impl<'a> Request<'a> {
    fn begin(busy: &'a Busy) -> Self {
        busy.requests.fetch_add(1, Ordering::SeqCst);
        Self(busy)
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::SeqCst);
        self.0.done.notify_one();
    }
}

/// Serves the requests of a connection until the client ends it, it is idle for long, or this worker ends.
pub(crate) async fn serve(
    stream: ClientStream,
    (client, address, via): (SocketAddr, SocketAddr, Via),
    shown: Option<Arc<Shown>>,
    gateway: Arc<Gateway>,
    mut stopping: watch::Receiver<bool>,
) {
    let busy = Arc::new(Busy::default());
    let (counted, serving) = (busy.clone(), gateway.clone());
    let service = service_fn(move |mut request| {
        guard::introduce(&mut request, shown.as_ref());
        let (gateway, busy) = (serving.clone(), counted.clone());
        // Each request has frames of its own: what is wrong with one says nothing of those beside it.
        let framing = Arc::new(Framing::default());
        async move {
            let _request = Request::begin(&busy);
            let answer = proxy::answer(request, client, address, gateway, framing, Switch::default(), via);
            Ok::<_, Infallible>(answer.await)
        }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(MOST_HEADER_BYTES)
        .max_pending_accept_reset_streams(MOST_RESETS)
        .max_local_error_reset_streams(MOST_FAULTS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(MOST_UNSENT)
        .keep_alive_interval(ALIVE)
        .keep_alive_timeout(ALIVE_ANSWER)
        .serve_connection(TokioIo::new(Greeted::new(stream)), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = idle(&busy, || gateway.table.load().tcp(address).is_none()) => {}
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
    // Says goodbye (GOAWAY): what has begun is answered, the next request comes over a new connection.
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// Returns when no answer began for long and none is waited for, or when its address speaks HTTP no longer.
async fn idle(busy: &Busy, stays: impl Fn() -> bool) {
    loop {
        tokio::select! {
            () = busy.done.notified() => {
                if !stays() {
                    return;
                }
            }
            () = sleep(IDLE) => {
                if busy.requests.load(Ordering::SeqCst) == 0 {
                    return;
                }
            }
        }
    }
}
