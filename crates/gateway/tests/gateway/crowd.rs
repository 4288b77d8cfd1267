//! More connections than there is room for: those that rest make some, and no address is shut out by a flood at another.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;

use seaworthy_gateway::Program;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::rig::{PATIENCE, Rig, Server, free_address, get, program, set, until};

/// Descriptors that the gateway may have, and the connections that they are enough for.
const DESCRIPTORS: u64 = 240;
const ROOM: usize = 80;

/// A gateway that may have few descriptors.
async fn small(folder: &TempDir) -> Rig {
    let path = folder.path().join("small");
    let real = program().path.display().to_string();
    fs::write(&path, format!("#!/bin/sh\nulimit -n {DESCRIPTORS}\nexec {real} \"$@\"\n")).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    Rig::start_by(&Program { path, ..program() }).await
}

/// A connection over which something was said.
async fn open(address: SocketAddr, said: &str) -> TcpStream {
    let mut stream = timeout(PATIENCE, TcpStream::connect(address)).await.unwrap().unwrap();
    stream.write_all(said.as_bytes()).await.unwrap();
    stream
}

async fn value(rig: &Rig, name: &str) -> f64 {
    let text = rig.client.metrics().await.unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap().to_owned();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_rest_make_room() {
    let (folder, listen, server) = (TempDir::new().unwrap(), free_address(), Server::start("web-1").await);
    let rig = small(&folder).await;
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    let mut kept = Vec::new();
    for number in 0..ROOM + 40 {
        let mut stream = open(listen, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        while !answer.ends_with(b"web-1") {
            let read = timeout(PATIENCE, stream.read(&mut buffer)).await.expect("served").unwrap();
            assert!(read > 0, "connection {number} ended after {answer:?}");
            answer.extend_from_slice(&buffer[..read]);
        }
        kept.push(stream);
    }
    assert_eq!(value(&rig, "seaworthy_gateway_client_connections_limit").await as usize, ROOM);
    assert!(value(&rig, "seaworthy_gateway_client_connections").await as usize <= ROOM);
    assert!(value(&rig, "seaworthy_gateway_client_connections_full_total").await >= 1.0);
    // Those that rested longest went first, and were told so.
    let mut nothing = [0; 1];
    assert_eq!(timeout(PATIENCE, kept[0].read(&mut nothing)).await.unwrap().unwrap(), 0);
    let last = kept.last_mut().unwrap();
    last.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert!(timeout(PATIENCE, last.read(&mut nothing)).await.unwrap().unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_at_one_address_shuts_out_no_other() {
    let (folder, server) = (TempDir::new().unwrap(), Server::start("web-1").await);
    let (shop, blog) = (free_address(), free_address());
    let rig = small(&folder).await;
    rig.client.put("shop", &set(shop, &[&server])).await.unwrap();
    rig.client.put("blog", &set(blog, &[&server])).await.unwrap();
    for beginning in [
        "GET / HTTP/1.1\r\nhost: a\r\nx: ",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99000000\r\n\r\nbegin",
        "",
    ] {
        let mut flood = Vec::new();
        for _ in 0..ROOM * 2 {
            flood.push(open(shop, beginning).await);
        }
        let full = || async { value(&rig, "seaworthy_gateway_client_connections_full_total").await >= 1.0 };
        until(full).await;
        for _ in 0..10 {
            assert_eq!(get(blog, "GET", "/").await.body(), "web-1");
        }
        drop(flood);
        // Who waited in the queue is served as soon as there is room.
        assert_eq!(get(shop, "GET", "/").await.body(), "web-1");
    }
}
