//! With no backend to send to, requests wait: so many, so long, and no longer than they must.

use std::time::Duration;

use hyper::StatusCode;
use seaworthy_gateway::route::{Balancing, RouteSet};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::rig::{Caller, Load, PATIENCE, Peer, Rig, Server, free_address, get, set, tcp_set, until};

/// A set whose requests wait.
fn patient(set: RouteSet, balancing: &Balancing) -> RouteSet {
    let wait = |route: seaworthy_gateway::route::Route| seaworthy_gateway::route::Route {
        balancing: balancing.clone(),
        ..route
    };
    RouteSet { routes: set.routes.into_iter().map(wait).collect() }
}

/// Longer than any test should take.
fn long() -> Balancing {
    Balancing { wait_ms: 60_000, ..Balancing::default() }
}

async fn metric(rig: &Rig, line: &str) -> Option<u64> {
    let text = rig.client.metrics().await.unwrap();
    let found = text.lines().find(|found| found.starts_with(line))?;
    found.rsplit(' ').next().unwrap().parse().ok()
}

async fn waiting(rig: &Rig) -> u64 {
    metric(rig, "seaworthy_gateway_waiting{").await.unwrap_or_default()
}

async fn ended(rig: &Rig, end: &str) -> u64 {
    let line = format!("seaworthy_gateway_waits_total{{project=\"shop\",route=\"web\",end=\"{end}\"}}");
    metric(rig, &line).await.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_until_a_backend_is_there() {
    let (rig, listen) = (Rig::start().await, free_address());
    rig.client.put("shop", &patient(set(listen, &[]), &long())).await.unwrap();
    let began = Instant::now();
    let asked = tokio::spawn(async move { get(listen, "POST", "/").await });
    until(|| async { waiting(&rig).await == 1 }).await;
    let server = Server::start("new").await;
    rig.client.put("shop", &patient(set(listen, &[&server]), &long())).await.unwrap();
    assert_eq!(asked.await.unwrap().body(), "new");
    assert!(began.elapsed() < PATIENCE, "it waited for more than the backend");
    assert_eq!((waiting(&rig).await, ended(&rig, "served").await), (0, 1));
    until(|| async {
        let log = std::fs::read_to_string(rig.file("access.log")).unwrap_or_default();
        let line = log.lines().next().and_then(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        line.is_some_and(|line| line["queue_ms"].as_f64().unwrap() > 0.0 && line["status"] == 200)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_while_its_only_backend_is_sick_or_away() {
    let (rig, listen) = (Rig::start().await, free_address());
    let mut only = Server::start("only").await;
    only.sick(true);
    rig.client.put("shop", &patient(set(listen, &[&only]), &long())).await.unwrap();
    until(|| async { !crate::retry::well(&rig, "only").await }).await;
    let asked = tokio::spawn(async move { get(listen, "GET", "/").await });
    until(|| async { waiting(&rig).await == 1 }).await;
    only.sick(false);
    assert_eq!(asked.await.unwrap().body(), "only");

    // Away, which nobody knows before it is asked; a POST of which nothing was sent waits too.
    let address = only.address;
    only.kill().await;
    let asked = tokio::spawn(async move { get(listen, "POST", "/").await });
    until(|| async { waiting(&rig).await == 1 }).await;
    let _back = Server::start_at("only", address).await;
    assert_eq!(asked.await.unwrap().status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wait_ends_and_the_queue_is_bounded() {
    let (rig, listen) = (Rig::start().await, free_address());
    let short = Balancing { wait_ms: 300, ..Balancing::default() };
    rig.client.put("shop", &patient(set(listen, &[]), &short)).await.unwrap();
    let began = Instant::now();
    let answer = get(listen, "GET", "/").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert_eq!(ended(&rig, "late").await, 1);

    let narrow = Balancing { queue: 2, ..long() };
    rig.client.put("shop", &patient(set(listen, &[]), &narrow)).await.unwrap();
    let two = [(); 2].map(|()| tokio::spawn(async move { get(listen, "GET", "/").await }));
    until(|| async { waiting(&rig).await == 2 }).await;
    assert_eq!(get(listen, "GET", "/").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ended(&rig, "full").await, 1);
    let server = Server::start("new").await;
    rig.client.put("shop", &patient(set(listen, &[&server]), &narrow)).await.unwrap();
    for one in two {
        assert_eq!(one.await.unwrap().status(), StatusCode::OK);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_leaves_its_place_and_a_route_that_goes_is_not_waited_for() {
    let (rig, listen) = (Rig::start().await, free_address());
    rig.client.put("shop", &patient(set(listen, &[]), &Balancing { queue: 1, ..long() })).await.unwrap();
    let mut gone = TcpStream::connect(listen).await.unwrap();
    gone.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    until(|| async { waiting(&rig).await == 1 }).await;
    drop(gone);
    until(|| async { ended(&rig, "gone").await == 1 }).await;
    assert_eq!(waiting(&rig).await, 0);

    let asked = tokio::spawn(async move { get(listen, "GET", "/").await });
    until(|| async { waiting(&rig).await == 1 }).await;
    let mut other = patient(set(listen, &[]), &long());
    other.routes[0].path = "/other".into();
    rig.client.put("shop", &other).await.unwrap();
    assert_eq!(asked.await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_instance_replaced_stop_first_under_load_fails_no_request() {
    let (rig, listen) = (Rig::start().await, free_address());
    let mut old = Server::start("0").await;
    rig.client.put("shop", &patient(set(listen, &[&old]), &long())).await.unwrap();
    let load = Load::start(listen, 4, 4);
    for round in 1..=30 {
        let before = load.answered();
        until(|| async { load.answered() > before + 20 }).await;
        rig.client.put("shop", &patient(set(listen, &[]), &long())).await.unwrap();
        assert_eq!(rig.client.drain("shop", &[old.name.clone()], PATIENCE).await.unwrap(), 0);
        old.kill().await;
        old = Server::start(&round.to_string()).await;
        until(|| async { waiting(&rig).await > 0 }).await;
        rig.client.put("shop", &patient(set(listen, &[&old]), &long())).await.unwrap();
    }
    let (answered, failures, _) = load.stop().await;
    assert_eq!(failures, Vec::<String>::new(), "of {answered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tcp_connection_waits_too_and_one_that_is_gone_does_not() {
    let (rig, listen) = (Rig::start().await, free_address());
    rig.client.put("shop", &patient(tcp_set(listen, &[]), &long())).await.unwrap();
    let gone = TcpStream::connect(listen).await.unwrap();
    until(|| async { waiting(&rig).await == 1 }).await;
    drop(gone);
    until(|| async { waiting(&rig).await == 0 }).await;

    let mut caller = Caller::connect(listen).await.unwrap();
    until(|| async { waiting(&rig).await == 1 }).await;
    let peer = Peer::start("db").await;
    rig.client.put("shop", &patient(tcp_set(listen, &[&peer]), &long())).await.unwrap();
    assert_eq!(caller.ask("hello").await.unwrap(), "db hello");
}
