//! Whole sets are swapped under load, and old backends are drained: no request fails.

use std::net::SocketAddr;
use std::time::Duration;

use hyper::StatusCode;
use tokio::time::Instant;

use crate::rig::{Load, PATIENCE, Rig, Server, free_address, get, set, until};

/// On a busy machine fewer swaps are made, so that the test ends in time.
const MOST_SWAPS: usize = 1_000;
const LEAST_SWAPS: usize = 200;
const BUDGET: Duration = Duration::from_secs(30);
/// After so many swaps all that is kept for later is there: what grows from then on is a leak.
const SETTLED: usize = 50;
/// What may come on top: connections that are just being closed, and memory that the allocator keeps.
const MOST_MORE_SOCKETS: usize = 64;
const MOST_MORE_KIBIBYTES: u64 = 12 << 10;

/// Swaps the whole set again and again, drains what it replaces, and holds what the worker keeps against what it kept in
/// the beginning. Returns how often, and who serves in the end. `SEAWORTHY_ALL_SWAPS=1` makes all of them, however long it takes.
pub(crate) async fn swap_often(rig: &Rig, listen: SocketAddr, mut old: Vec<Server>) -> (usize, Vec<Server>) {
    let begun = Instant::now();
    let all = std::env::var_os("SEAWORTHY_ALL_SWAPS").is_some();
    let worker = rig.client.status().await.unwrap().process;
    let (mut settled, mut swaps) = (held_by(worker), 0);
    for round in 1..=MOST_SWAPS {
        if round > LEAST_SWAPS && begun.elapsed() > BUDGET && !all {
            break;
        }
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
        swaps = round;
        if round == SETTLED {
            settled = held_by(worker);
        }
    }
    assert_eq!(rig.client.status().await.unwrap().process, worker, "one worker served all the time");
    until(|| async { held_by(worker).0 <= settled.0 + MOST_MORE_SOCKETS }).await;
    let (memory, before) = (held_by(worker).1, settled.1);
    assert!(memory <= before + MOST_MORE_KIBIBYTES, "{before} KiB became {memory} KiB in {swaps} swaps");
    (swaps, old)
}

/// What the gateway told of requests that failed, and of backends that did not answer.
pub(crate) fn told(rig: &Rig) -> String {
    let read = |name: &str| std::fs::read_to_string(rig.file(name)).unwrap_or_default();
    let (access, own) = (read("access.log"), read("gateway.log"));
    let failed = access.lines().filter(|line| line.contains("\"status\":50"));
    failed.take(10).chain(own.lines().take(20)).collect::<Vec<_>>().join("\n")
}

/// Two backends that are served.
pub(crate) async fn two_served(rig: &Rig, listen: SocketAddr) -> Vec<Server> {
    let old = vec![Server::start("0-a").await, Server::start("0-b").await];
    rig.client.put("shop", &set(listen, &old.iter().collect::<Vec<_>>())).await.unwrap();
    old
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_swaps_under_load_fail_no_request_and_leak_nothing() {
    let (rig, listen) = (Rig::start().await, free_address());
    let old = two_served(&rig, listen).await;
    let load = Load::start(listen, 4, 4);
    let (swaps, _last) = swap_often(&rig, listen, old).await;
    let (answered, failures, _) = load.stop().await;
    assert_eq!(failures, Vec::<String>::new(), "of {answered}: {}", told(&rig));
    assert!(answered > 2 * swaps as u64, "{answered} requests are no load for {swaps} swaps");
}

/// The descriptors of a process, and its resident memory in KiB.
fn held_by(process: u32) -> (usize, u64) {
    let sockets = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap().count();
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    (sockets, memory.split_whitespace().next().unwrap().parse().unwrap())
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
