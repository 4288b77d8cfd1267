//! Memory under attack: it stays within a stated bound, and others are served.

use std::net::SocketAddr;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::rig::{Rig, Server, free_address, get, set};

/// Connections of each attack.
const ATTACKERS: usize = 200;
/// What each connection may cost: the longest head and what is kept of a body, with room for how memory is given out.
const BYTES_EACH: u64 = 160 << 10;
/// What the program needs by itself, in the slower build that tests run.
const BASE_BYTES: u64 = 64 << 20;

/// The memory of a process that is in use now.
fn resident(process: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() << 10
}

/// Opens connections, sends each of them a beginning, and as much of `more` as is taken without waiting.
async fn attack(listen: SocketAddr, beginning: &'static str, more: &'static [u8]) -> Vec<TcpStream> {
    let mut opening = JoinSet::new();
    for _ in 0..ATTACKERS {
        opening.spawn(async move {
            let mut stream = TcpStream::connect(listen).await.unwrap();
            stream.write_all(beginning.as_bytes()).await.unwrap();
            for _ in 0..24 {
                if more.is_empty() || !matches!(stream.try_write(more), Ok(1..)) {
                    break;
                }
                tokio::task::yield_now().await;
            }
            stream
        });
    }
    opening.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_cost_bounded_memory_and_others_are_served() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    let worker = rig.processes("work")[0];
    static MORE: [u8; 4096] = [b'x'; 4096];
    let attacks: [(&str, &str, &[u8]); 4] = [
        ("heads that do not end", "GET / HTTP/1.1\r\nhost: a\r\nx: ", &[]),
        ("floods of headers", "GET / HTTP/1.1\r\nhost: a\r\nx: ", &MORE),
        ("bodies that do not come", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n", &[]),
        ("bodies that do not end", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99000000\r\n\r\n", &MORE),
    ];
    let bound = BASE_BYTES + BYTES_EACH * ATTACKERS as u64;
    for (name, beginning, more) in attacks {
        let held = attack(listen, beginning, more).await;
        for _ in 0..5 {
            assert_eq!(get(listen, "GET", "/").await.status(), 200, "{name}");
        }
        let used = resident(worker);
        println!("{name}: {} MiB for {ATTACKERS} connections", used >> 20);
        assert!(used < bound, "{name}: {used} bytes are more than {bound}");
        drop(held);
    }
}
