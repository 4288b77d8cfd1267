//! Spans of requests, told to a collector over OTLP (HTTP with JSON): in batches, of a bounded number, and never in anybody's
//! way. What a collector that is slow or gone does not take in time is left out, and counted.

mod headers;
mod json;
mod post;
mod queue;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::Version;
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, Sender, WeakSender};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::route::Traces;
use crate::sockets::note;
use crate::table::LiveRoute;
use crate::worker::Gateway;

pub use headers::{HeadersError, examine_headers};
pub(crate) use post::check;

/// Collectors at a time: routes that name more tell nothing.
const MOST_COLLECTORS: usize = 16;
/// Spans of requests that wait for their collector.
const MOST_WAITING: usize = 4096;
/// How long a worker that ends waits for its last spans to be taken.
const FINISH: Duration = Duration::from_secs(2);
/// Tries of one request that are told.
pub(crate) const MOST_TRIES: usize = 8;

/// What is told of one request.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) recording: Recording,
    pub(crate) began: Timestamp,
    pub(crate) took: Duration,
    pub(crate) queued: Duration,
    pub(crate) project: String,
    pub(crate) route: String,
    /// The path that the route answers to.
    pub(crate) prefix: String,
    pub(crate) client: IpAddr,
    pub(crate) method: String,
    pub(crate) path: String,
    /// Nothing where the client did not wait for its answer.
    pub(crate) status: Option<u16>,
    pub(crate) bytes: u64,
    pub(crate) request_id: String,
    pub(crate) refused: Option<&'static str>,
}

/// What only those requests keep whose span is told.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    pub(crate) context: Context,
    pub(crate) scheme: &'static str,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) peer: IpAddr,
    pub(crate) version: Version,
    pub(crate) agent: Option<String>,
    pub(crate) tries: Vec<Try>,
}

/// Where a span stands in its trace, in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) trace: String,
    /// The span that it is part of, where somebody else began the trace.
    pub(crate) parent: Option<String>,
    pub(crate) own: String,
    /// What is passed on of how the trace is told.
    pub(crate) flags: u8,
}

/// A request as it was sent to one backend.
#[derive(Debug, Clone)]
pub(crate) struct Try {
    pub(crate) own: String,
    /// Since the request came.
    pub(crate) began: Duration,
    /// Nothing where it lasted as long as the request.
    pub(crate) took: Option<Duration>,
    pub(crate) backend: String,
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    pub(crate) end: TryEnd,
}

/// How a try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TryEnd {
    /// With its client, before its backend answered.
    Left,
    /// With an answer of this status.
    Answered(u16),
    /// Without, in a word.
    Failed(&'static str),
}

/// The ways to collectors.
#[derive(Debug)]
pub(crate) struct Spans {
    /// Where they are sent from: not from where requests are served.
    runtime: Handle,
    collectors: Mutex<Vec<(Traces, WeakSender<Span>)>>,
    ends: watch::Sender<bool>,
}

impl Spans {
    /// Those of a worker; their collectors are written to by the runtime that this is called in.
    pub(crate) fn start() -> Self {
        Self { runtime: Handle::current(), collectors: Mutex::default(), ends: watch::Sender::new(false) }
    }

    /// Has a span told, where there is room for it.
    pub(crate) fn tell(&self, route: &LiveRoute, gateway: &Arc<Gateway>, span: impl FnOnce() -> Span) {
        let Some(traces) = &route.route.traces else { return };
        let way = route.spans.get_or_init(|| self.way(traces, gateway)).as_ref();
        let told = way.filter(|way| way.capacity() > 0).is_some_and(|way| way.try_send(span()).is_ok());
        if !told {
            gateway.metrics.spans.dropped(1);
        }
    }

    /// The way to a collector, one for all routes that say the same of it; none where there are too many. It ends with the
    /// last of its routes, once what was told is sent.
    fn way(&self, traces: &Traces, gateway: &Arc<Gateway>) -> Option<Sender<Span>> {
        let wanted = Traces { sample_percent: 0, ..traces.clone() };
        let mut collectors = self.collectors.lock().unwrap_or_else(PoisonError::into_inner);
        collectors.retain(|(_, way)| way.strong_count() > 0);
        let there = collectors.iter().find(|(other, _)| *other == wanted);
        if let Some(there) = there.and_then(|(_, way)| way.upgrade()) {
            return Some(there);
        }
        if collectors.len() >= MOST_COLLECTORS {
            return None;
        }
        let (way, waiting) = mpsc::channel(MOST_WAITING);
        self.runtime.spawn(queue::pass_on(wanted.clone(), waiting, self.ends.subscribe(), gateway.clone()));
        collectors.push((wanted, way.downgrade()));
        Some(way)
    }

    /// Waits until what was told so far is taken, for a while.
    pub(crate) async fn finish(&self, gateway: &Gateway) {
        self.ends.send_replace(true);
        if timeout(FINISH, self.ends.closed()).await.is_err() {
            note(
                &gateway.place,
                "Spans that their collector had not taken when the worker ended are left out.",
            );
        }
    }
}
