//! Copies of requests for another route, whose answers nobody waits for.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::http::request::Parts;
use hyper::{Method, Request, Version};
use tokio::time::timeout;

use crate::backend::InFlight;
use crate::balance::Asker;
use crate::outgoing::Outgoing;
use crate::table::LiveRoute;
use crate::worker::Gateway;

use super::send::origin_form;

/// Copies on their way at a time in this process; what comes above that is not copied.
const MOST_AT_A_TIME: usize = 64;
/// How long a copy may take, answer and all.
const LONGEST: Duration = Duration::from_secs(30);

static BUSY: AtomicUsize = AtomicUsize::new(0);
static TURN: AtomicUsize = AtomicUsize::new(0);

/// One of them.
struct Copied;

impl Copied {
    fn begin() -> Option<Self> {
        let begun = Self;
        (BUSY.fetch_add(1, Ordering::SeqCst) < MOST_AT_A_TIME).then_some(begun)
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        BUSY.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Sends a copy of a request that only reads to the route that its own names, if it names one. Returns at once.
pub(super) fn copy(parts: &Parts, route: &LiveRoute, client: IpAddr, gateway: &Gateway) {
    let Some(told) = &route.route.site.mirror else { return };
    // A copy of an order would be a second order.
    let reads = [Method::GET, Method::HEAD].contains(&parts.method);
    if !reads || TURN.fetch_add(1, Ordering::Relaxed) % 100 >= usize::from(told.percent) {
        return;
    }
    let table = gateway.table.load();
    let Some(other) = table.named(&route.project, &told.route) else { return };
    let asker = Asker { client, headers: Some(&parts.headers) };
    let entered = other.choose(&[], asker).and_then(|backend| backend.enter());
    let (Some(in_flight), Some(copied)) = (entered, Copied::begin()) else { return };
    let mut request = Request::new(Outgoing::whole(Bytes::new()));
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = origin_form(&parts.uri);
    *request.headers_mut() = parts.headers.clone();
    *request.version_mut() = Version::HTTP_11;
    tokio::spawn(async move {
        let _ = timeout(LONGEST, send(request, &in_flight)).await;
        drop((in_flight, copied));
    });
}

async fn send(request: Request<Outgoing>, in_flight: &InFlight) -> Option<()> {
    let backend = &in_flight.backend;
    let mut connection = match backend.idle_connection() {
        Some(connection) => connection,
        None => backend.connect().await.ok()?,
    };
    let answer = connection.try_send_request(request).await.ok()?;
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        frame.ok()?;
    }
    backend.keep(connection);
    Some(())
}
