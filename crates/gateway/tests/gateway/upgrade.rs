//! Connections that are upgraded, answers that take long, and bodies that wait to be asked for.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use seaworthy_gateway::route::Backend;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use crate::rig::{Load, PATIENCE, Rig, Server, free_address, set, until};
use crate::swap::{swap_often, told, two_served};

/// On a busy machine fewer swaps are made, so that the test ends in time.
const MOST_SWAPS: u64 = 200;
const LEAST_SWAPS: u64 = 40;
const BUDGET: Duration = Duration::from_secs(15);
pub(crate) const OFFER: &str = "GET /ws HTTP/1.1\r\nhost: shop.example\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\nx-secret: s\r\n\r\n";

/// A connection that is a WebSocket by name; lines are said over it.
pub(crate) struct Socket {
    stream: BufReader<TcpStream>,
    head: String,
}

impl Socket {
    pub(crate) async fn open(address: std::net::SocketAddr, offer: &str) -> io::Result<Self> {
        let mut stream = BufReader::new(TcpStream::connect(address).await?);
        stream.get_mut().write_all(offer.as_bytes()).await?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if timeout(PATIENCE, stream.read_line(&mut head)).await?? == 0 {
                return Err(io::Error::other(format!("ended after {head:?}")));
            }
        }
        Ok(Self { stream, head })
    }

    pub(crate) async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match timeout(PATIENCE, self.stream.read_line(&mut line)).await?? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }

    pub(crate) async fn ask(&mut self, word: &str) -> io::Result<String> {
        self.stream.get_mut().write_all(format!("{word}\n").as_bytes()).await?;
        self.line().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_passes_both_ways_is_counted_and_told() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    // What is said together with the offer, before the other side agreed, is not lost.
    let mut socket = Socket::open(listen, &format!("{OFFER}early\n")).await.unwrap();
    let head = socket.head.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert!(head.contains("connection: upgrade\r\n") && head.contains("upgrade: websocket\r\n"), "{head}");
    assert!(head.contains("sec-websocket-accept: y\r\n") && head.contains("x-request-id: "), "{head}");
    assert!(!head.contains("server:") && !head.contains("content-length"), "{head}");
    assert_eq!(socket.line().await.unwrap(), "web-1 hello", "said together with the agreement");
    assert_eq!(socket.line().await.unwrap(), "web-1 early");
    assert_eq!(socket.ask("word").await.unwrap(), "web-1 word");
    let seen = server.last();
    assert_eq!((seen.header("connection"), seen.header("upgrade")), ("upgrade", "websocket"));
    assert_eq!(seen.header("sec-websocket-key"), "x");
    let in_flight = || async { rig.client.status().await.unwrap().projects[0].backends[0].in_flight };
    assert_eq!(in_flight().await, 1);
    drop(socket);
    until(|| async { in_flight().await == 0 }).await;

    let log = || std::fs::read_to_string(rig.file("access.log")).unwrap_or_default();
    until(|| async { log().lines().count() == 2 }).await;
    let lines: Vec<serde_json::Value> =
        log().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["status"], 101);
    assert_eq!((&lines[1]["protocol"], &lines[1]["backend"]), (&"upgraded".into(), &"web-1".into()));
    assert_eq!(lines[0]["request_id"], lines[1]["request_id"]);
    assert_eq!(lines[1]["bytes_from_client"], "early\nword\n".len());
    assert_eq!(lines[1]["bytes_to_client"], "web-1 hello\nweb-1 early\nweb-1 word\n".len());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_upgrade_that_both_want_is_one() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    for (request, status) in [
        // The backend does not want to: its answer is passed on.
        (OFFER.replace("/ws", "/"), "200"),
        // Not offered for this connection, or an old one, or more than requests would follow.
        (OFFER.replace("keep-alive, Upgrade", "keep-alive"), "400"),
        (OFFER.replace("HTTP/1.1", "HTTP/1.0"), "400"),
        (OFFER.replace("upgrade: websocket", "upgrade: h2c"), "400"),
        (OFFER.replace("upgrade: websocket", "upgrade: websocket, TLS/1.0"), "400"),
        (OFFER.replace("x-secret: s\r\n", "x-secret: s\r\nupgrade: other\r\n"), "400"),
        (OFFER.replace("x-secret: s\r\n", "content-length: 1\r\n") + "x", "400"),
        // The backend agrees to something that nobody offered, or when nothing was offered at all.
        (OFFER.replace("upgrade: websocket", "upgrade: other"), "502"),
        ("GET /ws-unasked HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(), "502"),
    ] {
        let socket = Socket::open(listen, &request).await.unwrap();
        assert!(
            socket.head.starts_with(&format!("HTTP/1.1 {status}"))
                || socket.head.starts_with(&format!("HTTP/1.0 {status}")),
            "{request:?} got {:?}",
            socket.head
        );
        assert!(!socket.head.contains("upgrade"), "{}", socket.head);
        if status == "400" {
            assert_eq!(
                (server.last().header("connection"), server.last().header("upgrade")),
                ("", ""),
                "{request:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn swaps_cut_no_websocket_before_its_time() {
    let begun = Instant::now();
    let (rig, listen) = (Rig::start().await, free_address());
    let mut old = Server::start("0").await;
    rig.client.put("shop", &set(listen, &[&old])).await.unwrap();
    let load = Load::start(listen, 2, 2);
    let mut sockets = Vec::new();
    let mut cut = Vec::new();
    let mut swaps = 0;
    for round in 1..=MOST_SWAPS {
        if round > LEAST_SWAPS && begun.elapsed() > BUDGET {
            break;
        }
        swaps = round;
        for _ in 0..4 {
            let mut socket = Socket::open(listen, OFFER).await.unwrap();
            assert_eq!(socket.line().await.unwrap(), format!("{} hello", old.name));
            sockets.push(socket);
        }
        let new = Server::start(&round.to_string()).await;
        rig.client.put("shop", &set(listen, &[&new])).await.unwrap();
        let (client, ids) = (rig.client.clone(), [old.name.clone()]);
        let drain = tokio::spawn(async move { client.drain("shop", &ids, PATIENCE).await.unwrap() });
        for socket in &mut sockets {
            let answer = socket.ask("still").await;
            if answer.as_ref().is_ok_and(|answer| *answer == format!("{} still", old.name)) {
                continue;
            }
            cut.push(format!("{round}: {answer:?}"));
        }
        assert!(!drain.is_finished(), "it waits for them");
        sockets.clear();
        assert_eq!(drain.await.unwrap(), 0);
        old.kill().await;
        old = new;
    }
    assert_eq!(cut, Vec::<String>::new());
    let (answered, failures, _) = load.stop().await;
    assert_eq!(failures, Vec::<String>::new(), "of {answered}");
    assert!(answered > 2 * swaps, "{answered} requests are no load for {swaps} swaps");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_when_the_time_is_up_is_cut() {
    let (rig, listen) = (Rig::start().await, free_address());
    let (old, new) = (Server::start("old").await, Server::start("new").await);
    rig.client.put("shop", &set(listen, &[&old])).await.unwrap();
    let mut socket = Socket::open(listen, OFFER).await.unwrap();
    socket.line().await.unwrap();
    rig.client.put("shop", &set(listen, &[&new])).await.unwrap();
    let left = rig.client.drain("shop", &["old".to_owned()], Duration::from_millis(100)).await.unwrap();
    assert_eq!(left, 1);
    assert!(socket.line().await.is_err(), "broken off, not ended as if all had been said");
    let log = || std::fs::read_to_string(rig.file("access.log")).unwrap_or_default();
    until(|| async { log().contains(r#""end":"cut""#) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_goodbye_when_the_time_is_up_is_not_cut() {
    let (rig, listen) = (Rig::start().await, free_address());
    let (old, new) = (Server::start("old").await, Server::start("new").await);
    rig.client.put("shop", &set(listen, &[&old])).await.unwrap();
    let mut socket = Socket::open(listen, OFFER).await.unwrap();
    socket.line().await.unwrap();
    rig.client.put("shop", &set(listen, &[&new])).await.unwrap();
    let left = rig.client.drain("shop", &["old".to_owned()], Duration::from_millis(100)).await.unwrap();
    assert_eq!(left, 1);
    assert_eq!(socket.ask("goodbye").await.unwrap(), "old goodbye");
    socket.stream.get_mut().shutdown().await.unwrap();
    assert_eq!(
        socket.line().await.unwrap_err().kind(),
        io::ErrorKind::UnexpectedEof,
        "ended, not broken off"
    );
    let log = || std::fs::read_to_string(rig.file("access.log")).unwrap_or_default();
    until(|| async { log().contains(r#""end":"closed""#) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_told_to_end_waits_for_websockets() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    let mut socket = Socket::open(listen, OFFER).await.unwrap();
    socket.line().await.unwrap();
    let before = rig.signal("work", rustix::process::Signal::TERM).await;
    until(|| async {
        rig.client.status().await.is_ok_and(|status| status.process.to_string() != before.to_string())
    })
    .await;
    assert_eq!(socket.ask("still").await.unwrap(), "web-1 still");
    assert!(rig.processes("work").contains(&before));
    drop(socket);
    until(|| async { !rig.processes("work").contains(&before) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_arrive_as_they_are_sent() {
    let (rig, listen) = (Rig::start().await, free_address());
    let backend = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut wanted = set(listen, &[]);
    wanted.routes[0].probe = None;
    wanted.routes[0].backends = vec![Backend { id: "web-1".into(), address: backend.local_addr().unwrap() }];
    rig.client.put("shop", &wanted).await.unwrap();
    let mut client = TcpStream::connect(listen).await.unwrap();
    client.write_all(b"GET /events HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n\r\n").await.unwrap();
    let mut source = asked(&backend).await;
    source
        .write_all(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
        )
        .await
        .unwrap();
    assert!(heard(&mut client, "\r\n\r\n").await.starts_with("HTTP/1.1 200 "), "the head alone is passed on");
    for number in 0..3 {
        let event = format!("data: {number}\n\n");
        source.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).await.unwrap();
        // The next is sent only once this one came.
        heard(&mut client, &event).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_asked_for_when_the_backend_asks() {
    let (_rig, backend, mut client) = expecting().await;
    let mut source = asked(&backend).await;
    source.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
    assert_eq!(heard(&mut client, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"order").await.unwrap();
    heard(&mut source, "order").await;
    source.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    assert!(heard(&mut client, "\r\n\r\n").await.starts_with("HTTP/1.1 201 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_the_backend_refuses_is_never_asked_for() {
    let (_rig, backend, mut client) = expecting().await;
    let mut source = asked(&backend).await;
    source.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 8\r\n\r\ntoo ").await.unwrap();
    let answer = heard(&mut client, "too ").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "no 100 before: {answer:?}");
    source.write_all(b"long").await.unwrap();
    heard(&mut client, "long").await;
    // Both connections are of no more use: whether the body still comes cannot be known.
    for side in [&mut source, &mut client] {
        let mut rest = String::new();
        let _ = timeout(PATIENCE, side.read_to_string(&mut rest)).await.expect("an end in time");
        assert_eq!(rest, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_never_asks_gets_the_body_all_the_same() {
    let (_rig, backend, mut client) = expecting().await;
    let mut source = asked(&backend).await;
    assert!(heard(&mut client, "\r\n\r\n").await.starts_with("HTTP/1.1 100 "));
    client.write_all(b"order").await.unwrap();
    heard(&mut source, "order").await;
}

/// A client that waits to be asked for its body, and the backend it is sent to.
async fn expecting() -> (Rig, TcpListener, TcpStream) {
    let (rig, listen) = (Rig::start().await, free_address());
    let backend = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut wanted = set(listen, &[]);
    wanted.routes[0].probe = None;
    wanted.routes[0].backends = vec![Backend { id: "web-1".into(), address: backend.local_addr().unwrap() }];
    rig.client.put("shop", &wanted).await.unwrap();
    let mut client = TcpStream::connect(listen).await.unwrap();
    client
        .write_all(b"PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n")
        .await
        .unwrap();
    (rig, backend, client)
}

/// The connection on which a request came, which is read to the end of its head; others are probes.
async fn asked(backend: &TcpListener) -> TcpStream {
    loop {
        let (mut stream, _) = backend.accept().await.unwrap();
        let mut head = Vec::new();
        let read = async {
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { return false };
                head.push(byte);
            }
            true
        };
        if timeout(PATIENCE, read).await.unwrap() {
            return stream;
        }
    }
}

async fn heard(client: &mut TcpStream, wanted: &str) -> String {
    let mut text = String::new();
    while !text.contains(wanted) {
        let byte = timeout(PATIENCE, client.read_u8()).await.expect("it comes at once").unwrap();
        text.push(char::from(byte));
    }
    text
}

/// Says a few words over one connection after the other, and hears each of them again from the backend that agreed.
async fn chat(address: std::net::SocketAddr, stop: Arc<AtomicBool>, sessions: Arc<AtomicU64>) -> Vec<String> {
    let mut failures = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let talked = async {
            let mut socket = Socket::open(address, OFFER).await?;
            let hello = socket.line().await?;
            let name = hello.split(' ').next().unwrap_or_default().to_owned();
            for word in ["one", "two", "three"] {
                let heard = socket.ask(word).await?;
                if heard != format!("{name} {word}") {
                    return Err(io::Error::other(format!("{heard} after {hello}")));
                }
            }
            Ok(())
        };
        match talked.await {
            Ok(()) => _ = sessions.fetch_add(1, Ordering::SeqCst),
            Err(error) => failures.push(error.to_string()),
        }
    }
    failures
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_swaps_cut_no_websocket_that_is_drained_and_leak_nothing() {
    let (rig, listen) = (Rig::start().await, free_address());
    let old = two_served(&rig, listen).await;
    let (stop, sessions) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
    let clients: tokio::task::JoinSet<_> =
        (0..4).map(|_| chat(listen, stop.clone(), sessions.clone())).collect();
    let (swaps, _last) = swap_often(&rig, listen, old).await;
    stop.store(true, Ordering::SeqCst);
    let failures = clients.join_all().await.concat();
    let sessions = sessions.load(Ordering::SeqCst);
    assert_eq!(failures, Vec::<String>::new(), "of {sessions}: {}", told(&rig));
    assert!(sessions > swaps as u64, "{sessions} sessions are no load for {swaps} swaps");
}
