//! A gateway in a folder of its own; all its processes end with the test.

mod load;
mod peer;
mod secure;
mod server;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use seaworthy_gateway::route::{Backend, Balance, Balancing, Policy, Probe, Protocol, Route, RouteSet, Site};
use seaworthy_gateway::{Client, Program, launch};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

pub(crate) use load::{Load, get};
pub(crate) use peer::{Caller, Calls, Peer, tcp_set};
#[allow(unused_imports, reason = "of the two programs that have this module each uses a part")]
pub(crate) use secure::{Http2, Pair, Visitor, aged, http2_over, over, pem, secure, whole};
pub(crate) use server::{Seen, Server};

/// How long a test waits for something that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(5);

/// A running gateway.
pub(crate) struct Rig {
    folder: TempDir,
    pub(crate) client: Client,
}

pub(crate) fn program() -> Program {
    Program {
        path: PathBuf::from(env!("CARGO_BIN_EXE_gateway-under-test")),
        arguments: Vec::new(),
        companion: Vec::new(),
    }
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::start_in(TempDir::new().unwrap()).await
    }

    pub(crate) async fn start_in(folder: TempDir) -> Self {
        let client = launch(&program(), folder.path(), PATIENCE).await.unwrap();
        Self { folder, client }
    }

    /// By a program of the test's own.
    pub(crate) async fn start_by(program: &Program) -> Self {
        let folder = TempDir::new().unwrap();
        let client = launch(program, folder.path(), PATIENCE).await.unwrap();
        Self { folder, client }
    }

    pub(crate) async fn launch(&self) {
        launch(&program(), self.folder.path(), PATIENCE).await.unwrap();
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("gateway").join(name)
    }

    /// The state folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The processes that play a part in this folder.
    pub(crate) fn processes(&self, part: &str) -> Vec<i32> {
        let state = self.folder.path().to_string_lossy().into_owned();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let Ok(words) = fs::read(entry.path().join("cmdline")) else { continue };
            let words: Vec<String> = words
                .split(|byte| *byte == 0)
                .map(|word| String::from_utf8_lossy(word).into_owned())
                .collect();
            if words.get(1).is_some_and(|word| word == part) && words.contains(&state) {
                found.push(id);
            }
        }
        found
    }

    /// Sends a signal to the one process that plays this part, and returns its id.
    pub(crate) async fn signal(&self, part: &str, signal: Signal) -> i32 {
        until(|| async { self.processes(part).len() == 1 }).await;
        let id = self.processes(part)[0];
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
        id
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // The supervisor first, and again: each of the two starts the other anew.
        let until = std::time::Instant::now() + PATIENCE;
        loop {
            let left: Vec<i32> = ["supervise", "work"].iter().flat_map(|part| self.processes(part)).collect();
            if left.is_empty() || std::time::Instant::now() > until {
                return;
            }
            for id in left {
                let _ = kill_process(Pid::from_raw(id).unwrap(), Signal::KILL);
            }
            std::thread::yield_now();
        }
    }
}

/// Waits until a condition holds.
pub(crate) async fn until<F: Future<Output = bool>>(condition: impl Fn() -> F) {
    let end = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < end, "waited {PATIENCE:?} in vain");
        sleep(PAUSE).await;
    }
}

/// An address that nobody listens on now.
pub(crate) fn free_address() -> SocketAddr {
    // Below the range that the kernel takes ports from by itself, so that nobody else is given it in the meantime.
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    loop {
        let step = NEXT.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + std::process::id() * 61;
        let port = 11_000 + u16::try_from(step % 4_000).unwrap();
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener.local_addr().unwrap();
        }
    }
}

/// A set of one route for any host and path.
pub(crate) fn set(listen: SocketAddr, backends: &[&Server]) -> RouteSet {
    RouteSet { routes: vec![route("web", listen, backends)] }
}

pub(crate) fn route(name: &str, listen: SocketAddr, backends: &[&Server]) -> Route {
    Route {
        name: name.into(),
        listen,
        protocol: Protocol::Http,
        host: None,
        path: "/".into(),
        balance: Balance::RoundRobin,
        balancing: Balancing { wait_ms: 0, ..Balancing::default() },
        policy: Policy::default(),
        site: Site::default(),
        sticky: false,
        http2: false,
        tls: None,
        traces: None,
        probe: Some(quick_probe()),
        backends: backends
            .iter()
            .map(|server| Backend { id: server.name.clone(), address: server.address })
            .collect(),
    }
}

pub(crate) fn quick_probe() -> Probe {
    Probe { path: "/health".into(), grpc: None, interval_ms: 50, timeout_ms: 1_000, fall: 2, rise: 2 }
}

/// Sends bytes and reads until the other side closes or `enough` is in what came.
pub(crate) async fn raw(address: SocketAddr, request: &str, enough: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = async {
        let mut buffer = [0; 4096];
        while !String::from_utf8_lossy(&answer).contains(enough) {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(count) => answer.extend_from_slice(&buffer[..count]),
            }
        }
    };
    timeout(PATIENCE, read).await.expect("an answer in time");
    String::from_utf8(answer).unwrap()
}
