//! Clients that are counted, and shared with another route, over the wire.

use hyper::Method;
use seaworthy_gateway::route::{Canary, Route, RouteSet, Site};

use crate::rig::{Rig, Server, free_address, raw, route, until};
use crate::site::over_http2;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_has_so_many_requests_at_a_time() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    let site = Site { max_per_client: Some(2), ..Site::default() };
    let routes = vec![Route { site, ..route("web", listen, &[&server]) }];
    rig.client.put("shop", &RouteSet { routes: routes.clone() }).await.unwrap();
    let held = "GET /held HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let one = tokio::spawn(raw(listen, held, "no such text"));
    let two = tokio::spawn(over_http2(listen, Method::GET, "/held", &[]));
    until(|| async { server.arrived() == 2 }).await;
    let again = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    for _ in 0..2 {
        let answer = raw(listen, again, "no such text").await;
        assert!(answer.starts_with("HTTP/1.1 429 ") && answer.contains("retry-after: 1\r\n"), "{answer}");
        // Another set goes on counting.
        rig.client.put("shop", &RouteSet { routes: routes.clone() }).await.unwrap();
    }
    server.release();
    until(|| async { raw(listen, again, "no such text").await.starts_with("HTTP/1.1 200 ") }).await;
    server.release();
    assert!(one.await.unwrap().starts_with("HTTP/1.1 200 "));
    assert_eq!(two.await.unwrap().status().as_u16(), 200);
    for _ in 0..5 {
        assert!(
            raw(listen, again, "no such text").await.starts_with("HTTP/1.1 200 "),
            "all seats are free again"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_the_clients_goes_to_another_route_and_stays_there() {
    let (rig, listen) = (Rig::start().await, free_address());
    let (old, new) = (Server::start("old").await, Server::start("new").await);
    let set = |percent: u8, servers: &[&Server]| {
        let site = Site { canary: Some(Canary { route: "next".into(), percent }), ..Site::default() };
        let web = Route { site, ..route("web", listen, &[&old]) };
        let next = Route { host: Some("next.example".into()), ..route("next", listen, servers) };
        RouteSet { routes: vec![web, next] }
    };
    rig.client.put("shop", &set(100, &[&new])).await.unwrap();
    let ask = async |cookie: &str| {
        let request = format!("GET / HTTP/1.1\r\nhost: a\r\n{cookie}connection: close\r\n\r\n");
        raw(listen, &request, "no such text").await
    };
    let answer = ask("").await;
    assert!(answer.ends_with("new"), "{answer}");
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap().to_owned();
    assert!(
        cookie.starts_with("seaworthy_canary_") && cookie.contains("; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    let pair = cookie.split(';').next().unwrap();
    let (name, value) = pair.split_once('=').unwrap();
    assert!(value.parse::<u8>().unwrap() < 100, "{cookie}");

    // Ten in a hundred: who has a number keeps it, and is not told again.
    rig.client.put("shop", &set(10, &[&new])).await.unwrap();
    for (choice, by) in [("9", "new"), ("10", "old")] {
        let answer = ask(&format!("cookie: a=b; {name}={choice}\r\n")).await;
        assert!(answer.ends_with(by) && !answer.contains("set-cookie"), "{answer}");
        let headers = [("cookie", format!("{name}={choice}"))];
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = over_http2(listen, Method::GET, "/", &headers).await;
        assert_eq!(answer.body().as_ref(), by.as_bytes());
    }
    let first = ask("").await;
    for _ in 0..5 {
        assert_eq!(
            ask("").await.ends_with("new"),
            first.ends_with("new"),
            "the same address, the same choice"
        );
    }
    rig.client.put("shop", &set(0, &[&new])).await.unwrap();
    assert!(ask(&format!("cookie: {pair}\r\n")).await.ends_with("old"), "it is over");
    rig.client.put("shop", &set(100, &[])).await.unwrap();
    assert!(ask("").await.ends_with("old"), "nobody is there to answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_route_gets_copies_of_what_only_reads_and_nobody_waits_for_it() {
    let (rig, listen) = (Rig::start().await, free_address());
    let (web, next) = (Server::start("web").await, Server::start("next").await);
    let set = |percent: u8| {
        let site = Site { mirror: Some(Canary { route: "next".into(), percent }), ..Site::default() };
        let web = Route { site, ..route("web", listen, &[&web]) };
        RouteSet {
            routes: vec![web, Route { host: Some("next.example".into()), ..route("next", listen, &[&next]) }],
        }
    };
    rig.client.put("shop", &set(100)).await.unwrap();
    let get = "GET /a?b HTTP/1.1\r\nhost: a\r\nx-a: 1\r\nconnection: close\r\n\r\n";
    assert!(raw(listen, get, "no such text").await.ends_with("web"));
    until(|| async { next.seen().len() == 1 }).await;
    let seen = next.last();
    assert_eq!((seen.method.as_str(), seen.target.as_str(), seen.header("x-a")), ("GET", "/a?b", "1"));
    let post = "POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi";
    assert!(raw(listen, post, "no such text").await.ends_with("web"));
    // The copy breaks off without an answer, and the client has its own.
    let rude = "GET /rude HTTP/1.1\r\nhost: next.example\r\nconnection: close\r\n\r\n";
    assert!(raw(listen, rude, "no such text").await.starts_with("HTTP/1.1 502 "));
    for number in 0..20 {
        let answer = over_http2(listen, Method::GET, &format!("/{number}"), &[]).await;
        assert_eq!(answer.body().as_ref(), b"web");
    }
    until(|| async { next.seen().iter().any(|seen| seen.target == "/19") }).await;
    assert!(next.seen().iter().all(|seen| seen.method == "GET"), "no order is sent twice");
    rig.client.put("shop", &set(0)).await.unwrap();
    let before = next.seen().len();
    assert!(raw(listen, get, "no such text").await.ends_with("web"));
    assert_eq!(next.seen().len(), before);
}
