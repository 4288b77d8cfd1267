//! Who gets a request by weight, client and load, and what becomes of backends that answer as sick ones do.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::StatusCode;
use seaworthy_gateway::route::{Backend, Balance, Balancing, Ejection, HashBy, RouteSet};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::rig::{PATIENCE, Rig, Server, free_address, get, raw, set, until};

fn changed(set: RouteSet, balance: Balance, change: impl Fn(&mut Balancing)) -> RouteSet {
    let mut set = set;
    set.routes[0].balance = balance;
    change(&mut set.routes[0].balancing);
    set
}

async fn asked(listen: std::net::SocketAddr, header: &str) -> String {
    let request = format!("GET / HTTP/1.1\r\nhost: a\r\n{header}\r\nconnection: close\r\n\r\n");
    raw(listen, &request, "no such text").await.rsplit("\r\n").next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_gets_by_its_weight() {
    let (rig, listen) = (Rig::start().await, free_address());
    let servers = [Server::start("a").await, Server::start("b").await];
    let all: Vec<&Server> = servers.iter().collect();
    let weighted = changed(set(listen, &all), Balance::RoundRobin, |balancing| {
        balancing.weights.insert("a".into(), 3);
    });
    rig.client.put("shop", &weighted).await.unwrap();
    for _ in 0..40 {
        get(listen, "GET", "/").await;
    }
    assert!(servers[0].arrived().abs_diff(30) <= 2, "{} of 40", servers[0].arrived());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_keeps_its_backend_by_hash_and_only_those_of_one_that_goes_move() {
    let (rig, listen) = (Rig::start().await, free_address());
    let servers = [Server::start("a").await, Server::start("b").await, Server::start("c").await];
    let all: Vec<&Server> = servers.iter().collect();
    let by_tenant = |balancing: &mut Balancing| balancing.hash_by = HashBy::Header("x-tenant".into());
    rig.client.put("shop", &changed(set(listen, &all), Balance::Hash, by_tenant)).await.unwrap();
    let mut before = HashMap::new();
    for tenant in 0..30 {
        let header = format!("x-tenant: {tenant}");
        let who = asked(listen, &header).await;
        assert_eq!(asked(listen, &header).await, who, "the same each time");
        before.insert(tenant, who);
    }
    assert!(all.iter().all(|server| before.values().any(|who| *who == server.name)), "{before:?}");
    rig.client.put("shop", &changed(set(listen, &all[..2]), Balance::Hash, by_tenant)).await.unwrap();
    for (tenant, who) in &before {
        let now = asked(listen, &format!("x-tenant: {tenant}")).await;
        assert!(now == *who || who == "c", "tenant {tenant} moved from {who} to {now}");
    }

    let by_cookie = |balancing: &mut Balancing| balancing.hash_by = HashBy::Cookie("id".into());
    rig.client.put("shop", &changed(set(listen, &all), Balance::Hash, by_cookie)).await.unwrap();
    for cookie in 0..10 {
        let header = format!("cookie: x=y; id={cookie}");
        assert_eq!(asked(listen, &header).await, asked(listen, &header).await);
    }
    // Nobody can be told from this machine by its address.
    let by_client = |balancing: &mut Balancing| balancing.hash_by = HashBy::Client;
    rig.client.put("shop", &changed(set(listen, &all), Balance::Hash, by_client)).await.unwrap();
    let first = asked(listen, "x: 1").await;
    for number in 0..10 {
        assert_eq!(asked(listen, &format!("x: {number}")).await, first);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_gets_no_more_than_it_may_and_the_rest_waits_its_turn() {
    let (rig, listen) = (Rig::start().await, free_address());
    let server = Server::start("only").await;
    let narrow = changed(set(listen, &[&server]), Balance::PowerOfTwo, |balancing| {
        balancing.max_in_flight = 1;
        balancing.wait_ms = 60_000;
        balancing.queue = 2;
    });
    rig.client.put("shop", &narrow).await.unwrap();
    let held = tokio::spawn(async move { get(listen, "GET", "/held").await });
    until(|| async { server.arrived() == 1 }).await;
    let waiting = || async {
        let text = rig.client.metrics().await.unwrap();
        let line =
            text.lines().find(|line| line.starts_with("seaworthy_gateway_waiting{")).map(str::to_owned);
        line.and_then(|line| line.rsplit(' ').next().map(str::to_owned)).unwrap_or_default()
    };
    let two = [(); 2].map(|()| tokio::spawn(async move { get(listen, "POST", "/").await }));
    until(|| async { waiting().await == "2" }).await;
    assert_eq!(get(listen, "GET", "/").await.status(), StatusCode::SERVICE_UNAVAILABLE, "the queue is full");
    assert_eq!(server.arrived(), 1);
    server.release();
    assert_eq!(held.await.unwrap().status(), StatusCode::OK);
    for one in two {
        assert_eq!(one.await.unwrap().status(), StatusCode::OK);
    }
}

/// A backend that misbehaves in turn: breaks off, answers garbage, says that it is overrun, or half of an answer's head.
async fn hostile(arrived: Arc<AtomicUsize>) -> Backend {
    const ANSWERS: [&str; 4] = [
        "",
        "garbage\r\n\r\n",
        "HTTP/1.1 503 no\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-le",
    ];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(misbehave(stream, arrived.clone(), &ANSWERS));
        }
    });
    Backend { id: format!("hostile-{}", address.port()), address }
}

async fn misbehave(mut stream: TcpStream, arrived: Arc<AtomicUsize>, answers: &[&str]) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let number = arrived.fetch_add(1, Ordering::SeqCst);
    let _ = stream.write_all(answers[number % answers.len()].as_bytes()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_backend_is_left_out_and_costs_few_requests() {
    let (rig, listen) = (Rig::start().await, free_address());
    let good = [Server::start("a").await, Server::start("b").await];
    let arrived = Arc::new(AtomicUsize::new(0));
    let mut wanted = set(listen, &good.iter().collect::<Vec<_>>());
    wanted.routes[0].probe = None;
    wanted.routes[0].backends.push(hostile(arrived.clone()).await);
    let wanted = changed(wanted, Balance::RoundRobin, |balancing| {
        balancing.ejection = Ejection { after: 5, for_ms: 300_000 };
    });
    rig.client.put("shop", &wanted).await.unwrap();
    let mut failed = 0;
    for _ in 0..200 {
        failed += usize::from(get(listen, "GET", "/").await.status() != StatusCode::OK);
    }
    assert_eq!(arrived.load(Ordering::SeqCst), 5, "left out after five");
    assert_eq!(failed, 1, "what broke was sent again; its own 503 is an answer");
    let metrics = rig.client.metrics().await.unwrap();
    assert!(metrics.contains("seaworthy_gateway_ejections_total{"), "{metrics}");
    until(|| async {
        std::fs::read_to_string(rig.file("gateway.log")).unwrap().contains("is left out for 300 s")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_are_hostile_none_is_left_out_and_retries_end_with_their_budget() {
    let (rig, listen) = (Rig::start().await, free_address());
    let arrived = Arc::new(AtomicUsize::new(0));
    let mut wanted = set(listen, &[]);
    wanted.routes[0].probe = None;
    for _ in 0..2 {
        wanted.routes[0].backends.push(hostile(arrived.clone()).await);
    }
    let wanted = changed(wanted, Balance::RoundRobin, |balancing| {
        balancing.ejection = Ejection { after: 1, for_ms: 300_000 };
        balancing.retry_percent = 10;
    });
    rig.client.put("shop", &wanted).await.unwrap();
    for _ in 0..200 {
        let status = get(listen, "GET", "/").await.status();
        assert!([StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE].contains(&status), "{status}");
    }
    let arrived = arrived.load(Ordering::SeqCst);
    assert!((200..=200 + 20 + 10).contains(&arrived), "{arrived} requests were sent for 200");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tcp_port_is_asked_all_the_time_where_that_is_wished() {
    let (rig, listen) = (Rig::start().await, free_address());
    let mut peer = crate::rig::Peer::start("db").await;
    let wanted = changed(crate::rig::tcp_set(listen, &[&peer]), Balance::RoundRobin, |balancing| {
        balancing.probe_tcp = true;
    });
    rig.client.put("shop", &wanted).await.unwrap();
    until(|| async { peer.accepted() > 1 }).await;
    peer.kill().await;
    tokio::time::timeout(PATIENCE, async {
        while crate::retry::well(&rig, "db").await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
}
