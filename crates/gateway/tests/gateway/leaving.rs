//! Clients that leave in the middle of a body that their backend does not read: what was begun for them ends.

use std::convert::Infallible;
use std::fs;
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::Request;
use hyper::body::{Body, Frame};
use hyper_util::rt::{TokioExecutor, TokioIo};
use seaworthy_gateway::route::Backend;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::rig::{PATIENCE, Rig, free_address, set, until};

const PART: usize = 16 << 10;
const PAUSE: Duration = Duration::from_millis(20);

/// A backend that takes connections and reads nothing.
async fn deaf(rig: &Rig, listen: SocketAddr) -> TcpListener {
    let backend = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut wanted = set(listen, &[]);
    wanted.routes[0].probe = None;
    wanted.routes[0].backends = vec![Backend { id: "web-1".into(), address: backend.local_addr().unwrap() }];
    rig.client.put("shop", &wanted).await.unwrap();
    backend
}

async fn in_flight(rig: &Rig) -> u64 {
    rig.client.status().await.unwrap().projects[0].backends[0].in_flight
}

/// Bytes that the system holds for the gateway, which has not read them.
fn unread(listen: SocketAddr, client: SocketAddr) -> u64 {
    let port = |address: &str| u16::from_str_radix(address.rsplit(':').next().unwrap(), 16).unwrap();
    let text = fs::read_to_string("/proc/net/tcp").unwrap();
    let ours = text.lines().skip(1).find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_ours = port(words[1]) == listen.port() && port(words[2]) == client.port();
        is_ours.then(|| u64::from_str_radix(words[4].split(':').nth(1).unwrap(), 16).unwrap())
    });
    ours.unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http_1_its_end_is_heard_though_nobody_reads() {
    let (rig, listen) = (Rig::start().await, free_address());
    let backend = deaf(&rig, listen).await;
    let mut client = TcpStream::connect(listen).await.unwrap();
    let own = client.local_addr().unwrap();
    let head = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", 90 << 20);
    client.write_all(head.as_bytes()).await.unwrap();
    let (_deaf, _) = timeout(PATIENCE, backend.accept()).await.unwrap().unwrap();
    // Until the gateway reads no more, and not so long that its system takes no more either.
    let mut looks = 0;
    while looks < 10 {
        if unread(listen, own) > 0 {
            looks += 1;
        } else {
            looks = 0;
            timeout(PATIENCE, client.write_all(&[b'x'; PART])).await.unwrap().unwrap();
        }
        sleep(if looks > 0 { PAUSE } else { PAUSE / 10 }).await;
    }
    assert_eq!(in_flight(&rig).await, 1);
    drop(client);
    until(|| async { in_flight(&rig).await == 0 }).await;
    let log = || fs::read_to_string(rig.file("access.log")).unwrap_or_default();
    until(|| async { log().contains(r#""status":499"#) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http_2_too() {
    let (rig, listen) = (Rig::start().await, free_address());
    let backend = deaf(&rig, listen).await;
    let stream = TcpStream::connect(listen).await.unwrap().into_std().unwrap();
    // Its own end of the connection, to cut it whatever the client does.
    let cut = stream.try_clone().unwrap();
    let stream = TcpStream::from_std(stream).unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let (parts, body) = mpsc::channel(1);
    let request = Request::post(format!("http://a:{}/", listen.port())).body(Parts(body)).unwrap();
    let answer = tokio::spawn(sender.send_request(request));
    let mut accepted = None;
    // It stops when the windows of both connections are full.
    while let Ok(Ok(())) = timeout(PAUSE * 25, parts.send(Bytes::from(vec![b'x'; PART]))).await {
        if accepted.is_none() {
            accepted = Some(timeout(PATIENCE, backend.accept()).await.unwrap().unwrap());
        }
    }
    assert_eq!(in_flight(&rig).await, 1);
    cut.shutdown(Shutdown::Both).unwrap();
    until(|| async { in_flight(&rig).await == 0 }).await;
    answer.abort();
}

/// A body of parts that come over a channel.
struct Parts(mpsc::Receiver<Bytes>);

impl Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|part| part.map(|part| Ok(Frame::data(part))))
    }
}
