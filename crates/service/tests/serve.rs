//! Serving and stopping, over real connections on the loopback address.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::io;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use seaworthy_service::{Config, Kit, Served, Stop, Values, bind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

const PATIENCE: Duration = Duration::from_secs(10);

struct Service {
    address: std::net::SocketAddr,
    stop: Stop,
    running: JoinHandle<Served>,
}

async fn start(kit: Kit) -> Service {
    let app = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/echo", post(|body: String| async { body }))
        .route("/stuck", get(|| async { std::future::pending::<()>().await }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), Stop::new());
    let running = tokio::spawn(kit.serve(listener, app, stop.clone()));
    Service { address, stop, running }
}

async fn send(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

async fn connect(service: &Service, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    send(&mut stream, text).await;
    stream
}

/// Reads until `end` came, or until the connection ends.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut bytes = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&bytes).ends_with(end) || end.is_empty() {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                break;
            }
        }
    };
    timeout(PATIENCE, reading).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

async fn finished(running: JoinHandle<Served>) -> Served {
    timeout(PATIENCE, running).await.unwrap().unwrap()
}

/// Waits until the service counts `count` requests under way; the one that asks is one of them.
async fn until_in_flight(service: &Service, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    let wanted = format!("http_requests_in_flight {count}\n");
    loop {
        let mut stream =
            connect(service, "GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        if read_until(&mut stream, "").await.contains(&wanted) {
            return;
        }
        assert!(Instant::now() < deadline, "never {wanted}");
    }
}

#[tokio::test]
async fn a_request_under_way_is_finished_after_a_stop() {
    let service = start(Kit::new("notes", "1").linger(Duration::ZERO)).await;
    let mut slow =
        connect(&service, "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nfirst").await;
    until_in_flight(&service, 2).await;
    service.stop.request();
    let refused = async {
        while TcpStream::connect(service.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, refused).await.unwrap();
    assert!(!service.running.is_finished());
    send(&mut slow, "-last").await;
    let answer = read_until(&mut slow, "").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("first-last"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert_eq!(finished(service.running).await, Served { cut_off: 0 });
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_a_stop() {
    let service = start(Kit::new("notes", "1").linger(Duration::ZERO)).await;
    let mut idle = connect(&service, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(read_until(&mut idle, "hello").await.starts_with("HTTP/1.1 200"));
    service.stop.request();
    assert_eq!(finished(service.running).await, Served { cut_off: 0 });
    assert_eq!(read_until(&mut idle, "").await, "");
}

#[tokio::test]
async fn while_lingering_requests_are_still_taken() {
    let service = start(Kit::new("notes", "1").linger(Duration::from_secs(600))).await;
    service.stop.request();
    let mut late = connect(&service, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let answer = read_until(&mut late, "").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    let mut probe = connect(&service, "GET /ready HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(read_until(&mut probe, "").await.starts_with("HTTP/1.1 503"));
    service.stop.insist();
    assert_eq!(finished(service.running).await, Served { cut_off: 0 });
}

#[tokio::test]
async fn what_is_stuck_is_cut_off_when_its_time_is_up() {
    let kit = Kit::new("notes", "1").linger(Duration::ZERO).drain_limit(Duration::from_millis(100));
    let service = start(kit).await;
    let _stuck = connect(&service, "GET /stuck HTTP/1.1\r\nhost: a\r\n\r\n").await;
    until_in_flight(&service, 2).await;
    service.stop.request();
    assert_eq!(finished(service.running).await, Served { cut_off: 1 });
}

#[tokio::test]
async fn insisting_waits_for_nothing() {
    let service = start(Kit::new("notes", "1")).await;
    let _stuck = connect(&service, "GET /stuck HTTP/1.1\r\nhost: a\r\n\r\n").await;
    until_in_flight(&service, 2).await;
    service.stop.insist();
    assert_eq!(finished(service.running).await, Served { cut_off: 1 });
}

#[tokio::test]
async fn no_request_fails_while_a_busy_service_stops() {
    let service = start(Kit::new("notes", "1").linger(Duration::from_millis(300))).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        let (address, stop) = (service.address, service.stop.clone());
        clients.push(tokio::spawn(async move {
            let mut answered = 0;
            while !stop.is_requested() {
                let mut stream = TcpStream::connect(address).await?;
                stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await?;
                let mut answer = String::new();
                stream.read_to_string(&mut answer).await?;
                assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"), "{answer}");
                answered += 1;
            }
            io::Result::Ok(answered)
        }));
    }
    until_in_flight(&service, 1).await;
    service.stop.request();
    for client in clients {
        assert!(client.await.unwrap().unwrap() > 0);
    }
    assert_eq!(finished(service.running).await, Served { cut_off: 0 });
}

#[tokio::test]
async fn a_taken_address_is_named_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let config = Config::load(&Values::new().with("PORT", &port), []).unwrap();
    let message = bind(&config).await.unwrap_err().to_string();
    let expected =
        format!("cannot listen on `127.0.0.1:{port}`; choose a free address with `HOST` and `PORT`");
    assert_eq!(message, expected);
}
