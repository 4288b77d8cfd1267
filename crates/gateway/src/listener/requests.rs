//! The requests of a connection that speaks HTTP/1.1, one after the other. While none comes it is little more than a
//! socket: what reads and answers them, with its buffers, is made anew when there is something to read.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::StatusCode;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1::{self, UpgradeableConnection};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncWriteExt, Interest};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::framing::{self, Fault, Framing, Watched};
use crate::lend::{Lent, lend};
use crate::proxy::{self, Switch};
use crate::stream::ClientStream;
use crate::tls::clients::Shown;
use crate::tls::{Via, guard};
use crate::worker::Gateway;

use super::{HEAD, LAST_CALL, MOST_HEAD_BYTES, MOST_HEADERS};

/// How often it is looked whether a connection has nothing to do. Whoever asks again sooner has what it needs at hand.
const LOOK: Duration = Duration::from_millis(250);
/// How long a client may take to hear that its connection ends.
const GOODBYE: Duration = Duration::from_secs(1);

/// Whose requests they are.
struct Spell<'a> {
    client: SocketAddr,
    listen: SocketAddr,
    via: Via,
    shown: Option<&'a Arc<Shown>>,
    gateway: &'a Arc<Gateway>,
    framing: &'a Arc<Framing>,
    switch: &'a Switch,
}

/// Serves requests until the connection is closed, upgraded, idle for long, or idle while the worker ends.
pub(super) async fn serve(
    stream: ClientStream,
    (client, listen, via): (SocketAddr, SocketAddr, Via),
    shown: Option<Arc<Shown>>,
    gateway: Arc<Gateway>,
    mut stopping: watch::Receiver<bool>,
) {
    let (stream, framing) = framing::watch(stream);
    let mut stream = stream.unless(ClientStream::has_left);
    let switch = Switch::default();
    let (mut begun, mut until) = (0, Instant::now() + HEAD);
    loop {
        let (lent, lender) = lend(stream);
        let shown = shown.as_ref();
        let spell =
            Spell { client, listen, via, shown, gateway: &gateway, framing: &framing, switch: &switch };
        // On the heap, so that all of it is given back.
        if !Box::pin(spell.last(lent, stopping.clone())).await {
            break;
        }
        let Some(back) = lender.take() else { return };
        stream = back;
        // What is no request makes no rest longer.
        if framing.begun() > begun {
            (begun, until) = (framing.begun(), Instant::now() + HEAD);
        }
        if !stirs(&stream, until, &mut stopping, &gateway).await {
            let _ = timeout(GOODBYE, stream.shutdown()).await;
            return;
        }
    }
    // What was agreed on is passed through from here; this connection counts until that ends.
    Box::pin(switch.pass()).await;
}

/// Whether a client that rests has more to say, or ends its connection; not when it has rested for long, others need the
/// room, or the worker ends.
async fn stirs(
    stream: &Watched<ClientStream>,
    until: Instant,
    stopping: &mut watch::Receiver<bool>,
    gateway: &Gateway,
) -> bool {
    let ended = async {
        let _ = stopping.wait_for(|stopping| *stopping).await;
        sleep(LAST_CALL).await;
    };
    tokio::select! {
        biased;
        ready = timeout_at(until, stream.get_ref().tcp().ready(Interest::READABLE)) => matches!(ready, Ok(Ok(_))),
        () = ended => false,
        () = gateway.connections.crowded() => false,
    }
}

impl Spell<'_> {
    /// Serves requests until the connection ends, or rests: whether it rests, so that it can go on later.
    async fn last(&self, stream: Lent<Watched<ClientStream>>, stopping: watch::Receiver<bool>) -> bool {
        let told = stopping.clone();
        let service = service_fn(|mut request| {
            guard::introduce(&mut request, self.shown);
            let (gateway, framing) = (self.gateway.clone(), self.framing.clone());
            let (client, listen, via) = (self.client, self.listen, self.via);
            let (switch, told) = (self.switch.clone(), &told);
            // Made inside, since what is made outside and moved in is room twice, and copied for each request.
            async move {
                let answer = proxy::answer(request, client, listen, gateway, framing, switch, via);
                let mut answer = answer.await;
                // Looks at a number, takes no lock. What an address speaks may change while a connection is kept.
                let stays = self.gateway.table.load().tcp(self.listen).is_none();
                let ends = told.has_changed().unwrap_or(true) || !stays || self.framing.fault().is_some();
                if answer.status() != StatusCode::SWITCHING_PROTOCOLS && (!self.framing.declined() || ends) {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(answer.map(|body| Counted { body, framing: self.framing.clone() }))
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_headers(MOST_HEADERS)
            .max_buf_size(MOST_HEAD_BYTES)
            .max_header_size(MOST_HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let ended = until_rest(connection, self.framing, stopping).await;
        if let Err(error) = &ended {
            self.unread(error);
        }
        matches!(ended, Ok(true))
    }

    /// Tells of the head at which a connection ended, if it did at one.
    fn unread(&self, error: &hyper::Error) {
        let fault = match self.framing.head_fault() {
            Some(fault) => fault,
            None if error.is_parse_too_large() => Fault::TooLarge,
            None if error.is_parse() => Fault::Malformed,
            None => return,
        };
        proxy::Story::unread(fault, self.client, self.gateway.clone());
    }
}

/// Serves requests until the connection is closed, upgraded, rests, or is idle while the worker ends; whether it rests.
async fn until_rest<S>(
    connection: UpgradeableConnection<TokioIo<Lent<Watched<ClientStream>>>, S>,
    framing: &Framing,
    mut stopping: watch::Receiver<bool>,
) -> Result<bool, hyper::Error>
where
    S: HttpService<Incoming, ResBody = Counted, Error = Infallible>,
{
    tokio::pin!(connection);
    loop {
        tokio::select! {
            ended = connection.as_mut() => return ended.map(|()| false),
            _ = stopping.wait_for(|stopping| *stopping) => break,
            () = sleep(LOOK) => {
                if framing.rests() {
                    return Ok(true);
                }
            }
        }
    }
    // The answer to the next request says `close`; only a connection without one is closed unasked.
    tokio::select! {
        ended = connection.as_mut() => return ended.map(|()| false),
        () = sleep(LAST_CALL) => connection.as_mut().graceful_shutdown(),
    }
    connection.await.map(|()| false)
}

/// The body of an answer, which is counted as done when it is dropped.
struct Counted {
    body: proxy::Answer,
    framing: Arc<Framing>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.framing.answered();
    }
}

impl Body for Counted {
    type Data = <proxy::Answer as Body>::Data;
    type Error = <proxy::Answer as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
