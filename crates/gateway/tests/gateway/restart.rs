//! Processes are killed under load: connections wait, routes stay.

use std::time::Duration;

use rustix::process::Signal;
use seaworthy_gateway::GatewayError;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::rig::{Load, Rig, Server, free_address, get, set, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_is_back_within_a_second_and_no_connection_is_refused() {
    let (rig, server) = (Rig::start().await, Server::start("web-1").await);
    // Two projects on two addresses: neither may lose its socket while the other is taken up.
    let (shop, blog) = (free_address(), free_address());
    rig.client.put("shop", &set(shop, &[&server])).await.unwrap();
    rig.client.put("blog", &set(blog, &[&server])).await.unwrap();
    for _ in 0..5 {
        let loads = [Load::start(shop, 0, 2), Load::start(blog, 0, 2)];
        until(|| async { loads.iter().all(|load| load.answered() > 20) }).await;
        rig.signal("work", Signal::KILL).await;
        let killed = Instant::now();
        for address in [shop, blog] {
            TcpStream::connect(address).await.expect("not refused while there is no worker");
            assert_eq!(get(address, "GET", "/").await.body(), "web-1");
        }
        assert!(killed.elapsed() < Duration::from_secs(1), "back after {:?}", killed.elapsed());
        for load in loads {
            let (_, failures, _) = load.stop().await;
            // Those that were being answered died with the worker; none may fail for another reason.
            let refused: Vec<_> = failures.iter().filter(|failure| failure.starts_with("connect")).collect();
            assert!(refused.is_empty(), "{refused:?}");
            assert!(failures.len() <= 2, "{failures:?}");
        }
        assert_eq!(rig.client.status().await.unwrap().projects.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_told_to_end_fails_no_request() {
    let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    let slow = tokio::spawn(async move { get(listen, "GET", "/held").await });
    until(|| async { server.arrived() == 1 }).await;
    let load = Load::start(listen, 3, 3);
    until(|| async { load.answered() > 50 }).await;
    for round in 0..3 {
        let worker = rig.client.status().await.unwrap().process;
        if round == 0 {
            rig.signal("work", Signal::TERM).await;
        } else {
            let id = rustix::process::Pid::from_raw(worker.cast_signed()).unwrap();
            rustix::process::kill_process(id, Signal::TERM).unwrap();
        }
        // The next one serves although the last one still waits for its slow request.
        until(|| async { rig.client.status().await.is_ok_and(|status| status.process != worker) }).await;
    }
    let before = load.answered();
    until(|| async { load.answered() > before + 50 }).await;
    server.release();
    assert_eq!(slow.await.unwrap().body(), "web-1");
    let (answered, failures, longest) = load.stop().await;
    assert_eq!(failures, Vec::<String>::new(), "of {answered}");
    assert!(longest < Duration::from_secs(3), "a request waited {longest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_supervisor_is_replaced_and_no_request_fails() {
    let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    let load = Load::start(listen, 2, 2);
    let worker = rig.client.status().await.unwrap().process;
    for _ in 0..3 {
        let killed = rig.signal("supervise", Signal::KILL).await;
        rig.launch().await;
        until(|| async {
            !rig.processes("supervise").contains(&killed) && rig.processes("supervise").len() == 1
        })
        .await;
        // A new address is bound by whoever holds the sockets by now.
        let other = free_address();
        rig.client.put("blog", &set(other, &[&server])).await.unwrap();
        assert_eq!(get(other, "GET", "/").await.body(), "web-1");
    }
    assert_eq!(rig.client.status().await.unwrap().process, worker, "the worker served on");
    let before = load.answered();
    until(|| async { load.answered() > before + 20 }).await;
    let (answered, failures, _) = load.stop().await;
    assert_eq!(failures, Vec::<String>::new(), "of {answered}");

    // The new supervisor holds the sockets: it can replace a worker as the first one could.
    rig.signal("work", Signal::KILL).await;
    assert_eq!(get(listen, "GET", "/").await.body(), "web-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_killed_are_launched_again_with_the_same_routes() {
    let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    until(|| async {
        for part in ["supervise", "work"] {
            for id in rig.processes(part) {
                let _ =
                    rustix::process::kill_process(rustix::process::Pid::from_raw(id).unwrap(), Signal::KILL);
            }
        }
        rig.processes("supervise").is_empty() && rig.processes("work").is_empty()
    })
    .await;
    assert!(!rig.client.is_running().await);
    // Two callers at once start one.
    tokio::join!(rig.launch(), rig.launch());
    assert_eq!(get(listen, "GET", "/").await.body(), "web-1");
    until(|| async { rig.processes("supervise").len() == 1 && rig.processes("work").len() == 1 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_processes_end_when_nothing_is_served_and_when_told_to() {
    let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    assert!(!rig.client.stop_if_idle().await.unwrap());
    rig.client.remove("shop").await.unwrap();
    assert!(rig.client.stop_if_idle().await.unwrap());
    let ended = || async { rig.processes("supervise").is_empty() && rig.processes("work").is_empty() };
    until(ended).await;

    rig.launch().await;
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    let slow = tokio::spawn(async move { get(listen, "GET", "/held").await });
    until(|| async { server.arrived() == 1 }).await;
    rig.signal("supervise", Signal::TERM).await;
    until(|| async { TcpStream::connect(listen).await.is_err() || rig.processes("work").len() == 1 }).await;
    server.release();
    assert_eq!(slow.await.unwrap().body(), "web-1");
    until(ended).await;
    assert!(TcpStream::connect(listen).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_callers_environment_stays_in_the_processes() {
    let rig = Rig::start().await;
    assert!(std::env::var("PATH").is_ok(), "this process has an environment");
    for part in ["supervise", "work"] {
        until(|| async { rig.processes(part).len() == 1 }).await;
        let environment = std::fs::read(format!("/proc/{}/environ", rig.processes(part)[0])).unwrap();
        assert!(environment.is_empty(), "{}", String::from_utf8_lossy(&environment));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_put_while_the_gateway_ends_is_served_or_refused() {
    let (rig, server) = (Rig::start().await, Server::start("web-1").await);
    for round in 0..20 {
        rig.launch().await;
        let listen = free_address();
        let wanted = set(listen, &[&server]);
        let (put, stop) = tokio::join!(rig.client.put("shop", &wanted), async {
            // Now before the other question, now after it.
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            rig.client.stop_if_idle().await
        });
        match put {
            Ok(_) => {
                assert!(!stop.unwrap_or(false), "acknowledged by a gateway that ends");
                assert_eq!(get(listen, "GET", "/").await.body(), "web-1");
                rig.client.remove("shop").await.unwrap();
            }
            Err(error) => assert!(matches!(error, GatewayError::NotRunning { .. }), "{error}"),
        }
    }
}
