//! What happens to the head of a request and of an answer, and what is refused.

use std::net::SocketAddr;

use crate::rig::{Rig, Server, free_address, raw, set, until};

async fn served() -> (Rig, SocketAddr, Server) {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    (rig, listen, server)
}

async fn ask(listen: SocketAddr, lines: &str) -> String {
    raw(listen, &format!("{lines}\r\n\r\n"), "web-1").await
}

#[tokio::test(flavor = "multi_thread")]
async fn hop_by_hop_headers_stay_on_their_hop() {
    let (_rig, listen, server) = served().await;
    let answer = ask(
        listen,
        "GET /hops HTTP/1.1\r\nhost: shop.example:8080\r\nconnection: close, x-secret\r\nx-secret: 1\r\n\
         keep-alive: 5\r\nproxy-authorization: Basic eDp5\r\nte: trailers\r\nx-mine: 2",
    )
    .await;
    let seen = server.last();
    for gone in ["connection", "x-secret", "keep-alive", "proxy-authorization", "te", "upgrade"] {
        assert_eq!(seen.header(gone), "", "{gone}");
    }
    assert_eq!((seen.header("x-mine"), seen.header("host")), ("2", "shop.example:8080"));
    assert!(answer.contains("x-own: kept"), "{answer}");
    for gone in ["x-hop", "keep-alive", "server:"] {
        assert!(!answer.contains(gone), "{gone} in {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_is_told_who_asked_and_how() {
    let (_rig, listen, server) = served().await;
    ask(listen, "GET / HTTP/1.1\r\nhost: Shop.example:8080\r\nx-forwarded-for: 192.0.2.1\r\nx-forwarded-for: 192.0.2.2\r\nx-forwarded-proto: https").await;
    let seen = server.last();
    assert_eq!(seen.header("x-forwarded-for"), "127.0.0.1");
    assert_eq!(seen.header("x-forwarded-proto"), "http");
    assert_eq!(seen.header("x-forwarded-host"), "Shop.example:8080");
    assert_eq!(seen.headers.get_all("x-forwarded-for").iter().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_of_an_absolute_target_is_the_host() {
    let (_rig, listen, server) = served().await;
    ask(listen, "GET http://shop.example:81/a?b HTTP/1.1\r\nhost: evil.example").await;
    let seen = server.last();
    assert_eq!((seen.target.as_str(), seen.header("host")), ("/a?b", "shop.example:81"));
    assert_eq!(seen.header("x-forwarded-host"), "shop.example:81");
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_passed_on_when_they_are_well_formed_and_made_when_not() {
    let (rig, listen, server) = served().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let answer = ask(listen, &format!("GET /x?token=secret HTTP/1.1\r\nhost: a\r\nx-request-id: order-7\r\ntraceparent: 00-{trace}-00f067aa0ba902b7-01\r\ntracestate: a=b")).await;
    let seen = server.last();
    assert_eq!(seen.header("x-request-id"), "order-7");
    assert_eq!(seen.header("traceparent"), format!("00-{trace}-00f067aa0ba902b7-01"));
    assert_eq!(seen.header("tracestate"), "a=b");
    assert!(answer.contains("x-request-id: order-7"), "{answer}");

    let long = "x".repeat(129);
    for bad in [long.as_str(), "a b", "", "a\"b"] {
        ask(listen, &format!("GET / HTTP/1.1\r\nhost: a\r\nx-request-id: {bad}\r\ntraceparent: 00-zz-1-01\r\ntracestate: a=b")).await;
        let seen = server.last();
        assert_eq!(seen.header("x-request-id").len(), 32, "instead of {bad}");
        assert_eq!(seen.header("traceparent").len(), 55);
        assert_eq!(seen.header("tracestate"), "", "it belongs to a trace that was not taken over");
    }
    let log = || std::fs::read_to_string(rig.file("access.log")).unwrap_or_default();
    until(|| async { log().lines().count() == 5 }).await;
    let first: serde_json::Value = serde_json::from_str(log().lines().next().unwrap()).unwrap();
    assert_eq!((&first["request_id"], &first["trace_id"]), (&"order-7".into(), &trace.into()));
    assert_eq!((&first["path"], &first["status"], &first["bytes"]), (&"/x".into(), &200.into(), &5.into()));
    assert_eq!(
        (&first["project"], &first["route"], &first["backend"]),
        (&"shop".into(), &"web".into(), &"web-1".into())
    );
    assert!(!log().contains("secret"), "no query in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ambiguous_or_malformed_is_refused() {
    let (_rig, listen, server) = served().await;
    for (request, status) in [
        ("GET / HTTP/1.1", "400"),
        ("GET / HTTP/1.1\r\nhost: a\r\nhost: b", "400"),
        ("GET / HTTP/1.1\r\nhost: a b", "400"),
        ("GET / HTTP/1.1\r\nhost: user@a", "400"),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4", "400"),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +3", "400"),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked", "400"),
        ("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\nContent-Length: 3", "400"),
        ("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, gzip", "400"),
        ("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked", "501"),
        ("GET / HTTP/1.1\r\nhost: a\r\nx y: 1", "400"),
        ("CONNECT a:443 HTTP/1.1\r\nhost: a:443", "501"),
    ] {
        let answer = raw(listen, &format!("{request}\r\n\r\n"), "\r\n\r\n").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request:?} got {answer:?}");
    }
    let many = (0..200).map(|number| format!("\r\nx-{number}: 1")).collect::<String>();
    let long = format!("\r\nx-long: {}", "x".repeat(100_000));
    for head in [many, long] {
        let answer = raw(listen, &format!("GET / HTTP/1.1\r\nhost: a{head}\r\n\r\n"), "\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 431") || answer.is_empty(), "{answer}");
    }
    assert_eq!(server.arrived(), 0, "none of them reached the backend");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_that_may_be_ignored_is() {
    let (_rig, listen, server) = served().await;
    let answer =
        ask(listen, "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AA").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!((server.last().header("upgrade"), server.last().header("http2-settings")), ("", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn chunked_bodies_arrive_whole_and_the_connection_serves_the_next() {
    let (_rig, listen, server) = served().await;
    let chunked =
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    // A body may look like a head; that is nothing ambiguous.
    let tricky = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1a\r\nx\r\nContent-Length: 5\r\n\r\nab\r\n0\r\n\r\n";
    let last = "GET /last HTTP/1.0\r\nhost: a\r\n\r\n";
    let answers = raw(listen, &format!("{chunked}{chunked}{tricky}{last}"), "no such text").await;
    assert_eq!(answers.matches("web-1").count(), 4, "{answers}");
    let bodies: Vec<_> = server.seen().into_iter().map(|seen| (seen.method, seen.body.len())).collect();
    let expected = [("POST", 5), ("POST", 5), ("POST", 26), ("GET", 0)];
    assert_eq!(bodies, expected.map(|(method, length)| (method.to_owned(), length)));
}
