//! Sends each request when it is due, whatever became of those before it.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Request, Response};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use super::connection::{Pool, Sender};
use super::recorder::Finished;
use super::schedule;
use super::way::Clients;
use super::{Ended, Failure, Settings, Shape, Shared};

/// The longest answer that is read, in bytes.
pub(super) const ANSWER_AT_MOST: usize = 4 * 1024 * 1024;
/// Requests under way at once. Past this the server has stopped serving, and more would only exhaust this process; those
/// that were due meanwhile are counted as failed, never left out.
const UNDER_WAY_AT_MOST: usize = 4_096;

type Body = http_body_util::Full<bytes::Bytes>;

/// Sends until it is told to stop or a limit is reached, and waits for what is under way.
pub(super) async fn send_all(
    settings: Settings,
    shared: Arc<Shared>,
    mut stop: oneshot::Receiver<()>,
) -> Ended {
    let settings = Arc::new(settings);
    let clients = Clients::new(settings.way, settings.target, settings.connections);
    let pool = Arc::new((Pool::new(settings.target, settings.connections), clients));
    let mut under_way = JoinSet::new();
    let mut index = 0;
    let ended = loop {
        let due = schedule::due(index, settings.rate);
        if index >= settings.max_requests {
            break Ended::RequestLimit;
        }
        if due >= settings.max_duration {
            break Ended::TimeLimit;
        }
        tokio::select! {
            biased;
            _ = &mut stop => break Ended::Stopped,
            () = sleep_until(shared.begun + due) => {}
        }
        while under_way.try_join_next().is_some() {}
        let phase = shared.recorder().begin();
        shared.changed.notify_all();
        if under_way.len() < UNDER_WAY_AT_MOST {
            under_way.spawn(one(Arc::clone(&settings), Arc::clone(&pool), Arc::clone(&shared), index, phase));
        } else {
            finish(&shared, phase, due, Sent { reconnected: false, outcome: Err(Failure::NotSent) });
        }
        index += 1;
    };
    let now = shared.now();
    shared.recorder().close(now);
    while under_way.join_next().await.is_some() {}
    ended
}

struct Sent {
    reconnected: bool,
    outcome: Result<(), Failure>,
}

fn finish(shared: &Shared, phase: usize, due: Duration, sent: Sent) {
    let at = shared.now();
    let Sent { reconnected, outcome } = sent;
    shared.recorder().finish(at, &Finished { phase, latency: at.saturating_sub(due), reconnected, outcome });
}

/// Connections that are kept, and what their clients keep beside them.
type Kept = (Arc<Pool>, Clients);

async fn one(settings: Arc<Settings>, kept: Arc<Kept>, shared: Arc<Shared>, index: u64, phase: usize) {
    let mut reconnected = false;
    let exchange = exchange(&settings, &kept, index, &mut reconnected);
    let outcome = timeout(settings.timeout, exchange).await.unwrap_or(Err(Failure::Timeout));
    finish(&shared, phase, schedule::due(index, settings.rate), Sent { reconnected, outcome });
}

async fn exchange(
    settings: &Settings,
    (pool, clients): &Kept,
    index: u64,
    reconnected: &mut bool,
) -> Result<(), Failure> {
    let shape = schedule::shape(index, &settings.shapes).ok_or(Failure::NotSent)?;
    let fresh = settings.fresh_every > 0 && index.is_multiple_of(settings.fresh_every);
    let mut request = settings.request(shape, index, fresh).ok_or(Failure::NotSent)?;
    let jar = match clients {
        Clients::Plain => None,
        Clients::Sticky(jar) => Some(jar),
        Clients::Http2(streams) => {
            let response = streams.send(index, request, reconnected).await?;
            return judge(shape, response).await;
        }
        Clients::WebSocket(sockets) => return sockets.send(index, shape.path(), reconnected).await,
    };
    if let Some(jar) = jar {
        jar.send(index, request.headers_mut());
    }
    if fresh {
        let mut sender = pool.connect().await?;
        let response = sender.send_request(request).await.map_err(|error| Failure::of_exchange(&error))?;
        return judge(shape, response).await;
    }
    let (lease, kept) = pool.take();
    let (sender, response) = match kept {
        Some(sender) => match by_kept(sender, request).await? {
            Tried::Answered(sender, response) => (sender, response),
            Tried::Closed(request) => {
                *reconnected = true;
                by_new(pool, request).await?
            }
        },
        None => by_new(pool, request).await?,
    };
    if let Some(jar) = jar {
        jar.keep(index, response.headers());
    }
    judge(shape, response).await?;
    lease.give_back(sender);
    Ok(())
}

enum Tried {
    Answered(Sender, Response<Incoming>),
    /// The connection was closed before a byte of the request was sent: here it is again.
    Closed(Request<Body>),
}

async fn by_kept(mut sender: Sender, request: Request<Body>) -> Result<Tried, Failure> {
    if sender.ready().await.is_err() {
        return Ok(Tried::Closed(request));
    }
    match sender.try_send_request(request).await {
        Ok(response) => Ok(Tried::Answered(sender, response)),
        Err(mut error) => match error.take_message() {
            Some(request) => Ok(Tried::Closed(request)),
            None => Err(Failure::of_exchange(&error.into_error())),
        },
    }
}

async fn by_new(pool: &Pool, request: Request<Body>) -> Result<(Sender, Response<Incoming>), Failure> {
    let mut sender = pool.connect().await?;
    let response = sender.send_request(request).await.map_err(|error| Failure::of_exchange(&error))?;
    Ok((sender, response))
}

/// Reads the answer to its end: one that is cut short is a failure, whatever its status says.
async fn judge(shape: &Shape, response: Response<Incoming>) -> Result<(), Failure> {
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), ANSWER_AT_MOST).collect().await;
    body.map_err(|error| Failure::of_exchange(error.as_ref()))?;
    if shape.expected.contains(&status) { Ok(()) } else { Err(Failure::Status(status)) }
}
