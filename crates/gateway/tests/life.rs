//! The gateway's life: sets swapped under load, its processes killed, its snapshot damaged.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "code of tests")]

#[path = "support/place.rs"]
mod place;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use place::{Load, Place, TestBackend, free_address, get, kill, program, wait_until};
use seaworthy_gateway::{GatewayError, launch};

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_swaps_under_load_fail_no_request() {
    let place = Place::start().await;
    let backends: Vec<TestBackend> = ["a.1", "b.1", "c.1", "d.1"].map(TestBackend::start).into();
    place.client.put("shop", &place.set(&[&backends[0]])).await.unwrap();
    let load = Load::start(place.listen);
    for round in 0..200 {
        let (old, new) = (&backends[round % 4], &backends[(round + 1) % 4]);
        let set = place.set(&[new]);
        let served = place.client.put("shop", &set).await.unwrap();
        assert_eq!(served, set.hash(), "the swap is acknowledged with what is served");
        let left =
            place.client.drain("shop", std::slice::from_ref(&old.id), Duration::from_secs(5)).await.unwrap();
        assert_eq!(left, 0);
    }
    let (sent, failures) = load.stop();
    assert!(failures.is_empty(), "{} of {sent}: {:?}", failures.len(), &failures[..failures.len().min(3)]);
    assert!(sent > 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_is_back_within_a_second_with_the_same_routes() {
    let place = Place::start().await;
    let backend = TestBackend::start("a.1");
    let set = place.set(&[&backend]);
    place.client.put("shop", &set).await.unwrap();
    assert_eq!(get(place.listen, "/").unwrap().by(), "a.1");
    let before = place.client.status().await.unwrap().process;
    kill(before);
    let began = Instant::now();
    // The listening socket is the supervisor's: nothing is refused, a request waits for the new worker.
    let got = get(place.listen, "/");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    // A connection may have been taken by the dying worker; the next one must be served.
    let got = got.or_else(|_| get(place.listen, "/")).unwrap();
    assert_eq!(got.by(), "a.1");
    assert_ne!(place.client.status().await.unwrap().process, before);
    assert_eq!(place.client.get("shop").await.unwrap().unwrap(), (set.clone(), set.hash()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_supervisor_is_replaced_while_requests_go_on() {
    let place = Place::start().await;
    let backend = TestBackend::start("a.1");
    place.client.put("shop", &place.set(&[&backend])).await.unwrap();
    let load = Load::start(place.listen);
    let before = place.processes("supervise");
    assert_eq!(before.len(), 1);
    kill(before[0]);
    wait_until("another supervisor is there", || {
        let now = place.processes("supervise");
        now.len() == 1 && now != before
    })
    .await;
    // It holds the sockets: a worker that dies now is replaced, and the listener refuses nobody.
    let (sent, failures) = load.stop();
    assert!(failures.is_empty(), "{} of {sent}: {:?}", failures.len(), &failures[..failures.len().min(3)]);
    kill(place.client.status().await.unwrap().process);
    wait_until("the worker is back", || get(place.listen, "/").is_ok_and(|got| got.by() == "a.1")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_callers_start_one_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let limit = Duration::from_secs(20);
    let program = program();
    let (one, two) =
        tokio::join!(launch(&program, folder.path(), limit), launch(&program, folder.path(), limit));
    let (one, two) = (one.unwrap().status().await.unwrap(), two.unwrap().status().await.unwrap());
    assert_eq!(one.process, two.process);
    let client = seaworthy_gateway::Client::new(folder.path());
    assert!(client.stop_if_idle().await.unwrap(), "no project has routes");
    let deadline = Instant::now() + Duration::from_secs(10);
    while client.is_running().await {
        assert!(Instant::now() < deadline, "the gateway ends when it is idle");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_cannot_be_read_is_moved_aside() {
    for damaged in ["{\"version\":1,\"proj", "{\"version\":99,\"projects\":{}}", "[]"] {
        let place = Place::start().await;
        let backend = TestBackend::start("a.1");
        place.client.put("shop", &place.set(&[&backend])).await.unwrap();
        let path = place.state().join("gateway/snapshot.json");
        std::fs::write(&path, damaged).unwrap();
        let before = place.client.status().await.unwrap().process;
        kill(before);
        wait_until("the worker is back", || place.processes("work").iter().any(|process| *process != before))
            .await;
        let status = place.client.status().await.unwrap();
        assert!(status.snapshot_problem.is_some() && status.projects.is_empty(), "{status:?}");
        assert!(path.with_extension("json.unreadable").exists());
        place.client.put("shop", &place.set(&[&backend])).await.unwrap();
        assert_eq!(get(place.listen, "/").unwrap().by(), "a.1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_served_is_refused_and_changes_nothing() {
    let place = Place::start().await;
    let backend = TestBackend::start("a.1");
    let set = place.set(&[&backend]);
    place.client.put("shop", &set).await.unwrap();
    let conflict = place.client.put("other", &set).await.unwrap_err();
    assert!(matches!(&conflict, GatewayError::Conflict { project, .. } if project == "shop"), "{conflict}");
    assert!(matches!(place.client.check("other", &set).await, Err(GatewayError::Conflict { .. })));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut elsewhere = set.clone();
    elsewhere.routes[0].listen = taken.local_addr().unwrap();
    assert!(matches!(place.client.check("shop", &elsewhere).await, Err(GatewayError::AddressInUse { .. })));
    assert!(matches!(place.client.put("shop", &elsewhere).await, Err(GatewayError::AddressInUse { .. })));
    let mut twice = set.clone();
    twice.routes.push(set.routes[0].clone());
    assert!(matches!(place.client.put("shop", &twice).await, Err(GatewayError::Invalid { .. })));
    assert_eq!(place.client.get("shop").await.unwrap().unwrap().0, set);
    assert_eq!(get(place.listen, "/").unwrap().by(), "a.1");
    // A check lets go of what it tried; an address that is not used any more is given back.
    let mut moved = set.clone();
    moved.routes[0].listen = free_address();
    place.client.check("shop", &moved).await.unwrap();
    place.client.put("shop", &moved).await.unwrap();
    assert!(TcpListener::bind(place.listen).is_ok(), "the old address is free");
}
