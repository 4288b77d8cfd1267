//! A backend that speaks a line protocol of its own, and a client of it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use seaworthy_gateway::route::{Backend, Protocol, Route, RouteSet};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{PATIENCE, route};

/// A backend in this process. It answers `word` with `NAME word`, and the end of what a client says with `NAME bye`;
/// `reset` breaks the connection off.
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    open: Arc<AtomicUsize>,
    accepted: Arc<AtomicUsize>,
    tasks: Option<tokio::task::JoinHandle<()>>,
}

impl Peer {
    pub(crate) async fn start(name: &str) -> Self {
        Self::start_at(name, "127.0.0.1:0".parse().unwrap()).await
    }

    pub(crate) async fn start_at(name: &str, address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let (open, accepted) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (counted, seen, own) = (open.clone(), accepted.clone(), name.to_owned());
        let address = listener.local_addr().unwrap();
        let tasks = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                seen.fetch_add(1, Ordering::SeqCst);
                let (counted, own) = (counted.clone(), own.clone());
                connections.spawn(async move {
                    counted.fetch_add(1, Ordering::SeqCst);
                    let _ = talk(stream, &own).await;
                    counted.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { name: name.to_owned(), address, open, accepted, tasks: Some(tasks) }
    }

    /// Ends at once, as a killed process does.
    pub(crate) async fn kill(&mut self) {
        if let Some(tasks) = self.tasks.take() {
            tasks.abort();
            let _ = tasks.await;
        }
    }

    /// Connections that are open now.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// Connections there ever were.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

async fn talk(mut stream: TcpStream, name: &str) -> io::Result<()> {
    let (hears, mut says) = stream.split();
    let mut lines = BufReader::new(hears).lines();
    while let Some(line) = lines.next_line().await? {
        if line == "reset" {
            rustix::net::sockopt::set_socket_linger(&stream, Some(std::time::Duration::ZERO))?;
            return Ok(());
        }
        says.write_all(format!("{name} {line}\n").as_bytes()).await?;
    }
    says.write_all(format!("{name} bye\n").as_bytes()).await
}

/// A set of one TCP route.
pub(crate) fn tcp_set(listen: SocketAddr, peers: &[&Peer]) -> RouteSet {
    let backends =
        peers.iter().map(|peer| Backend { id: peer.name.clone(), address: peer.address }).collect();
    let tcp = Route { protocol: Protocol::Tcp, probe: None, backends, ..route("db", listen, &[]) };
    RouteSet { routes: vec![tcp] }
}

/// A client's connection.
pub(crate) struct Caller {
    stream: BufReader<TcpStream>,
}

impl Caller {
    pub(crate) async fn connect(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { stream: BufReader::new(TcpStream::connect(address).await?) })
    }

    /// The answer to a word; an end without one is an error.
    pub(crate) async fn ask(&mut self, word: &str) -> io::Result<String> {
        self.stream.get_mut().write_all(format!("{word}\n").as_bytes()).await?;
        let mut answer = String::new();
        let read = timeout(PATIENCE, self.stream.read_line(&mut answer)).await??;
        if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(answer.trim_end().to_owned()) }
    }

    /// Says no more; what still comes until the other side's end.
    pub(crate) async fn finish(mut self) -> io::Result<String> {
        self.stream.get_mut().shutdown().await?;
        self.rest().await
    }

    /// What comes until the end.
    pub(crate) async fn rest(&mut self) -> io::Result<String> {
        let mut rest = String::new();
        timeout(PATIENCE, self.stream.read_to_string(&mut rest)).await??;
        Ok(rest)
    }

    /// Breaks the connection off.
    pub(crate) fn reset(self) {
        let zero = Some(std::time::Duration::ZERO);
        rustix::net::sockopt::set_socket_linger(self.stream.get_ref(), zero).unwrap();
    }
}

/// Clients that each ask one word over a connection of its own, again and again, until stopped.
pub(crate) struct Calls {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    tasks: JoinSet<Vec<String>>,
}

impl Calls {
    pub(crate) fn start(address: SocketAddr, clients: usize) -> Self {
        let (stop, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let mut tasks = JoinSet::new();
        for _ in 0..clients {
            let (stop, answered) = (stop.clone(), answered.clone());
            tasks.spawn(async move {
                let mut failures = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    let asked = async { Caller::connect(address).await?.ask("word").await };
                    match asked.await {
                        Ok(answer) if answer.ends_with(" word") => {
                            answered.fetch_add(1, Ordering::SeqCst);
                        }
                        Ok(answer) => failures.push(answer),
                        Err(error) => failures.push(error.to_string()),
                    }
                }
                failures
            });
        }
        Self { stop, answered, tasks }
    }

    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::SeqCst)
    }

    /// How many were answered, and what failed.
    pub(crate) async fn stop(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::SeqCst);
        let failures = self.tasks.join_all().await.concat();
        (self.answered.load(Ordering::SeqCst), failures)
    }
}
