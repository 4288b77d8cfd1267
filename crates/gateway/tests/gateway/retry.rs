//! A request is sent again only where that is safe.

use hyper::StatusCode;
use hyper::body::Bytes;
use tokio::net::TcpListener;

use crate::rig::{Rig, Server, free_address, get, raw, set, until};
use seaworthy_gateway::route::{Backend, Balance};

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_backend_costs_no_request_is_ejected_and_comes_back() {
    let (rig, listen) = (Rig::start().await, free_address());
    let (alive, mut dead) = (Server::start("alive").await, Server::start("dead").await);
    rig.client.put("shop", &set(listen, &[&alive, &dead])).await.unwrap();
    let address = dead.address;
    dead.kill().await;
    for method in ["GET", "POST", "GET", "POST", "GET", "POST"] {
        // No byte was sent to the dead one, so even a POST goes elsewhere.
        let answer = get(listen, method, "/").await;
        assert_eq!((answer.status(), answer.body().as_ref()), (StatusCode::OK, &b"alive"[..]));
    }
    until(|| async { !well(&rig, "dead").await }).await;
    assert!(rig.client.metrics().await.unwrap().contains("seaworthy_gateway_retries_total{"));

    let back = Server::start_at("dead", address).await;
    until(|| async { well(&rig, "dead").await }).await;
    until(|| async { get(listen, "GET", "/").await.body() == "dead" }).await;
    assert!(back.arrived() > 0);
    let log = std::fs::read_to_string(rig.file("gateway.log")).unwrap();
    assert_eq!(log.matches("gets no requests").count(), 1, "only flips are told: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_repeated_only_when_it_may_be() {
    let (rig, listen) = (Rig::start().await, free_address());
    let (first, second) = (Server::start("first").await, Server::start("second").await);
    rig.client.put("shop", &set(listen, &[&first, &second])).await.unwrap();
    let arrived = || first.arrived() + second.arrived();

    assert_eq!(get(listen, "POST", "/rude").await.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(arrived(), 1, "a POST that may have been carried out is not sent again");
    assert_eq!(get(listen, "GET", "/rude").await.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(arrived(), 3, "a GET is sent again once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_body_is_sent_again_and_a_long_one_is_not() {
    let (rig, listen) = (Rig::start().await, free_address());
    let (first, second) = (Server::start("first").await, Server::start("second").await);
    rig.client.put("shop", &set(listen, &[&first, &second])).await.unwrap();
    let put = |length: usize| {
        let body = "x".repeat(length);
        format!(
            "PUT /rude-once HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    // Each of the two is rude the first time it is asked.
    let answer = raw(listen, &put(1000), "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 502"), "both were rude: {answer}");
    assert_eq!((first.arrived(), second.arrived()), (1, 1));
    assert_eq!((first.last().body.len(), second.last().body.len()), (1000, 1000));

    let third = Server::start("third").await;
    rig.client.put("shop", &set(listen, &[&third, &first])).await.unwrap();
    until(|| async {
        let answer = raw(listen, &put(70_000), "\r\n\r\n").await;
        third.arrived() > 0 && answer.starts_with("HTTP/1.1 502")
    })
    .await;
    assert_eq!(third.arrived(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_closes_idle_connections_fails_no_request() {
    let (rig, listen) = (Rig::start().await, free_address());
    let closing = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut wanted = set(listen, &[]);
    wanted.routes[0].backends =
        vec![Backend { id: "closing".into(), address: closing.local_addr().unwrap() }];
    wanted.routes[0].probe = None;
    rig.client.put("shop", &wanted).await.unwrap();
    let server = tokio::spawn(close_after_each_answer(closing));
    for number in 0..100 {
        let method = if number % 2 == 0 { "GET" } else { "POST" };
        assert_eq!(get(listen, method, "/").await.status(), StatusCode::OK, "{method} number {number}");
    }
    server.abort();
}

/// Says that it keeps the connection, and closes it.
async fn close_after_each_answer(listener: TcpListener) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    loop {
        let Ok((mut stream, _)) = listener.accept().await else { return };
        tokio::spawn(async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => return,
                }
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_to_ask_is_said_with_a_time_to_come_back() {
    let (rig, listen) = (Rig::start().await, free_address());
    rig.client.put("shop", &set(listen, &[])).await.unwrap();
    let answer = get(listen, "GET", "/").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(answer.body(), &Bytes::new());

    let sick = Server::start("sick").await;
    sick.sick(true);
    let mut wanted = set(listen, &[&sick]);
    wanted.routes[0].balance = Balance::LeastConnections;
    rig.client.put("shop", &wanted).await.unwrap();
    until(|| async { !well(&rig, "sick").await }).await;
    assert_eq!(get(listen, "GET", "/").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    sick.sick(false);
    until(|| async { get(listen, "GET", "/").await.status() == StatusCode::OK }).await;
}

pub(crate) async fn well(rig: &Rig, id: &str) -> bool {
    let status = rig.client.status().await.unwrap();
    status
        .projects
        .iter()
        .flat_map(|project| &project.backends)
        .any(|backend| backend.id == id && backend.well)
}
