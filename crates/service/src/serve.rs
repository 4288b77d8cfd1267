//! Serving until told to stop, and stopping without failing a request.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use crate::metrics::Metrics;
use crate::{Config, Stop};

/// Connections served at once; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 1024;
/// How long a connection may take to send the head of a request, or lie idle. Longer than the 60 s that load balancers
/// usually keep an idle connection, so that they end it and not we, who might cross a request.
const HEAD_LIMIT: Duration = Duration::from_secs(75);
/// How long to wait after the system refused a connection for want of something, such as file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long to look for connections that wait in the kernel's queue before the listener is closed, and for their
/// requests: a connection that has asked nothing yet is ended.
const LAST_LOOK: Duration = Duration::from_millis(50);

/// How long a stop may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) linger: Duration,
    pub(crate) drain: Duration,
}

impl Default for Limits {
    /// Together within the 30 s that orchestrators give before they kill.
    fn default() -> Self {
        Self { linger: Duration::from_millis(500), drain: Duration::from_secs(25) }
    }
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// Requests that were under way when their time was up; 0 is a clean end.
    pub cut_off: u64,
}

/// Why a service cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on `{address}`; choose a free address with `HOST` and `PORT`")]
pub struct BindError {
    address: SocketAddr,
    #[source]
    cause: io::Error,
}

/// Listens on the address of `HOST` and `PORT`.
///
/// # Errors
/// When the address is taken, not this machine's, or not allowed.
pub async fn bind(config: &Config) -> Result<TcpListener, BindError> {
    let address = config.address();
    TcpListener::bind(address).await.map_err(|cause| BindError { address, cause })
}

pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    metrics: Arc<Metrics>,
    stop: Stop,
    limits: Limits,
) -> Served {
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "listening");
    }
    let graceful = GracefulShutdown::new();
    accept(listener, &router, &graceful, &stop, limits.linger).await;
    tokio::select! {
        () = graceful.shutdown() => {}
        () = sleep(limits.drain) => {}
        () = stop.insisted() => {}
    }
    let cut_off = metrics.in_flight();
    if cut_off > 0 {
        tracing::warn!(cut_off, "stopped before all requests were finished");
    } else {
        tracing::info!("stopped");
    }
    Served { cut_off }
}

/// Takes connections until a stop was asked for and `linger` is over.
async fn accept(
    listener: TcpListener,
    router: &Router,
    graceful: &GracefulShutdown,
    stop: &Stop,
    linger: Duration,
) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut closing = pin!(async {
        stop.requested().await;
        tracing::info!("stopping: not ready from now on");
        tokio::select! {
            () = sleep(linger) => {}
            () = stop.insisted() => {}
        }
    });
    loop {
        let next = tokio::select! {
            biased;
            () = &mut closing => break,
            next = take(&listener, &slots) => next,
        };
        if let Some((stream, slot)) = next {
            spawn(stream, slot, router.clone(), graceful);
        }
    }
    // Whoever connected in time is answered; whoever keeps connecting does not keep us.
    let last_look = async {
        loop {
            if let Some((stream, slot)) = take(&listener, &slots).await {
                spawn(stream, slot, router.clone(), graceful);
            }
        }
    };
    let _: Result<(), _> = timeout(LAST_LOOK, last_look).await;
    drop(listener);
    sleep(LAST_LOOK).await;
}

/// The next connection, once there is a slot for it. Nothing when it failed, after a pause if the system is at fault.
async fn take(listener: &TcpListener, slots: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, slot)),
        Err(error) => {
            use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
            if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
                tracing::warn!(error = %error, "could not accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
            None
        }
    }
}

fn spawn(stream: TcpStream, slot: OwnedSemaphorePermit, router: Router, graceful: &GracefulShutdown) {
    // Answers are small; waiting to fill a packet only makes them late.
    let _ = stream.set_nodelay(true);
    let service = router.map_request(|request: Request<Incoming>| request.map(axum::body::Body::new));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // A connection that breaks is the client's affair; its request has been logged.
        let _ = connection.await;
        drop(slot);
    });
}
