//! TCP connections are passed through whole: to who is well, both ways, to their end, over swaps and restarts.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::process::Signal;
use seaworthy_gateway::GatewayError;
use seaworthy_gateway::route::{Balance, Probe, RouteSet};
use tokio::time::Instant;

use crate::rig::{Caller, Calls, Load, PATIENCE, Peer, Rig, Server, free_address, get, set, tcp_set, until};

async fn ask(listen: SocketAddr) -> String {
    Caller::connect(listen).await.unwrap().ask("word").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_side_may_end_and_still_gets_the_answer() {
    let (rig, listen, db) = (Rig::start().await, free_address(), Peer::start("db-1").await);
    rig.client.put("shop", &tcp_set(listen, &[&db])).await.unwrap();
    let mut caller = Caller::connect(listen).await.unwrap();
    assert_eq!(caller.ask("one").await.unwrap(), "db-1 one");
    // More than any buffer on the way.
    let long = "x".repeat(4 << 20);
    assert_eq!(caller.ask(&long).await.unwrap(), format!("db-1 {long}"));
    assert_eq!(caller.finish().await.unwrap(), "db-1 bye\n");
    until(|| async { db.open() == 0 }).await;

    let log = || std::fs::read_to_string(rig.file("access.log")).unwrap_or_default();
    until(|| async { log().lines().count() == 1 }).await;
    let line: serde_json::Value = serde_json::from_str(&log()).unwrap();
    assert_eq!(
        (&line["protocol"], &line["backend"], &line["end"]),
        (&"tcp".into(), &"db-1".into(), &"closed".into())
    );
    assert_eq!(line["bytes_from_client"], 4 + long.len() + 1);
    assert_eq!(line["bytes_to_client"], 9 + 5 + long.len() + 1 + 9);
    let text = rig.client.metrics().await.unwrap();
    for line in [
        "seaworthy_gateway_tcp_connections_total{project=\"shop\",route=\"db\",backend=\"db-1\",end=\"closed\"} 1".to_owned(),
        format!("seaworthy_gateway_tcp_bytes_total{{project=\"shop\",route=\"db\",direction=\"from-client\"}} {}", 5 + long.len()),
        "seaworthy_gateway_tcp_connection_duration_seconds_count{project=\"shop\",route=\"db\"} 1".to_owned(),
    ] {
        assert!(text.contains(&line), "{line} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_breaks_off_is_told_of_on_the_other_side() {
    let (rig, listen, db) = (Rig::start().await, free_address(), Peer::start("db-1").await);
    rig.client.put("shop", &tcp_set(listen, &[&db])).await.unwrap();
    let mut caller = Caller::connect(listen).await.unwrap();
    let broken = caller.ask("reset").await.unwrap_err();
    assert_eq!(broken.kind(), ErrorKind::ConnectionReset, "not an end as if all had been said");

    let mut caller = Caller::connect(listen).await.unwrap();
    caller.ask("one").await.unwrap();
    assert_eq!(db.open(), 1);
    caller.reset();
    until(|| async { db.open() == 0 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_swaps_under_load_fail_no_connection() {
    let (rig, listen) = (Rig::start().await, free_address());
    let mut old = vec![Peer::start("0-a").await, Peer::start("0-b").await];
    rig.client.put("shop", &tcp_set(listen, &old.iter().collect::<Vec<_>>())).await.unwrap();
    let calls = Calls::start(listen, 6);
    for round in 1..=200 {
        let new = vec![Peer::start(&format!("{round}-a")).await, Peer::start(&format!("{round}-b")).await];
        let wanted = tcp_set(listen, &new.iter().collect::<Vec<_>>());
        assert_eq!(rig.client.put("shop", &wanted).await.unwrap(), wanted.hash());
        let ids: Vec<String> = old.iter().map(|peer| peer.name.clone()).collect();
        assert_eq!(rig.client.drain("shop", &ids, PATIENCE).await.unwrap(), 0);
        for peer in &mut old {
            peer.kill().await;
        }
        old = new;
    }
    let (answered, failures) = calls.stop().await;
    assert_eq!(failures, Vec::<String>::new(), "of {answered}");
    assert!(answered > 400, "{answered} connections are no load");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_stays_with_its_backend_until_the_drain_is_over() {
    let (rig, listen) = (Rig::start().await, free_address());
    let (old, new) = (Peer::start("old").await, Peer::start("new").await);
    rig.client.put("shop", &tcp_set(listen, &[&old])).await.unwrap();
    let mut kept = Caller::connect(listen).await.unwrap();
    let mut ends = Caller::connect(listen).await.unwrap();
    kept.ask("one").await.unwrap();
    ends.ask("one").await.unwrap();
    rig.client.put("shop", &tcp_set(listen, &[&new])).await.unwrap();
    assert_eq!(ask(listen).await, "new word");
    assert_eq!(kept.ask("two").await.unwrap(), "old two");
    // The end of a connection is seen soon after its last answer.
    let limit = tokio::time::Instant::now() + PATIENCE;
    while rig.client.status().await.unwrap().projects[0].backends[0].in_flight > 0 {
        assert!(tokio::time::Instant::now() < limit, "the connection that ended is counted off");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let (client, ids) = (rig.client.clone(), ["old".to_owned()]);
    let drain = tokio::spawn(async move { client.drain("shop", &ids, Duration::from_secs(3)).await });
    assert_eq!(ends.finish().await.unwrap(), "old bye\n");
    assert_eq!(kept.ask("three").await.unwrap(), "old three");
    assert_eq!(drain.await.unwrap().unwrap(), 1, "one is left at the limit");
    assert_eq!(kept.rest().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    until(|| async { old.open() == 0 }).await;
    assert_eq!(rig.client.drain("shop", &["old".to_owned()], PATIENCE).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_refuses_costs_no_connection_and_is_taken_back() {
    let (rig, listen) = (Rig::start().await, free_address());
    let (mut sick, other) = (Peer::start("sick").await, Peer::start("other").await);
    rig.client.put("shop", &tcp_set(listen, &[&sick, &other])).await.unwrap();
    sick.kill().await;
    for _ in 0..10 {
        assert_eq!(ask(listen).await, "other word");
    }
    let well = || async {
        let status = rig.client.status().await.unwrap();
        status.projects[0].backends.iter().map(|backend| backend.well).collect::<Vec<_>>()
    };
    assert_eq!(well().await, [false, true]);
    let back = Peer::start_at("sick", sick.address).await;
    until(|| async { well().await == [true, true] }).await;
    until(|| async { ask(listen).await == "sick word" }).await;
    // Who is well is not asked: some servers count connections without a word against their maker.
    let accepted = (back.accepted(), other.accepted());
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!((back.accepted(), other.accepted()), accepted);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nobody_to_take_it_a_connection_is_reset_and_the_next_one_tries_again() {
    let (rig, listen, mut db) = (Rig::start().await, free_address(), Peer::start("db-1").await);
    rig.client.put("shop", &tcp_set(listen, &[&db])).await.unwrap();
    db.kill().await;
    for _ in 0..5 {
        nobody_takes(listen).await;
    }
    let _db = Peer::start_at("db-1", db.address).await;
    assert_eq!(ask(listen).await, "db-1 word", "at once, whatever was known of it");
    rig.client.put("shop", &tcp_set(listen, &[])).await.unwrap();
    nobody_takes(listen).await;
}

/// A connection that nobody takes is reset; that may be so soon that it fails already.
async fn nobody_takes(listen: SocketAddr) {
    let error = match Caller::connect(listen).await {
        Ok(mut caller) => caller.rest().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_with_fewer_connections_gets_the_next() {
    let (rig, listen) = (Rig::start().await, free_address());
    let (busy, free) = (Peer::start("a").await, Peer::start("b").await);
    let mut wanted = tcp_set(listen, &[&busy, &free]);
    wanted.routes[0].balance = Balance::LeastConnections;
    rig.client.put("shop", &wanted).await.unwrap();
    let mut held = Caller::connect(listen).await.unwrap();
    let first = held.ask("x").await.unwrap();
    for _ in 0..5 {
        let mut caller = Caller::connect(listen).await.unwrap();
        assert_ne!(caller.ask("x").await.unwrap(), first);
        caller.finish().await.unwrap();
        until(|| async { busy.open() + free.open() == 1 }).await;
        until(|| async {
            let status = rig.client.status().await.unwrap();
            status.projects[0].backends.iter().map(|backend| backend.in_flight).sum::<u64>() == 1
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_address_speaks_may_change_under_load() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    let http = set(listen, &[&server]);
    let mut tcp = tcp_set(listen, &[]);
    tcp.routes[0].backends.clone_from(&http.routes[0].backends);
    rig.client.put("shop", &http).await.unwrap();
    let load = Load::start(listen, 3, 3);
    for _ in 0..20 {
        for wanted in [&tcp, &http] {
            let before = load.answered();
            rig.client.put("shop", wanted).await.unwrap();
            until(|| async { load.answered() > before + 20 }).await;
        }
    }
    let (answered, failures, _) = load.stop().await;
    assert_eq!(failures, Vec::<String>::new(), "of {answered}");
    // HTTP that is passed through as TCP is not touched.
    rig.client.put("shop", &tcp).await.unwrap();
    assert!(get(listen, "GET", "/").await.headers().get("x-request-id").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_is_back_within_a_second() {
    let (rig, listen, db) = (Rig::start().await, free_address(), Peer::start("db-1").await);
    rig.client.put("shop", &tcp_set(listen, &[&db])).await.unwrap();
    for _ in 0..3 {
        let mut held = Caller::connect(listen).await.unwrap();
        held.ask("one").await.unwrap();
        rig.signal("work", Signal::KILL).await;
        let killed = Instant::now();
        assert_eq!(ask(listen).await, "db-1 word");
        assert!(killed.elapsed() < Duration::from_secs(1), "back after {:?}", killed.elapsed());
        held.ask("two").await.unwrap_err();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_told_to_end_lets_connections_finish() {
    let (rig, listen, db) = (Rig::start().await, free_address(), Peer::start("db-1").await);
    rig.client.put("shop", &tcp_set(listen, &[&db])).await.unwrap();
    let mut held = Caller::connect(listen).await.unwrap();
    held.ask("one").await.unwrap();
    let calls = Calls::start(listen, 3);
    until(|| async { calls.answered() > 20 }).await;
    let worker = rig.signal("work", Signal::TERM).await;
    until(|| async { rig.client.status().await.is_ok_and(|status| status.process.cast_signed() != worker) })
        .await;
    let before = calls.answered();
    until(|| async { calls.answered() > before + 20 }).await;
    assert_eq!(held.ask("two").await.unwrap(), "db-1 two", "the old worker still passes it through");
    assert_eq!(held.finish().await.unwrap(), "db-1 bye\n");
    until(|| async { !rig.processes("work").contains(&worker) }).await;
    let (answered, failures) = calls.stop().await;
    assert_eq!(failures, Vec::<String>::new(), "of {answered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tcp_route_has_its_address_alone() {
    let (rig, listen) = (Rig::start().await, free_address());
    let (db, web) = (Peer::start("db-1").await, Server::start("web-1").await);
    let tcp = tcp_set(listen, &[&db]);
    let mut both = RouteSet { routes: [set(listen, &[&web]).routes, tcp.routes.clone()].concat() };
    both.routes[0].path = "/blog".into();
    let refused = rig.client.put("shop", &both).await.unwrap_err();
    let GatewayError::Invalid { reason } = &refused else { panic!("{refused}") };
    assert!(reason.contains("`web` and `db`") && reason.contains(&listen.to_string()), "{reason}");
    let mut part = RouteSet { routes: [set(listen, &[&web]).routes, tcp.routes.clone()].concat() };
    part.routes[0].listen.set_ip("0.0.0.0".parse().unwrap());
    assert!(part.contradiction().unwrap().contains("part of the other"));
    let mut hosted = tcp.clone();
    hosted.routes[0].host = Some("db.example".into());
    assert!(matches!(rig.client.put("shop", &hosted).await.unwrap_err(), GatewayError::Invalid { .. }));

    rig.client.put("shop", &tcp).await.unwrap();
    let refused =
        rig.client.check("blog", &RouteSet { routes: both.routes[..1].to_vec() }).await.unwrap_err();
    assert!(matches!(&refused, GatewayError::Conflict { taken_by, .. } if taken_by == "db"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_was_wished_for_is_asked() {
    let (rig, listen, db) = (Rig::start().await, free_address(), Peer::start("db-1").await);
    let mut wanted = tcp_set(listen, &[&db]);
    wanted.routes[0].probe =
        Some(Probe { path: "/".into(), grpc: None, interval_ms: 50, timeout_ms: 500, fall: 1, rise: 1 });
    rig.client.put("shop", &wanted).await.unwrap();
    until(|| async { !rig.client.status().await.unwrap().projects[0].backends[0].well }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_knew_only_http_is_still_served() {
    let (listen, server) = (free_address(), Server::start("web-1").await);
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("gateway")).unwrap();
    let mut old = serde_json::json!({"version": 1, "projects": {"shop": set(listen, &[&server])}});
    old["projects"]["shop"]["routes"][0].as_object_mut().unwrap().remove("protocol").unwrap();
    std::fs::write(folder.path().join("gateway/snapshot.json"), old.to_string()).unwrap();
    let rig = Rig::start_in(folder).await;
    assert_eq!(rig.client.status().await.unwrap().snapshot_problem, None);
    assert_eq!(get(listen, "GET", "/").await.body(), "web-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_port_of_both_families_is_two_addresses() {
    let (rig, listen, db) = (Rig::start().await, free_address(), Peer::start("db-1").await);
    let any = |text: &str| SocketAddr::new(text.parse().unwrap(), listen.port());
    let mut wanted = tcp_set(any("0.0.0.0"), &[&db]);
    wanted.routes.extend(tcp_set(any("::"), &[&db]).routes);
    wanted.routes[1].name = "db@v6".into();
    rig.client.put("shop", &wanted).await.unwrap();
    for local in ["127.0.0.1", "::1"] {
        assert_eq!(ask(any(local)).await, "db-1 word", "{local}");
    }
}
