//! Whole sets are swapped under load, and old backends are drained: no request fails.

use std::time::Duration;

use hyper::StatusCode;

use crate::rig::{Load, PATIENCE, Rig, Server, free_address, get, set, until};

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_swaps_under_load_fail_no_request() {
    let (rig, listen) = (Rig::start().await, free_address());
    let mut old = vec![Server::start("0-a").await, Server::start("0-b").await];
    rig.client.put("shop", &set(listen, &old.iter().collect::<Vec<_>>())).await.unwrap();
    let load = Load::start(listen, 4, 4);
    for round in 1..=200 {
        let new =
            vec![Server::start(&format!("{round}-a")).await, Server::start(&format!("{round}-b")).await];
        let wanted = set(listen, &new.iter().collect::<Vec<_>>());
        assert_eq!(rig.client.put("shop", &wanted).await.unwrap(), wanted.hash());
        let ids: Vec<String> = old.iter().map(|server| server.name.clone()).collect();
        assert_eq!(rig.client.drain("shop", &ids, PATIENCE).await.unwrap(), 0);
        // What was drained may go at once.
        for server in &mut old {
            server.kill().await;
        }
        old = new;
    }
    let (answered, failures, _) = load.stop().await;
    assert_eq!(failures, Vec::<String>::new(), "of {answered}");
    assert!(answered > 400, "{answered} requests are no load");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_request_is_waited_for_and_completes() {
    let (rig, listen) = (Rig::start().await, free_address());
    let (old, new) = (Server::start("old").await, Server::start("new").await);
    rig.client.put("shop", &set(listen, &[&old])).await.unwrap();
    let slow = tokio::spawn(async move { get(listen, "GET", "/held").await });
    until(|| async { old.arrived() == 1 }).await;
    rig.client.put("shop", &set(listen, &[&new])).await.unwrap();

    let ids = ["old".to_owned()];
    assert_eq!(rig.client.drain("shop", &ids, Duration::from_millis(50)).await.unwrap(), 1);
    assert_eq!(get(listen, "GET", "/").await.body(), "new");

    let (client, waiting) = (rig.client.clone(), ids.clone());
    let drain = tokio::spawn(async move { client.drain("shop", &waiting, PATIENCE).await.unwrap() });
    old.release();
    assert_eq!(drain.await.unwrap(), 0);
    let answer = slow.await.unwrap();
    assert_eq!((answer.status(), answer.body().as_ref()), (StatusCode::OK, &b"old"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_answered_with_its_hash_and_can_be_put_twice() {
    let (rig, listen) = (Rig::start().await, free_address());
    let server = Server::start("web-1").await;
    let wanted = set(listen, &[&server]);
    assert_eq!(rig.client.get("shop").await.unwrap(), None);
    for _ in 0..2 {
        assert_eq!(rig.client.put("shop", &wanted).await.unwrap(), wanted.hash());
        assert_eq!(rig.client.get("shop").await.unwrap(), Some((wanted.clone(), wanted.hash())));
    }
    rig.client.remove("shop").await.unwrap();
    assert_eq!(rig.client.get("shop").await.unwrap(), None);
    // The address belongs to nobody again.
    until(|| async { std::net::TcpListener::bind(listen).is_ok() }).await;
}
