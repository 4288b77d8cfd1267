//! Who gets a request: routes by host and path, backends in turn or by load.

use std::collections::HashMap;

use hyper::StatusCode;
use seaworthy_gateway::route::{Balance, RouteSet};

use crate::rig::{Rig, Server, free_address, get, raw, route, set, until};

#[tokio::test(flavor = "multi_thread")]
async fn the_named_host_and_the_longest_path_win() {
    let (rig, listen) = (Rig::start().await, free_address());
    let any = Server::start("any").await;
    let api = Server::start("api").await;
    let shop = Server::start("shop").await;
    let mut routes =
        vec![route("any", listen, &[&any]), route("api", listen, &[&api]), route("shop", listen, &[&shop])];
    routes[1].path = "/api/".into();
    routes[2].host = Some("shop.example".into());
    rig.client.put("shop", &RouteSet { routes }).await.unwrap();
    let asked = |host: &'static str, path: &'static str| async move {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        let answer = raw(listen, &request, "no such text").await;
        answer.rsplit("\r\n").next().unwrap().to_owned()
    };
    for (host, path, who) in [
        ("other.example", "/", "any"),
        ("other.example", "/api", "api"),
        ("other.example", "/api/orders?x=1", "api"),
        ("other.example", "/apix", "any"),
        ("SHOP.example:8080", "/api", "shop"),
        ("shop.example.evil", "/", "any"),
        ("[::1]:80", "/api/", "api"),
    ] {
        assert_eq!(asked(host, path).await, who, "{host}{path}");
    }
    assert_eq!(api.last().target, "/api/");
    assert_eq!(api.seen()[1].target, "/api/orders?x=1", "path and query go on as they came");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_route_answers_is_not_found_and_nothing_is_hinted() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web").await);
    let mut wanted = set(listen, &[&server]);
    wanted.routes[0].host = Some("shop.example".into());
    wanted.routes[0].path = "/shop".into();
    rig.client.put("shop", &wanted).await.unwrap();
    let answer = get(listen, "GET", "/").await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(answer.body().is_empty());
    assert_eq!(server.arrived(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_gets_its_turn() {
    let (rig, listen) = (Rig::start().await, free_address());
    let servers = [Server::start("a").await, Server::start("b").await, Server::start("c").await];
    rig.client.put("shop", &set(listen, &servers.iter().collect::<Vec<_>>())).await.unwrap();
    let mut counts: HashMap<Vec<u8>, usize> = HashMap::new();
    for _ in 0..30 {
        *counts.entry(get(listen, "GET", "/").await.body().to_vec()).or_default() += 1;
    }
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [10, 10, 10]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_busy_one_gets_less() {
    let (rig, listen) = (Rig::start().await, free_address());
    let (busy, free) = (Server::start("a").await, Server::start("b").await);
    let mut wanted = set(listen, &[&busy, &free]);
    wanted.routes[0].balance = Balance::LeastConnections;
    rig.client.put("shop", &wanted).await.unwrap();
    let held = tokio::spawn(async move { get(listen, "GET", "/held").await });
    until(|| async { busy.arrived() + free.arrived() == 1 }).await;
    let (busy, free) = if busy.arrived() == 1 { (busy, free) } else { (free, busy) };
    for _ in 0..10 {
        assert_eq!(get(listen, "GET", "/").await.body(), free.name.as_str());
    }
    busy.release();
    held.await.unwrap();
}
