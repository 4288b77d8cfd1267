//! A steady load of clients that keep their connection and clients that do not; counts what failed.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// A request that takes longer counts as failed.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

type Sender = SendRequest<Full<Bytes>>;

#[derive(Default)]
struct Counts {
    done: AtomicBool,
    answered: AtomicU64,
    failures: Mutex<Vec<String>>,
    longest_ms: AtomicU64,
}

/// Clients at work.
pub(crate) struct Load {
    counts: Arc<Counts>,
    clients: JoinSet<()>,
}

impl Load {
    /// Starts that many clients of each kind; every third request of each is a POST.
    pub(crate) fn start(address: SocketAddr, keeping: usize, fresh: usize) -> Self {
        let counts = Arc::new(Counts::default());
        let mut clients = JoinSet::new();
        for number in 0..keeping + fresh {
            clients.spawn(work(address, number < keeping, counts.clone()));
        }
        Self { counts, clients }
    }

    pub(crate) fn answered(&self) -> u64 {
        self.counts.answered.load(Ordering::SeqCst)
    }

    /// Ends the load: the number of answers, what failed, the longest time a request took.
    pub(crate) async fn stop(mut self) -> (u64, Vec<String>, Duration) {
        self.counts.done.store(true, Ordering::SeqCst);
        while self.clients.join_next().await.is_some() {}
        let failures = self.counts.failures.lock().unwrap().clone();
        (self.answered(), failures, Duration::from_millis(self.counts.longest_ms.load(Ordering::SeqCst)))
    }
}

async fn work(address: SocketAddr, keep: bool, counts: Arc<Counts>) {
    let mut kept: Option<Sender> = None;
    let mut number = 0_u64;
    while !counts.done.load(Ordering::SeqCst) {
        number += 1;
        let began = Instant::now();
        let asked = ask(address, &mut kept, keep, number.is_multiple_of(3));
        let result = timeout(ANSWER_LIMIT, asked).await.unwrap_or_else(|_| Err("no answer in time".into()));
        let took = u64::try_from(began.elapsed().as_millis()).unwrap();
        counts.longest_ms.fetch_max(took, Ordering::SeqCst);
        match result {
            Ok(()) => {
                counts.answered.fetch_add(1, Ordering::SeqCst);
            }
            Err(failure) => {
                kept = None;
                counts.failures.lock().unwrap().push(failure);
            }
        }
    }
}

async fn ask(address: SocketAddr, kept: &mut Option<Sender>, keep: bool, post: bool) -> Result<(), String> {
    let mut request = request(post);
    loop {
        // A connection that the gateway closed while it was idle is no failure: nothing was sent on it.
        let mut sender = match kept.take().filter(|sender| !sender.is_closed()) {
            Some(mut sender) => match sender.ready().await {
                Ok(()) => sender,
                Err(_) => connect(address).await?,
            },
            None => connect(address).await?,
        };
        match sender.try_send_request(request).await {
            Ok(answer) => {
                let status = answer.status();
                let body = answer.into_body().collect().await.map_err(|error| format!("body: {error:?}"))?;
                if status != StatusCode::OK || body.to_bytes().is_empty() {
                    return Err(format!("status {status}"));
                }
                if keep {
                    *kept = Some(sender);
                }
                return Ok(());
            }
            Err(mut error) => match error.take_message() {
                Some(unsent) => request = unsent,
                None => return Err(format!("{:?}", error.into_error())),
            },
        }
    }
}

fn request(post: bool) -> Request<Full<Bytes>> {
    let builder = Request::builder().uri("/").header("host", "shop.example");
    if post {
        builder.method("POST").body(Full::from("order")).unwrap()
    } else {
        builder.body(Full::default()).unwrap()
    }
}

async fn connect(address: SocketAddr) -> Result<Sender, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| format!("connect: {error}"))?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    Ok(sender)
}

/// One request on a connection of its own, without a body: status and body of the answer.
pub(crate) async fn get(address: SocketAddr, method: &str, target: &str) -> Response<Bytes> {
    let request = Request::builder().method(method).uri(target).header("host", "shop.example");
    let request = request.body(Full::<Bytes>::default()).unwrap();
    let mut sender = connect(address).await.unwrap();
    let answer = timeout(ANSWER_LIMIT * 3, sender.send_request(request)).await.unwrap().unwrap();
    let (parts, body) = answer.into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}
