//! The life of a TCP connection, top to bottom: a backend is chosen once, then bytes go both ways until an end.

mod copy;
mod story;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustix::net::sockopt;
use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::backend::{Backend, InFlight};
use crate::balance::Asker;
use crate::stream::ClientStream;
use crate::table::LiveRoute;
use crate::wait::Patience;
use crate::worker::Gateway;
use crate::{limits, probe, proxy_protocol};

use copy::Counts;

pub(crate) use story::{ENDS, Story};

/// Backends that are tried; nothing was sent to those that could not be reached.
const MOST_ATTEMPTS: usize = 3;
/// After so long without a byte the other side is asked whether it is still there, so often, before it counts as gone.
/// Nobody who answers is cut, however long nothing is said.
const ALIVE: Duration = Duration::from_secs(60);
const ALIVE_INTERVAL: Duration = Duration::from_secs(15);
const ALIVE_QUESTIONS: u32 = 4;

/// Passes a connection through to a backend until it ends, where the address speaks TCP; gives it back where it speaks
/// HTTP.
pub(crate) async fn pass(
    client: TcpStream,
    from: SocketAddr,
    listen: SocketAddr,
    gateway: &Arc<Gateway>,
) -> Option<TcpStream> {
    let mut story: Option<Story> = None;
    let mut patience = Patience::new(&gateway.metrics);
    loop {
        let Some(route) = gateway.table.load().tcp(listen).cloned() else {
            return Some(client);
        };
        let story = story.get_or_insert_with(|| Story::new(from, gateway.clone()));
        story.route(&route);
        match reach(&route, Asker { client: from.ip(), headers: None }, gateway, story).await {
            // The set was swapped meanwhile: look again. Nothing was sent.
            Reached::Gone => {}
            Reached::Nobody => {
                // One that is gone waits for nothing; it may have said all it wishes to, which is no end.
                if is_gone(&client).await || patience.wait(&route).await.is_err() {
                    reset(&client);
                    story.tell("unreached");
                    return None;
                }
            }
            Reached::Backend(backend, in_flight) => {
                story.queued(patience.rewarded());
                // What the backend is told of the client goes before what the client says.
                let early = [told(&route, from, &client), Bytes::new()];
                join(ClientStream::Plain(client), backend, &early, &in_flight, story).await;
                return None;
            }
        }
    }
}

/// Who takes a connection.
enum Reached {
    Backend(TcpStream, InFlight),
    /// Nobody could be reached.
    Nobody,
    /// The one chosen was just taken out.
    Gone,
}

async fn reach(route: &LiveRoute, asker: Asker<'_>, gateway: &Gateway, story: &mut Story) -> Reached {
    let mut tried: Vec<Arc<Backend>> = Vec::new();
    while tried.len() < MOST_ATTEMPTS {
        // Where none is well, a try costs nothing: what cannot be reached is known as soon as it was tried.
        let Some(backend) = route.choose(&tried, asker).or_else(|| route.choose_any(&tried, asker)) else {
            break;
        };
        let Some(in_flight) = backend.enter() else { return Reached::Gone };
        if !tried.is_empty() {
            story.retried();
            gateway.metrics.retried(&route.project, &route.route.name);
        }
        story.backend(&backend);
        let reached = backend.reach().await;
        // A shortage of our own says nothing about the backend.
        let shortage = reached.as_ref().is_err_and(limits::is_own_shortage);
        if !shortage && let Some(well) = backend.judge(reached.is_ok(), &gateway.metrics) {
            probe::tell(&gateway.place, &backend, well);
        }
        if let Ok(stream) = reached {
            story.connected();
            return Reached::Backend(stream, in_flight);
        }
        tried.push(backend);
    }
    Reached::Nobody
}

/// Copies both ways until both sides are done, one of them breaks off, or the backend's time is up. What was read of
/// either before, the client first, comes `early`.
pub(crate) async fn join(
    mut client: ClientStream,
    mut backend: TcpStream,
    early: &[Bytes; 2],
    in_flight: &InFlight,
    story: &mut Story,
) {
    keep_alive(client.tcp());
    keep_alive(&backend);
    let counts = Counts::default();
    let end = tokio::select! {
        ended = copy::both_ways(&mut client, &mut backend, early, &counts) => {
            if ended.is_ok() { "closed" } else { "reset" }
        }
        () = in_flight.backend.is_cut() => "cut",
    };
    if end != "closed" {
        // Neither side may take what came so far for the whole.
        reset(client.tcp());
        reset(&backend);
    }
    story.passed(&counts);
    story.tell(end);
}

/// What a backend is told of a client before all else.
fn told(route: &LiveRoute, from: SocketAddr, client: &TcpStream) -> Bytes {
    let (Some(version), Ok(to)) = (route.route.balancing.proxy_protocol.send, client.local_addr()) else {
        return Bytes::new();
    };
    proxy_protocol::header(version, from, to).into()
}

/// Whether a client that waits has closed its connection, without having sent anything that is still to be passed on.
async fn is_gone(client: &TcpStream) -> bool {
    let ready = tokio::time::timeout(Duration::ZERO, client.ready(Interest::READABLE)).await;
    if !matches!(ready, Ok(Ok(ready)) if ready.is_read_closed()) {
        return false;
    }
    !matches!(client.peek(&mut [0]).await, Ok(1..))
}

/// Has a side that is gone without a word noticed.
fn keep_alive(stream: &TcpStream) {
    // Where the system refuses, the connection still works.
    let _ = sockopt::set_socket_keepalive(stream, true);
    let _ = sockopt::set_tcp_keepidle(stream, ALIVE);
    let _ = sockopt::set_tcp_keepintvl(stream, ALIVE_INTERVAL);
    let _ = sockopt::set_tcp_keepcnt(stream, ALIVE_QUESTIONS);
}

/// Has the connection reset when it is dropped, where it would else be closed as if all had been said.
fn reset(stream: &TcpStream) {
    let _ = sockopt::set_socket_linger(stream, Some(Duration::ZERO));
}
