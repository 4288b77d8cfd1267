//! Requests that go another way than plain HTTP/1.1.

use std::convert::Infallible;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::COOKIE;
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use xtask::load::{Load, Numbers, Settings, Shape, Way};

/// Longer than any of this takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);
const REQUESTS: u64 = 200;

/// What a server saw.
#[derive(Default)]
struct Seen {
    http2: AtomicU64,
    with_cookie: AtomicU64,
    connections: AtomicU64,
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    (listener, address)
}

/// A server that gives each client a cookie, in either version of HTTP.
fn server(http2: bool) -> (SocketAddr, Arc<Seen>) {
    let (listener, address) = listener();
    listener.set_nonblocking(true).expect("a socket that tokio takes");
    let seen = Arc::new(Seen::default());
    let counting = seen.clone();
    let serve = async move {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a runtime is here");
        while let Ok((stream, _)) = listener.accept().await {
            counting.connections.fetch_add(1, Ordering::SeqCst);
            let counting = counting.clone();
            let service = service_fn(move |request| answer(request, counting.clone()));
            if http2 {
                let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
            } else {
                let server = hyper::server::conn::http1::Builder::new();
                tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
            }
        }
    };
    std::thread::spawn(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(serve)
    });
    (address, seen)
}

async fn answer(request: Request<Incoming>, seen: Arc<Seen>) -> Result<Response<Full<Bytes>>, Infallible> {
    seen.http2.fetch_add(u64::from(request.version() == Version::HTTP_2), Ordering::SeqCst);
    let known = request.headers().get(COOKIE).is_some_and(|cookie| cookie == "client=1");
    seen.with_cookie.fetch_add(u64::from(known), Ordering::SeqCst);
    let answer = Response::builder().header("set-cookie", "client=1; Path=/");
    Ok(answer.body(Full::new(Bytes::from_static(b"{}"))).expect("a plain answer"))
}

fn send(target: SocketAddr, way: Way) -> Numbers {
    let settings = Settings {
        rate: 400,
        connections: 4,
        fresh_every: 0,
        way,
        ..Settings::new(target, vec![Shape::get("/echo")])
    };
    let load = Load::start(settings, "all").expect("good settings");
    assert!(load.wait_until_sent(REQUESTS, DEADLINE));
    load.stop().expect("a load that did not break down").total
}

#[test]
fn http2_goes_over_one_connection_for_each_client() {
    let (address, seen) = server(true);
    let told = send(address, Way::Http2);
    assert_eq!((told.failed, told.succeeded), (0, told.sent), "{told:?}");
    assert_eq!(seen.http2.load(Ordering::SeqCst), told.sent);
    assert_eq!(seen.connections.load(Ordering::SeqCst), 4);
}

#[test]
fn each_client_sends_the_cookie_that_it_was_given() {
    let (address, seen) = server(false);
    let told = send(address, Way::Sticky);
    assert_eq!(told.failed, 0, "{told:?}");
    // A client that has not heard its first answer yet has none.
    let with = seen.with_cookie.load(Ordering::SeqCst);
    assert!(with > told.sent / 2 && with < told.sent, "{with} of {}", told.sent);
    let (address, seen) = server(false);
    assert_eq!(send(address, Way::Plain).failed, 0);
    assert_eq!(seen.with_cookie.load(Ordering::SeqCst), 0, "who keeps nothing sends nothing");
}

/// How a server of WebSockets ends each after some messages.
#[derive(Clone, Copy)]
enum End {
    /// By agreement: what came before the answer to its goodbye is still echoed.
    Agreed,
    /// Without a word, after a message it did not echo.
    Broken,
}

/// A server of WebSockets that ends each after ten messages.
fn sockets(end: End) -> SocketAddr {
    let (listener, address) = listener();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || echo(&stream, end));
        }
    });
    address
}

fn echo(mut stream: &TcpStream, end: End) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line)?;
    }
    stream.write_all(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    )?;
    for number in 1.. {
        let mut head = [0; 6];
        reader.read_exact(&mut head)?;
        let mut text = vec![0; usize::from(head[1] & 0x7f)];
        reader.read_exact(&mut text)?;
        if head[0] == 0x88 || (number == 10 && matches!(end, End::Broken)) {
            break;
        }
        if number == 10 {
            stream.write_all(&[0x88, 2, 3, 0xe9])?;
        }
        stream.write_all(&[&[head[0], head[1] & 0x7f], text.as_slice()].concat())?;
    }
    Ok(())
}

#[test]
fn a_websocket_that_ends_by_agreement_loses_no_message() {
    let told = send(sockets(End::Agreed), Way::WebSocket);
    assert_eq!((told.failed, told.succeeded), (0, told.sent), "{told:?}");
    assert!(told.reconnected >= told.sent / 10 - 4, "{told:?}");
}

#[test]
fn a_websocket_that_breaks_off_fails_what_it_did_not_echo() {
    let told = send(sockets(End::Broken), Way::WebSocket);
    assert!(told.failed >= told.sent / 10 - 4 && told.failed < told.sent / 5, "{told:?}");
    assert_eq!(told.failed + told.succeeded, told.sent, "{told:?}");
}
