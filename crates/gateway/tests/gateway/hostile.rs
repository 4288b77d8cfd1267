//! Backends that answer wrongly, half, too much, or never: their client gets an error or an end, all others an answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::StatusCode;
use seaworthy_gateway::route::{Backend, RouteSet};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::rig::{PATIENCE, Rig, free_address, get, raw, set, until};

/// What a well-behaved answer says.
const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";
/// What must never be anybody's answer.
const SMUGGLED: &str = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nsmuggled";

/// What a backend does once it has read a head.
#[derive(Clone)]
enum Act {
    /// Says this and goes on to the next request.
    Say(String),
    /// Says this, and that some time later.
    SayLate(String, String),
    /// Says this over and over, as long as anybody takes it.
    Flood(String, String),
    /// Says this and closes the connection.
    Close(String),
    /// Says this and resets the connection.
    Reset(String),
    /// Says nothing and reads nothing more.
    Stand,
}

/// A backend in this process: `/fine` is answered well, any other path as it is told.
struct Hostile {
    address: SocketAddr,
    /// Bytes that were taken off it.
    said: Arc<AtomicU64>,
    _connections: JoinSet<()>,
}

impl Hostile {
    async fn start(act: Act) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, said) = (listener.local_addr().unwrap(), Arc::<AtomicU64>::default());
        let (mut all, counted) = (JoinSet::new(), said.clone());
        all.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(talk(stream, act.clone(), counted.clone()));
            }
        });
        Self { address, said, _connections: all }
    }

    fn set(&self, listen: SocketAddr) -> RouteSet {
        let mut set = set(listen, &[]);
        let route = &mut set.routes[0];
        // It is to stay, however it behaves.
        (route.probe, route.balancing.ejection.after, route.balancing.wait_ms) = (None, 0, 10_000);
        route.backends = vec![Backend { id: "hostile".to_owned(), address: self.address }];
        set
    }
}

async fn talk(mut stream: TcpStream, act: Act, said: Arc<AtomicU64>) {
    let _ = stream.set_nodelay(true);
    let mut head = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => head.extend_from_slice(&buffer[..count]),
        }
        let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let fine = head.starts_with(b"GET /fine");
        head.drain(..end + 4);
        let done = if fine {
            stream.write_all(FINE.as_bytes()).await
        } else {
            behave(&mut stream, &act, &said).await
        };
        if done.is_err() {
            return;
        }
    }
}

async fn behave(stream: &mut TcpStream, act: &Act, said: &AtomicU64) -> std::io::Result<()> {
    let over = || Err(std::io::ErrorKind::ConnectionAborted.into());
    match act {
        Act::Say(text) => stream.write_all(text.as_bytes()).await,
        Act::SayLate(text, late) => {
            stream.write_all(text.as_bytes()).await?;
            sleep(Duration::from_millis(100)).await;
            stream.write_all(late.as_bytes()).await
        }
        Act::Flood(first, again) => {
            stream.write_all(first.as_bytes()).await?;
            let many = again.repeat(1 + 4096 / again.len());
            loop {
                stream.write_all(many.as_bytes()).await?;
                said.fetch_add(many.len() as u64, Ordering::SeqCst);
            }
        }
        Act::Close(text) => {
            stream.write_all(text.as_bytes()).await?;
            stream.shutdown().await?;
            over()
        }
        Act::Reset(text) => {
            stream.write_all(text.as_bytes()).await?;
            // What was said is read before the reset takes it away.
            sleep(Duration::from_millis(100)).await;
            rustix::net::sockopt::set_socket_linger(&*stream, Some(Duration::ZERO))?;
            over()
        }
        Act::Stand => std::future::pending().await,
    }
}

/// Others are served well, nothing is in flight, and the worker is the same.
async fn all_is_well(rig: &Rig, listen: SocketAddr, worker: u32, what: &str) {
    for _ in 0..3 {
        let answer = get(listen, "GET", "/fine").await;
        assert_eq!((answer.status(), answer.body().as_ref()), (StatusCode::OK, &b"fine"[..]), "after {what}");
    }
    until(|| async {
        let status = rig.client.status().await.unwrap();
        assert_eq!(status.process, worker, "the same worker after {what}");
        status.projects.iter().flat_map(|project| &project.backends).all(|backend| backend.in_flight == 0)
    })
    .await;
}

const ASKED: &str = "GET /wrong HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_is_told_as_502() {
    let (rig, listen) = (Rig::start().await, free_address());
    let (many, long) = ("x: y\r\n".repeat(300), "y".repeat(1 << 20));
    let ok = "HTTP/1.1 200 OK\r\n";
    let say = |text: &str| Act::Say(text.to_owned());
    let close = |text: &str| Act::Close(text.to_owned());
    let flood = |first: &str, again: &str| Act::Flood(first.to_owned(), again.to_owned());
    let cases = [
        ("another protocol", say("SSH-2.0-OpenSSH_9.9\r\n")),
        ("a body without a head", close("<html>hello</html>")),
        ("nothing", close("")),
        ("a reset", Act::Reset(String::new())),
        ("half a head", close(&format!("{ok}content-le"))),
        ("another version", say("HTTP/3.0 200 OK\r\n\r\n")),
        ("no status", say("HTTP/1.1 OK\r\n\r\n")),
        ("a status of four digits", say("HTTP/1.1 2000 OK\r\n\r\n")),
        ("a NUL", say(&format!("{ok}x: a\0b\r\n\r\n"))),
        ("a folded line", say(&format!("{ok}x: a\r\n b\r\ncontent-length: 0\r\n\r\n"))),
        ("a space before the colon", say(&format!("{ok}content-length : 0\r\n\r\n"))),
        ("two lengths", say(&format!("{ok}content-length: 4\r\ncontent-length: 5\r\n\r\nabcde"))),
        ("a length that is none", say(&format!("{ok}content-length: -1\r\n\r\n"))),
        ("a length with a sign", say(&format!("{ok}content-length: +4\r\n\r\nabcd"))),
        ("a length that is too long", say(&format!("{ok}content-length: 99999999999999999999999\r\n\r\n"))),
        ("three hundred headers", say(&format!("{ok}{many}\r\n"))),
        ("a header of a megabyte", say(&format!("{ok}x: {long}\r\n\r\n"))),
        (
            "a switch unasked",
            say("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
        ),
        ("a head without end", flood(ok, "x: y\r\n")),
        ("a line without end", flood(&format!("{ok}x: "), "y")),
        ("interim answers without end", flood("", "HTTP/1.1 100 Continue\r\n\r\n")),
        ("hints without end", flood("", "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")),
    ];
    for (what, act) in cases {
        let hostile = Hostile::start(act).await;
        rig.client.put("shop", &hostile.set(listen)).await.unwrap();
        let worker = rig.client.status().await.unwrap().process;
        let answer = raw(listen, ASKED, "\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 502 "), "{what}: {answer}");
        all_is_well(&rig, listen, worker, what).await;
        let said = hostile.said.load(Ordering::SeqCst);
        assert!(said < 64 << 20, "{what}: {said} bytes were taken");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_is_not_taken_for_whole() {
    let (rig, listen) = (Rig::start().await, free_address());
    let length = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    let with = |rest: &str| format!("{chunked}{rest}");
    let cases = [
        ("a close before the length", Act::Close(length.to_owned())),
        ("a reset before the length", Act::Reset(length.to_owned())),
        ("a close before the last chunk", Act::Close(chunked.to_owned())),
        ("a reset before the last chunk", Act::Reset(chunked.to_owned())),
        ("a close within a chunk", Act::Close(with("8\r\nhalf"))),
        ("a chunk that is none", Act::Say(with("zz\r\n"))),
        ("a chunk of all there is", Act::Say(with("ffffffffffffffffff\r\nx"))),
        ("a chunk without its end", Act::Say(with("1\r\nxyz\r\n0\r\n\r\n"))),
        ("an extension without end", Act::Flood(with("4;"), "x".to_owned())),
        ("trailers without end", Act::Flood(with("0\r\n"), "x: y\r\n".to_owned())),
    ];
    for (what, act) in cases {
        let hostile = Hostile::start(act).await;
        rig.client.put("shop", &hostile.set(listen)).await.unwrap();
        let worker = rig.client.status().await.unwrap().process;
        // Until its end, as no end of an answer comes.
        let answer = raw(listen, ASKED, "no such text").await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("half"), "{what}: {answer}");
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        let whole = if answer.contains("content-length: 10") {
            body.len() == 10
        } else {
            body.ends_with("0\r\n\r\n")
        };
        assert!(!whole, "{what} is taken for whole: {answer}");
        all_is_well(&rig, listen, worker, what).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_an_answer_is_nobodys_answer() {
    let (rig, listen) = (Rig::start().await, free_address());
    let first = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n";
    let late = |text: &str| Act::SayLate(text.to_owned(), SMUGGLED.to_owned());
    let cases = [
        ("two answers at once", Act::Say(format!("{first}{SMUGGLED}"))),
        ("two chunked ones", Act::Say(format!("{chunked}{SMUGGLED}"))),
        ("a second one later", late(first)),
        ("a chunked one, and one later", late(chunked)),
        ("more than its length", Act::Say(format!("{first}tail"))),
        ("a body where none may be", Act::Say(format!("HTTP/1.1 204 No Content\r\n\r\n{SMUGGLED}"))),
        ("one after nothing has changed", Act::Say(format!("HTTP/1.1 304 Not Modified\r\n\r\n{SMUGGLED}"))),
    ];
    for (what, act) in cases {
        let is_late = matches!(act, Act::SayLate(..));
        let hostile = Hostile::start(act).await;
        rig.client.put("shop", &hostile.set(listen)).await.unwrap();
        let worker = rig.client.status().await.unwrap().process;
        for round in 0..5 {
            let answer = get(listen, "GET", "/wrong").await;
            assert!(matches!(answer.body().as_ref(), b"first" | b""), "{what}: {answer:?}");
            assert!(answer.status().as_u16() < 400, "{what}: {answer:?}");
            // At once, and after a while. What comes later is there then: what came only after the next request was sent
            // could not be told from its answer.
            if round % 2 == 1 || is_late {
                sleep(Duration::from_millis(150)).await;
            }
            let next = get(listen, "GET", "/fine").await;
            assert_eq!(next.body().as_ref(), b"fine", "{what}, round {round}: {next:?}");
        }
        all_is_well(&rig, listen, worker, what).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_and_chunks_together_are_no_answer() {
    let (rig, listen) = (Rig::start().await, free_address());
    let both =
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n";
    let hostile = Hostile::start(Act::Say(both.to_owned())).await;
    rig.client.put("shop", &hostile.set(listen)).await.unwrap();
    let worker = rig.client.status().await.unwrap().process;
    let answer = raw(listen, ASKED, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    all_is_well(&rig, listen, worker, "both").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_reads_no_body_and_never_answers_costs_its_own_client_alone() {
    let (rig, listen) = (Rig::start().await, free_address());
    let hostile = Hostile::start(Act::Stand).await;
    rig.client.put("shop", &hostile.set(listen)).await.unwrap();
    let worker = rig.client.status().await.unwrap().process;
    let mut stream = TcpStream::connect(listen).await.unwrap();
    let head = format!("POST /wrong HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", 90 << 20);
    stream.write_all(head.as_bytes()).await.unwrap();
    let (part, mut taken) = (vec![b'x'; 64 << 10], 0_usize);
    // It stops when nobody takes more of it.
    while let Ok(Ok(())) = timeout(Duration::from_secs(2), stream.write_all(&part)).await {
        taken += part.len();
        assert!(taken < 64 << 20, "{taken} bytes wait in between");
    }
    drop(stream);
    // As nobody takes what the client has sent before its end, that end is not seen: it is waited for as any answer is.
    for _ in 0..3 {
        assert_eq!(get(listen, "GET", "/fine").await.body(), "fine");
    }
    let status = rig.client.status().await.unwrap();
    assert_eq!((status.process, status.projects[0].backends[0].in_flight <= 1), (worker, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_answers_before_it_has_read_the_body_is_heard() {
    let (rig, listen) = (Rig::start().await, free_address());
    let early = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 5\r\nconnection: close\r\n\r\nearly";
    let hostile = Hostile::start(Act::Close(early.to_owned())).await;
    rig.client.put("shop", &hostile.set(listen)).await.unwrap();
    let worker = rig.client.status().await.unwrap().process;
    let mut stream = TcpStream::connect(listen).await.unwrap();
    stream
        .write_all(b"POST /wrong HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\nbegin")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !answer.ends_with(b"early") {
        let count = timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap().unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..count]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 413 "), "{}", String::from_utf8_lossy(&answer));
    drop(stream);
    all_is_well(&rig, listen, worker, "an early answer").await;
}
