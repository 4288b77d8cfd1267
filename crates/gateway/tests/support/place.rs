//! A gateway of a test's own, backends in threads, and requests over plain sockets.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "code of tests"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use seaworthy_gateway::route::{Backend, Balance, Balancing, Policy, Probe, Protocol, Route, RouteSet, Site};
use seaworthy_gateway::{Client, Program, launch};

/// A gateway of a test's own.
pub struct Place {
    folder: tempfile::TempDir,
    pub listen: SocketAddr,
    pub client: Client,
}

impl Place {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let client = launch(&program(), folder.path(), Duration::from_secs(20)).await.unwrap();
        Self { listen: free_address(), client, folder }
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// A set with one route to these backends.
    pub fn set(&self, backends: &[&TestBackend]) -> RouteSet {
        let probe =
            Probe { path: "/ready".into(), grpc: None, interval_ms: 100, timeout_ms: 500, fall: 2, rise: 1 };
        let backends = backends
            .iter()
            .map(|backend| Backend { id: backend.id.clone(), address: backend.address })
            .collect();
        RouteSet { routes: vec![route(self.listen, None, "/", Some(probe), backends)] }
    }

    /// The supervisor's process, from its lock.
    pub fn processes(&self, role: &str) -> Vec<u32> {
        let needle = self.folder.path().to_string_lossy().into_owned();
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let of = |entry: std::fs::DirEntry| {
            let process: u32 = entry.file_name().to_string_lossy().parse().ok()?;
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).into_owned();
            (line.contains(&needle) && line.contains(role)).then_some(process)
        };
        entries.filter_map(of).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for role in ["supervise", "work"] {
            for process in self.processes(role) {
                kill(process);
            }
        }
        for process in self.processes("") {
            kill(process);
        }
    }
}

pub fn program() -> Program {
    Program {
        path: PathBuf::from(env!("CARGO_BIN_EXE_gateway-under-test")),
        arguments: Vec::new(),
        companion: Vec::new(),
    }
}

pub fn kill(process: u32) {
    let _ = std::process::Command::new("kill").args(["-9", &process.to_string()]).status();
}

pub fn route(
    listen: SocketAddr,
    host: Option<&str>,
    path: &str,
    probe: Option<Probe>,
    backends: Vec<Backend>,
) -> Route {
    Route {
        name: format!("web{}", path.trim_end_matches('/').replace('/', "-")),
        listen,
        protocol: Protocol::Http,
        host: host.map(str::to_owned),
        path: path.to_owned(),
        balance: Balance::RoundRobin,
        balancing: Balancing { wait_ms: 0, ..Balancing::default() },
        policy: Policy::default(),
        site: Site::default(),
        sticky: false,
        http2: false,
        tls: None,
        traces: None,
        probe,
        backends,
    }
}

/// An address nobody listens on. Below the range that the kernel takes ports from by itself, so that no other test's
/// backend or connection is given it in the meantime.
pub fn free_address() -> SocketAddr {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let step = NEXT.fetch_add(1, Ordering::SeqCst) + u64::from(std::process::id()) * 61;
        let port = 11_000 + u16::try_from(step % 4_000).unwrap();
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener.local_addr().unwrap();
        }
    }
}

/// A backend in threads: answers with its id and what it was sent.
pub struct TestBackend {
    pub id: String,
    pub address: SocketAddr,
    pub served: Arc<AtomicU64>,
    /// While set, a request's connection is cut before an answer.
    pub cuts: Arc<AtomicBool>,
    stopped: Arc<AtomicBool>,
}

impl TestBackend {
    pub fn start(id: &str) -> Self {
        Self::start_at(id, "127.0.0.1:0".parse().unwrap())
    }

    pub fn start_at(id: &str, address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let backend = Self {
            id: id.to_owned(),
            address: listener.local_addr().unwrap(),
            served: Arc::default(),
            cuts: Arc::default(),
            stopped: Arc::default(),
        };
        let (served, cuts, stopped, id) =
            (backend.served.clone(), backend.cuts.clone(), backend.stopped.clone(), backend.id.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (served, cuts, stopped, id) = (served.clone(), cuts.clone(), stopped.clone(), id.clone());
                std::thread::spawn(move || serve(stream, &id, &served, &cuts, &stopped));
            }
        });
        backend
    }

    /// Refuses connections from now on, and cuts those that are open at their next request.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: TcpStream, id: &str, served: &AtomicU64, cuts: &AtomicBool, stopped: &AtomicBool) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut head = String::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        let length = head
            .to_ascii_lowercase()
            .lines()
            .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let path = head.split_whitespace().nth(1).unwrap_or("/").to_owned();
        let is_probe = path == "/ready";
        if stopped.load(Ordering::SeqCst) || (cuts.load(Ordering::SeqCst) && !is_probe) {
            return;
        }
        if !is_probe {
            served.fetch_add(1, Ordering::SeqCst);
        }
        if path == "/slow" {
            std::thread::sleep(Duration::from_millis(600));
        }
        let text = format!("{id}\n{head}");
        let answer = format!(
            "HTTP/1.1 200 OK\r\nserver: secret/1.0\r\nconnection: x-private\r\nx-private: 1\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        );
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// An answer: its head and its body.
pub struct Got {
    pub head: String,
    pub body: String,
}

impl Got {
    pub fn status(&self) -> u16 {
        self.head.split_whitespace().nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// Who answered.
    pub fn by(&self) -> &str {
        self.body.lines().next().unwrap_or_default()
    }
}

/// A connection that is kept.
pub struct Connection {
    reader: BufReader<TcpStream>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(15)))?;
        Ok(Self { reader: BufReader::new(stream) })
    }

    pub fn send(&mut self, request: &str) -> std::io::Result<Got> {
        self.reader.get_mut().write_all(request.as_bytes())?;
        let mut head = String::new();
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        let length = head
            .to_ascii_lowercase()
            .lines()
            .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        self.reader.read_exact(&mut body)?;
        Ok(Got { head, body: String::from_utf8_lossy(&body).into_owned() })
    }

    pub fn get(&mut self, path: &str) -> std::io::Result<Got> {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"))
    }
}

/// One request over a connection of its own.
pub fn ask(address: SocketAddr, request: &str) -> std::io::Result<Got> {
    Connection::open(address)?.send(request)
}

/// One GET over a connection of its own.
pub fn get(address: SocketAddr, path: &str) -> std::io::Result<Got> {
    Connection::open(address)?.get(path)
}

/// Requests without a break from four clients, two of which keep their connection, until it is stopped.
pub struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<(u64, Vec<String>)>>,
}

impl Load {
    pub fn start(address: SocketAddr) -> Self {
        let stop: Arc<AtomicBool> = Arc::default();
        let client = |number: u32| {
            let stop = stop.clone();
            std::thread::spawn(move || {
                let (mut sent, mut failures, mut kept) = (0, Vec::new(), None);
                while !stop.load(Ordering::SeqCst) && sent < 1_000_000 {
                    sent += 1;
                    let keep = number.is_multiple_of(2);
                    let got = match kept.take() {
                        Some(connection) => Ok(connection),
                        None => Connection::open(address),
                    };
                    let got = got.and_then(|mut connection| connection.get("/").map(|got| (connection, got)));
                    match got {
                        Ok((connection, got)) if got.status() == 200 => kept = keep.then_some(connection),
                        Ok((_, got)) => failures.push(got.head),
                        Err(error) => failures.push(error.to_string()),
                    }
                    std::thread::sleep(Duration::from_millis(1));
                }
                (sent, failures)
            })
        };
        Self { threads: (0..4).map(client).collect(), stop }
    }

    pub fn stop(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::SeqCst);
        let ended = self.threads.into_iter().map(|thread| thread.join().unwrap());
        ended.fold((0, Vec::new()), |(sent, mut all), (more, failures)| {
            all.extend(failures);
            (sent + more, all)
        })
    }
}

/// Waits until a condition holds.
pub async fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
