//! The answer on its way back: when it ends, the connection is kept, the request counted off, and its story told.

mod span;

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::http::uri::PathAndQuery;
use hyper::{HeaderMap, Method, Request, StatusCode};
use jiff::Timestamp;
use tokio::time::Instant;

use crate::access_log::{Line, millis};
use crate::backend::{Backend, InFlight};
use crate::compress::Packed;
use crate::connection::Connection;
use crate::files::FileBody;
use crate::framing::Fault;
use crate::headers::Identity;
use crate::rim;
use crate::site::Seat;
use crate::spans::Recording;
use crate::table::LiveRoute;
use crate::worker::Gateway;

use super::expect::Open;

/// The body of an answer: the gateway's own, a backend's, a file's, or one of them made shorter.
pub(crate) enum Answer {
    Own(Full<Bytes>),
    Passing(Passing),
    File(FileBody),
    Packed(Box<Packed<Self>>),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut *self {
            Self::Own(body) => Pin::new(body).poll_frame(context).map_err(Into::into),
            Self::Passing(body) => Pin::new(body).poll_frame(context).map_err(Into::into),
            Self::File(body) => Pin::new(body).poll_frame(context).map_err(Into::into),
            Self::Packed(body) => Pin::new(body.as_mut()).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(body) => body.is_end_stream(),
            Self::Passing(body) => body.is_end_stream(),
            Self::File(body) => body.is_end_stream(),
            Self::Packed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(body) => body.size_hint(),
            Self::Passing(body) => body.size_hint(),
            Self::File(body) => body.size_hint(),
            Self::Packed(body) => body.size_hint(),
        }
    }
}

/// What counts as the status of an answer that the client did not wait for; no server sends it.
const CLIENT_GONE: u16 = 499;

/// What is told of a request; told when dropped at the latest.
pub(crate) struct Story {
    time: Timestamp,
    began: Instant,
    identity: Identity,
    client: IpAddr,
    /// `None` where its head could not be read.
    method: Option<Method>,
    target: Option<PathAndQuery>,
    route: Option<Arc<LiveRoute>>,
    backend: Option<Arc<Backend>>,
    status: u16,
    /// What was wrong with its bytes, where it was refused for that.
    refused: Option<&'static str>,
    bytes: u64,
    retried: bool,
    queued: Duration,
    connected: Duration,
    first_byte: Duration,
    told: bool,
    gateway: Arc<Gateway>,
    open: Option<Open>,
    seat: Option<Seat>,
    /// What is kept for its span, where that is told.
    span: Option<Box<Recording>>,
}

impl Story {
    pub(super) fn new<B>(
        request: &Request<B>,
        client: SocketAddr,
        identity: &Identity,
        gateway: Arc<Gateway>,
    ) -> Self {
        Self {
            time: rim::now(),
            began: Instant::now(),
            identity: identity.clone(),
            client: client.ip(),
            method: Some(request.method().clone()),
            target: request.uri().path_and_query().cloned(),
            route: None,
            backend: None,
            status: CLIENT_GONE,
            refused: None,
            bytes: 0,
            retried: false,
            queued: Duration::ZERO,
            connected: Duration::ZERO,
            first_byte: Duration::ZERO,
            told: false,
            gateway,
            open: None,
            seat: None,
            span: None,
        }
    }

    /// Tells of a request whose head could not be read, so that nothing else is known of it.
    pub(crate) fn unread(fault: Fault, client: SocketAddr, gateway: Arc<Gateway>) {
        let identity = Identity::of(&HeaderMap::new());
        let mut story = Self::new(&Request::new(()), client, &identity, gateway);
        (story.method, story.target) = (None, None);
        story.refused(fault.word());
        story.status(fault.status());
        story.tell();
    }

    pub(super) fn route(&mut self, route: &Arc<LiveRoute>) {
        self.route = Some(route.clone());
    }

    pub(super) fn backend(&mut self, backend: &Arc<Backend>) {
        self.backend = Some(backend.clone());
    }

    /// The request is refused, in a word.
    pub(super) fn refused(&mut self, why: &'static str) {
        self.refused = Some(why);
    }

    /// Who asks, where others than its peer know.
    pub(super) fn client(&mut self, client: IpAddr) {
        self.client = client;
    }

    pub(super) fn retried(&mut self) {
        self.retried = true;
    }

    pub(super) fn queued(&mut self, took: Duration) {
        self.queued = took;
    }

    pub(super) fn connected(&mut self, took: Duration) {
        self.connected = took;
    }

    pub(super) fn first_byte(&mut self) {
        self.first_byte = self.began.elapsed();
    }

    /// Keeps the backend's connection open as long as this request lasts.
    pub(super) fn keep_open(&mut self, open: Open) {
        self.open = Some(open);
    }

    /// Counts among the requests of its client as long as it lasts.
    pub(super) fn seat(&mut self, seat: Option<Seat>) {
        self.seat = seat;
    }

    pub(crate) fn passed(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    pub(super) fn status(&mut self, status: StatusCode) {
        self.status = status.as_u16();
    }

    /// Tells it, once.
    pub(crate) fn tell(&mut self) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let took = self.began.elapsed();
        self.tell_span(took);
        let (route, backend) = (self.route.as_deref(), self.backend.as_deref());
        self.gateway.metrics.answered(route, backend, self.status, took);
        self.gateway.log.write(&Line {
            time: self.time,
            request_id: self.identity.request(),
            trace_id: self.identity.trace(),
            project: route.map_or("", |route| &route.project),
            route: route.map_or("", |route| &route.route.name),
            backend: backend.map_or("", |backend| &backend.id),
            client: self.client,
            method: self.method.as_ref().map_or("", Method::as_str),
            path: self.target.as_ref().map_or("", PathAndQuery::path),
            status: self.status,
            refused: self.refused,
            bytes: self.bytes,
            retried: self.retried,
            queue_ms: millis(self.queued),
            connect_ms: millis(self.connected),
            first_byte_ms: millis(self.first_byte),
            total_ms: millis(took),
        });
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        self.tell();
    }
}

/// A backend's answer as it passes. When the client goes or the backend breaks off, the connection is not kept, and
/// the story is told all the same.
pub(crate) struct Passing {
    body: Incoming,
    story: Story,
    /// Counted off after the story was told.
    in_flight: Option<InFlight>,
    connection: Option<Connection>,
}

impl Passing {
    pub(super) fn new(body: Incoming, in_flight: InFlight, connection: Connection, story: Story) -> Self {
        let mut passing = Self { body, story, in_flight: Some(in_flight), connection: Some(connection) };
        if passing.body.is_end_stream() {
            passing.ended();
        }
        passing
    }

    /// The whole answer came: the connection can serve another request.
    fn ended(&mut self) {
        self.story.tell();
        if let (Some(in_flight), Some(connection)) = (self.in_flight.take(), self.connection.take()) {
            in_flight.backend.keep(connection);
        }
    }
}

impl Body for Passing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                self.story.passed(length);
                if self.body.is_end_stream() {
                    self.ended();
                }
            }
            Poll::Ready(None) => self.ended(),
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
