//! Accepting: one task per address, one per connection.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::error::GatewayError;
use crate::proxy;
use crate::worker::Gateway;

/// Connections at a time, over all addresses.
const MOST_CONNECTIONS: usize = 20_000;
/// How long a client may take to send the head of a request; also how long a kept connection may idle.
const HEAD: Duration = Duration::from_secs(30);
/// Headers of a request, and bytes of them.
const MOST_HEADERS: usize = 100;
const MOST_HEAD_BYTES: usize = 64 << 10;
/// Pause after an accept that failed, as when file descriptors ran out.
const PAUSE: Duration = Duration::from_millis(50);

/// The tasks that accept, by address.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    tasks: HashMap<SocketAddr, JoinHandle<()>>,
}

impl Listeners {
    pub(crate) fn has(&self, address: SocketAddr) -> bool {
        self.tasks.contains_key(&address)
    }

    /// Starts accepting on an address.
    pub(crate) fn open(
        &mut self,
        address: SocketAddr,
        socket: StdTcpListener,
        gateway: &Arc<Gateway>,
    ) -> Result<(), GatewayError> {
        let ready = socket.set_nonblocking(true).and_then(|()| TcpListener::from_std(socket));
        let listener = ready.map_err(GatewayError::io("listen"))?;
        let task = tokio::spawn(accept(listener, address, gateway.clone()));
        self.tasks.insert(address, task);
        Ok(())
    }

    /// Stops accepting on all addresses but these; connections that are open stay.
    pub(crate) fn close_others(&mut self, used: &[SocketAddr]) {
        self.tasks.retain(|address, task| {
            let stays = used.contains(address);
            if !stays {
                task.abort();
            }
            stays
        });
    }
}

async fn accept(listener: TcpListener, address: SocketAddr, gateway: Arc<Gateway>) {
    let mut stopping = gateway.stopping.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => return,
        };
        match accepted {
            Ok((stream, client)) => {
                if gateway.connections.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
                    gateway.connections.fetch_sub(1, Ordering::Relaxed);
                    continue;
                }
                tokio::spawn(serve(stream, client, address, gateway.clone(), stopping.clone()));
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// Counts a connection off when it ends, however it ends.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn serve(
    stream: TcpStream,
    client: SocketAddr,
    address: SocketAddr,
    gateway: Arc<Gateway>,
    mut stopping: watch::Receiver<bool>,
) {
    let _counted = Counted(&gateway.connections);
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| proxy::answer(request, client, address, gateway.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(MOST_HEADERS)
        .max_buf_size(MOST_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|stopping| *stopping) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
