//! Spans on their way to one collector: gathered, sent together, and sent again where it asks for that.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::post::{Lost, Post};
use super::{Span, json};
use crate::route::Traces;
use crate::sockets::note;
use crate::worker::Gateway;

/// Spans of requests that are sent at once.
const BATCH: usize = 512;
/// How long the first of a batch waits for others.
const GATHER: Duration = Duration::from_millis(500);
/// How often a batch is sent, and how long after the first time: twice as long after each other one.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);

/// Sends what waits, a batch at a time, until nobody is left who could tell anything, or the worker ends.
pub(super) async fn pass_on(
    collector: Traces,
    mut waiting: Receiver<Span>,
    mut ends: watch::Receiver<bool>,
    gateway: Arc<Gateway>,
) {
    let (endpoint, name) = (collector.endpoint.clone(), collector.service_name.clone());
    let mut post = Post::to(collector);
    let (mut batch, mut is_well) = (Vec::new(), true);
    while gather(&mut waiting, &mut batch, &mut ends).await {
        let count = batch.len() as u64;
        let text = Bytes::from(json::text(name.as_deref(), &batch));
        batch.clear();
        let delivered = deliver(&mut post, &text, &mut ends).await;
        let refused = delivered.as_ref().map_or(count, |refused| count.min(*refused));
        gateway.metrics.spans.dropped(refused);
        gateway.metrics.spans.sent(count - refused);
        match &delivered {
            Err(lost) if is_well => {
                let why = lost.told();
                note(&gateway.place, &format!("Spans are not taken at `{endpoint}`, and left out: {why}."));
            }
            Ok(_) if !is_well => note(&gateway.place, &format!("Spans are taken at `{endpoint}` again.")),
            _ => {}
        }
        is_well = delivered.is_ok();
    }
}

/// Puts a batch together; `false` where nothing will come.
async fn gather(
    waiting: &mut Receiver<Span>,
    batch: &mut Vec<Span>,
    ends: &mut watch::Receiver<bool>,
) -> bool {
    if !*ends.borrow() {
        let first = async {
            waiting.recv_many(batch, BATCH).await;
            let until = Instant::now() + GATHER;
            while batch.len() < BATCH
                && let Ok(1..) = timeout_at(until, waiting.recv_many(batch, BATCH - batch.len())).await
            {
            }
        };
        tokio::select! {
            () = first => return !batch.is_empty(),
            _ = ends.wait_for(|ends| *ends) => {}
        }
    }
    waiting.close();
    if batch.len() < BATCH {
        waiting.recv_many(batch, BATCH - batch.len()).await;
    }
    !batch.is_empty()
}

/// Sends a batch, some times where that may help; how many of it were refused.
async fn deliver(post: &mut Post, text: &Bytes, ends: &mut watch::Receiver<bool>) -> Result<u64, Lost> {
    let mut pause = PAUSE;
    for _ in 1..ATTEMPTS {
        let delivered = post.send(text).await;
        let again = delivered.as_ref().err().and_then(|lost| lost.again(pause));
        let Some(after) = again.filter(|_| !*ends.borrow()) else { return delivered };
        // A worker that ends tries once more at once.
        let _ = timeout(after, ends.wait_for(|ends| *ends)).await;
        pause *= 2;
    }
    post.send(text).await
}
