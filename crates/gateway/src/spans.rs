//! Spans of requests, told to a collector over OTLP (HTTP with JSON): in batches, of a bounded number, and never in anybody's
//! way. What a collector that is slow or gone does not take in time is left out, and counted.

mod json;
mod send;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{Instant, timeout_at};

use crate::worker::Gateway;

/// Collectors at a time: routes that name more tell nothing.
const MOST_COLLECTORS: usize = 16;
/// Spans that wait for their collector, and those that are sent at once.
const MOST_WAITING: usize = 4096;
const BATCH: usize = 512;
/// How long the first of a batch waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// How long a collector may take for a batch.
const TAKE: Duration = Duration::from_secs(5);

/// What is told of one request.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) context: Context,
    pub(crate) began: Timestamp,
    pub(crate) took: Duration,
    pub(crate) queued: Duration,
    pub(crate) project: String,
    pub(crate) route: String,
    pub(crate) backend: String,
    pub(crate) client: std::net::IpAddr,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) bytes: u64,
    pub(crate) request_id: String,
    pub(crate) refused: Option<&'static str>,
    pub(crate) retried: bool,
}

/// Where a span stands in its trace, in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) trace: String,
    /// The span that it is part of, where somebody else began the trace.
    pub(crate) parent: Option<String>,
    pub(crate) own: String,
}

/// The ways to collectors, by their addresses.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    collectors: Mutex<HashMap<String, Sender<Span>>>,
}

impl Spans {
    /// Has a span told, where there is room for it.
    pub(crate) fn tell(&self, endpoint: &str, span: Span, gateway: &Arc<Gateway>) {
        let sender = {
            let mut collectors = self.collectors.lock().unwrap_or_else(PoisonError::into_inner);
            let full = collectors.len() >= MOST_COLLECTORS;
            match collectors.entry(endpoint.to_owned()) {
                Entry::Occupied(there) => Some(there.get().clone()),
                Entry::Vacant(_) if full => None,
                Entry::Vacant(free) => {
                    let (sender, receiver) = mpsc::channel(MOST_WAITING);
                    // Of the first lane, as the one that the span comes from may just be ending.
                    gateway.lanes.first().map(|lane| {
                        lane.spawn(pass_on(endpoint.to_owned(), receiver, gateway.clone()));
                        free.insert(sender).clone()
                    })
                }
            }
        };
        if sender.is_none_or(|sender| sender.try_send(span).is_err()) {
            gateway.metrics.spans(false, 1);
        }
    }
}

/// Sends what waits, a batch at a time, until this worker ends.
async fn pass_on(endpoint: String, mut waiting: Receiver<Span>, gateway: Arc<Gateway>) {
    let mut stopping = gateway.stopping.subscribe();
    let mut ends = false;
    while !ends {
        let first = tokio::select! {
            first = waiting.recv() => first,
            _ = stopping.wait_for(|stopping| *stopping) => {
                ends = true;
                waiting.try_recv().ok()
            }
        };
        let Some(first) = first else { continue };
        let mut batch = vec![first];
        let until = if ends { Instant::now() } else { Instant::now() + GATHER };
        while batch.len() < BATCH
            && let Ok(Some(span)) = timeout_at(until, waiting.recv()).await
        {
            batch.push(span);
        }
        let taken = send::send(&endpoint, json::text(&batch), TAKE).await;
        gateway.metrics.spans(taken, batch.len() as u64);
    }
}
