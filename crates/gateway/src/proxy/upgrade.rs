//! An HTTP/1.1 connection that becomes another protocol, such as a WebSocket: offered, agreed to, then passed through.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, HeaderName, HeaderValue, UPGRADE};
use hyper::upgrade::OnUpgrade;
use hyper::{HeaderMap, Request, Response, Version};
use hyper_util::rt::TokioIo;

use crate::backend::{Backend, InFlight};
use crate::connection::Bounded;
use crate::framing::Watched;
use crate::headers::Identity;
use crate::lend::Lent;
use crate::stream::ClientStream;
use crate::table::LiveRoute;
use crate::tcp;
use crate::worker::Gateway;

/// Protocols that are not passed on: what they would carry are requests again, which nobody would look at.
const REFUSED: [&str; 3] = ["h2c", "http", "tls"];
const UPGRADED: &str = "upgraded";

/// What a client offers to switch to.
pub(super) struct Offer {
    protocols: HeaderValue,
    client: OnUpgrade,
}

/// Where an agreed switch waits until the head of its answer is sent.
#[derive(Default, Clone)]
pub(crate) struct Switch {
    agreed: Arc<Mutex<Option<Tunnel>>>,
}

/// Both sides of a connection that has been switched.
struct Tunnel {
    client: OnUpgrade,
    backend: OnUpgrade,
    in_flight: InFlight,
    story: tcp::Story,
}

/// Who speaks through a tunnel.
pub(super) struct Speakers<'a> {
    pub(super) from: SocketAddr,
    pub(super) route: &'a LiveRoute,
    pub(super) identity: &'a Identity,
    pub(super) gateway: &'a Arc<Gateway>,
}

impl Offer {
    /// What a request offers, where it may be passed on. Any other offer is left aside (RFC 9110, section 7.8), such as
    /// one with a body, which would have to be sent first.
    pub(super) fn of(request: &mut Request<Incoming>) -> Option<Self> {
        let offered = request.version() == Version::HTTP_11
            && request.body().is_end_stream()
            && super::says(request.headers(), &CONNECTION, |word| word.eq_ignore_ascii_case("upgrade"))
            && !super::says(request.headers(), &UPGRADE, is_refused);
        let protocols = one(request.headers(), &UPGRADE).filter(|_| offered)?.clone();
        Some(Self { protocols, client: hyper::upgrade::on(request) })
    }

    /// Makes a request that is fit to be sent on an offer again.
    pub(super) fn offer(&self, headers: &mut HeaderMap) {
        switch(headers, self.protocols.clone());
    }

    /// Takes the backend's agreement: the head to answer with and who agreed, or nothing where it agreed to what was not offered.
    pub(super) fn agree(
        self,
        mut answer: Response<Incoming>,
        in_flight: InFlight,
        speakers: &Speakers<'_>,
        waiting: &Switch,
    ) -> Option<(HeaderMap, Arc<Backend>)> {
        let chosen = one(answer.headers(), &UPGRADE)?.clone();
        let offered = self.protocols.to_str().ok()?.split(',').map(str::trim);
        let chosen_text = chosen.to_str().ok()?.trim();
        if !offered.clone().any(|word| word.eq_ignore_ascii_case(chosen_text)) {
            return None;
        }
        let mut story = tcp::Story::new(speakers.from, speakers.gateway.clone());
        story.upgraded(UPGRADED, speakers.identity.request());
        story.route(speakers.route);
        story.backend(&in_flight.backend);
        let backend = hyper::upgrade::on(&mut answer);
        let mut headers = std::mem::take(answer.headers_mut());
        crate::headers::back(&mut headers, speakers.identity);
        switch(&mut headers, chosen);
        let agreed_with = in_flight.backend.clone();
        let tunnel = Tunnel { client: self.client, backend, in_flight, story };
        *waiting.agreed.lock().unwrap_or_else(PoisonError::into_inner) = Some(tunnel);
        Some((headers, agreed_with))
    }
}

impl Switch {
    /// Passes through what was agreed on, if anything was, until it ends; the answer has been sent.
    pub(crate) async fn pass(self) {
        let agreed = self.agreed.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Tunnel { client, backend, in_flight, mut story }) = agreed else { return };
        let (Ok(client), Ok(backend)) = (client.await, backend.await) else { return };
        let client = client.downcast::<TokioIo<Lent<Watched<ClientStream>>>>();
        let backend = backend.downcast::<TokioIo<Bounded>>();
        // They are what the listener and the backend made them of.
        let (Ok(client), Ok(backend)) = (client, backend) else { return };
        let early: [Bytes; 2] = [client.read_buf, backend.read_buf];
        let Some(client) = client.io.into_inner().keep() else { return };
        let (client, backend) = (client.into_inner(), backend.io.into_inner().into_inner());
        tcp::join(client, backend, &early, &in_flight, &mut story).await;
    }
}

fn switch(headers: &mut HeaderMap, protocols: HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocols);
}

/// The only value of a header.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut all = headers.get_all(name).iter();
    all.next().filter(|_| all.next().is_none())
}

fn is_refused(protocol: &str) -> bool {
    let name = protocol.split('/').next().unwrap_or_default();
    REFUSED.iter().any(|refused| name.eq_ignore_ascii_case(refused))
}
