//! Accepting: one task per address and lane, one per connection.

mod requests;
mod room;

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::error::GatewayError;
use crate::tls::arrival::{Arrival, arrive};
use crate::worker::Gateway;
use crate::{http2, proxy_protocol, tcp};

use room::Share;

pub(crate) use room::Room;

/// How long a client may take to send the head of a request; also how long a kept connection may idle.
const HEAD: Duration = Duration::from_secs(30);
/// Headers of a request, and bytes of them.
pub(crate) const MOST_HEADERS: usize = 100;
pub(crate) const MOST_HEAD_BYTES: usize = 64 << 10;
/// How long an idle connection is still listened to when the worker ends: what a client was just sending is answered.
const LAST_CALL: Duration = Duration::from_secs(1);
/// Pause after an accept that failed, as when file descriptors ran out.
const PAUSE: Duration = Duration::from_millis(50);

/// The tasks that accept, by address.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    tasks: HashMap<SocketAddr, Vec<JoinHandle<()>>>,
}

impl Listeners {
    pub(crate) fn has(&self, address: SocketAddr) -> bool {
        self.tasks.contains_key(&address)
    }

    /// Starts accepting on an address, in each lane: who has time takes the next connection, and keeps it.
    pub(crate) fn open(
        &mut self,
        address: SocketAddr,
        socket: StdTcpListener,
        gateway: &Arc<Gateway>,
    ) -> Result<(), GatewayError> {
        let doing = || GatewayError::io("listen");
        socket.set_nonblocking(true).map_err(doing())?;
        let mut listeners = Vec::new();
        for lane in &gateway.lanes {
            let _entered = lane.enter();
            let ready = socket.try_clone().and_then(TcpListener::from_std);
            listeners.push((lane, ready.map_err(doing())?));
        }
        let share = Arc::new(gateway.connections.keep(self.tasks.len()));
        let start = |(lane, listener): (&Handle, _)| {
            lane.spawn(accept(listener, address, share.clone(), gateway.clone()))
        };
        self.tasks.insert(address, listeners.into_iter().map(start).collect());
        Ok(())
    }

    /// Stops accepting on all addresses but these, whose sockets are closed then; connections that are open stay.
    pub(crate) async fn close_others(&mut self, used: &[SocketAddr]) {
        let unused: Vec<SocketAddr> =
            self.tasks.keys().filter(|address| !used.contains(address)).copied().collect();
        for address in unused {
            for task in self.tasks.remove(&address).unwrap_or_default() {
                task.abort();
                let _ = task.await;
            }
        }
    }
}

async fn accept(listener: TcpListener, address: SocketAddr, share: Arc<Share>, gateway: Arc<Gateway>) {
    let mut stopping = gateway.stopping.subscribe();
    loop {
        // Before it is accepted: what there is no room for waits in the system's queue.
        let accepted = async { (gateway.connections.seat(&share).await, listener.accept().await) };
        let accepted = tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => return,
            accepted = accepted => accepted,
        };
        match accepted {
            (Some(seat), Ok((stream, client))) => {
                let seat = seat.open();
                let connection = serve(stream, client, address, gateway.clone(), stopping.clone());
                tokio::spawn(async move {
                    connection.await;
                    drop(seat);
                });
            }
            _ => sleep(PAUSE).await,
        }
    }
}

async fn serve(
    mut stream: TcpStream,
    client: SocketAddr,
    address: SocketAddr,
    gateway: Arc<Gateway>,
    stopping: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    // What is over before the first request lies on the heap, so that a kept connection does not keep room for it.
    let told = proxy_protocol::accept(&mut stream, client, address, &gateway);
    let told = Box::pin(unless_ending(told, stopping.clone())).await;
    let Some(client) = told else { return };
    let passes = gateway.table.load().tcp(address).is_some();
    let stream = match passes {
        true => Box::pin(tcp::pass(stream, client, address, &gateway)).await,
        false => Some(stream),
    };
    let Some(stream) = stream else { return };
    let arrived = Box::pin(unless_ending(arrive(stream, address, &gateway), stopping.clone())).await;
    let Some(Arrival { stream, via, http2, shown }) = arrived else { return };
    if http2 {
        return Box::pin(http2::serve(stream, (client, address, via), shown, gateway, stopping)).await;
    }
    requests::serve(stream, (client, address, via), shown, gateway, stopping).await;
}

/// What a client begins with, unless it has not by the time this worker ends.
async fn unless_ending<T>(
    begun: impl Future<Output = Option<T>>,
    mut stopping: watch::Receiver<bool>,
) -> Option<T> {
    let ended = async {
        let _ = stopping.wait_for(|stopping| *stopping).await;
        sleep(LAST_CALL).await;
    };
    tokio::select! {
        begun = begun => begun,
        () = ended => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of what a function answers with.
    fn size<A, B, C, D, E, F>(_: impl Fn(A, B, C, D, E) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_connection_that_rests_is_small() {
        let bytes = size(serve);
        println!("{bytes} bytes");
        assert!(bytes <= 2 << 10, "{bytes} bytes for each connection");
    }
}
