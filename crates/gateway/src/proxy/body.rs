//! The answer on its way back: when it ends, the connection is kept, the request counted off, and its story told.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::{Request, StatusCode};
use tokio::time::Instant;

use crate::access_log::{Line, Record, millis};
use crate::backend::{Backend, InFlight};
use crate::connection::Connection;
use crate::headers::Identity;
use crate::rim;
use crate::table::LiveRoute;
use crate::worker::Gateway;

use super::expect::Open;

/// The gateway's own answer, or a backend's.
pub(crate) type Answer = Either<Full<Bytes>, Passing>;

/// What counts as the status of an answer that the client did not wait for; no server sends it.
const CLIENT_GONE: u16 = 499;

/// What is told of a request; told when dropped at the latest.
pub(crate) struct Story {
    began: Instant,
    line: Option<Line>,
    gateway: Arc<Gateway>,
    open: Option<Open>,
}

impl Story {
    pub(super) fn new(
        request: &Request<Incoming>,
        client: SocketAddr,
        identity: &Identity,
        gateway: Arc<Gateway>,
    ) -> Self {
        let line = Line {
            time: rim::now().to_string(),
            request_id: identity.request.clone(),
            trace_id: identity.trace().to_owned(),
            project: String::new(),
            route: String::new(),
            backend: String::new(),
            client: client.ip().to_string(),
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            status: CLIENT_GONE,
            bytes: 0,
            retried: false,
            connect_ms: 0.0,
            first_byte_ms: 0.0,
            total_ms: 0.0,
        };
        Self { began: Instant::now(), line: Some(line), gateway, open: None }
    }

    pub(super) fn route(&mut self, route: &LiveRoute) {
        self.change(|line| {
            line.project.clone_from(&route.project);
            line.route.clone_from(&route.route.name);
        });
    }

    pub(super) fn backend(&mut self, backend: &Backend) {
        self.change(|line| line.backend.clone_from(&backend.id));
    }

    pub(super) fn retried(&mut self) {
        self.change(|line| line.retried = true);
    }

    pub(super) fn connected(&mut self, took: Duration) {
        self.change(|line| line.connect_ms = millis(took));
    }

    pub(super) fn first_byte(&mut self) {
        let took = millis(self.began.elapsed());
        self.change(|line| line.first_byte_ms = took);
    }

    /// Keeps the backend's connection open as long as this request lasts.
    pub(super) fn keep_open(&mut self, open: Open) {
        self.open = Some(open);
    }

    fn passed(&mut self, bytes: u64) {
        self.change(|line| line.bytes += bytes);
    }

    pub(super) fn status(&mut self, status: StatusCode) {
        self.change(|line| line.status = status.as_u16());
    }

    /// Tells it, once.
    pub(super) fn tell(&mut self) {
        let Some(mut line) = self.line.take() else { return };
        let took = self.began.elapsed();
        line.total_ms = millis(took);
        self.gateway.metrics.answered(&line.project, &line.route, &line.backend, line.status, took);
        self.gateway.log.write(Record::Request(Box::new(line)));
    }

    fn change(&mut self, change: impl FnOnce(&mut Line)) {
        if let Some(line) = &mut self.line {
            change(line);
        }
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
