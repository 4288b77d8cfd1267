//! Sticky sessions: a client keeps its backend as long as that is there and well.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;
use seaworthy_gateway::route::RouteSet;

use crate::rig::{Rig, Server, free_address, raw, set, until};

fn sticky(listen: SocketAddr, servers: &[&Server]) -> RouteSet {
    let mut wanted = set(listen, servers);
    wanted.routes[0].sticky = true;
    wanted
}

/// Who answered, and the cookie that came with it.
async fn ask(listen: SocketAddr, cookie: &str) -> (String, Option<String>) {
    let request =
        format!("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncookie: theme=dark; {cookie}\r\n\r\n");
    let answer = raw(listen, &request, "no such text").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let set = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).map(str::to_owned);
    (answer.rsplit("\r\n").next().unwrap().to_owned(), set)
}

fn pair(cookie: Option<String>) -> String {
    cookie.expect("a cookie").split(';').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_keeps_its_backend_until_that_is_sick_or_gone() {
    let (rig, listen) = (Rig::start().await, free_address());
    let servers = [Server::start("a").await, Server::start("b").await, Server::start("c").await];
    let all: Vec<&Server> = servers.iter().collect();
    rig.client.put("shop", &sticky(listen, &all)).await.unwrap();
    let (first, cookie) = ask(listen, "").await;
    let text = cookie.clone().unwrap();
    assert!(text.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{text}");
    let cookie = pair(cookie);
    assert_eq!(cookie.split_once('=').unwrap().1.len(), 32, "nothing but digits: {cookie}");
    for _ in 0..12 {
        assert_eq!(ask(listen, &cookie).await, (first.clone(), None), "no cookie that it has already");
    }
    // Over a restart too: the key is on disk, for its owner alone.
    let mode = std::fs::metadata(rig.file("sticky.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = rig.signal("work", Signal::KILL).await;
    until(|| async { rig.processes("work").iter().any(|id| *id != before) }).await;
    assert_eq!(ask(listen, &cookie).await, (first.clone(), None));

    // Sick: another takes over, and the client is told. Once it is there again, that one stays.
    let own = servers.iter().find(|server| server.name == first).unwrap();
    own.sick(true);
    let is_well = async |rig: &Rig| {
        let status = rig.client.status().await.unwrap();
        status.projects[0].backends.iter().all(|backend| backend.well)
    };
    until(|| async { !is_well(&rig).await }).await;
    let (second, moved) = ask(listen, &cookie).await;
    assert_ne!(second, first);
    let moved = pair(moved);
    own.sick(false);
    until(|| async { is_well(&rig).await }).await;
    assert_eq!(ask(listen, &moved).await, (second.clone(), None));

    // Gone with a swap: the same, at once.
    let left: Vec<&Server> = servers.iter().filter(|server| server.name != second).collect();
    rig.client.put("shop", &sticky(listen, &left)).await.unwrap();
    let (third, again) = ask(listen, &moved).await;
    assert_ne!(third, second);
    assert_eq!(ask(listen, &pair(again)).await, (third, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_up_cookie_is_as_good_as_none() {
    let (rig, listen) = (Rig::start().await, free_address());
    let servers = [Server::start("a").await, Server::start("b").await];
    let all: Vec<&Server> = servers.iter().collect();
    rig.client.put("shop", &sticky(listen, &all)).await.unwrap();
    let cookie = pair(ask(listen, "").await.1);
    let (name, value) = cookie.split_once('=').unwrap();
    for made_up in ["", "a", "0", &value[1..], &"0".repeat(32), &"x".repeat(5000)] {
        assert!(ask(listen, &format!("{name}={made_up}")).await.1.is_some(), "{made_up}");
    }
    let plain = set(listen, &all);
    rig.client.put("shop", &plain).await.unwrap();
    assert_eq!(ask(listen, "").await.1, None, "not where nobody asked for it");
}
