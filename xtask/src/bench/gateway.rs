//! `bench gateway`: speed and memory of the gateway beside nginx, HAProxy, Caddy and Traefik, in one run.
#![expect(clippy::disallowed_methods, reason = "a bench measures by the real clock, in a folder of its own")]

mod cases;
mod closed;
mod open;
mod peers;
mod pinned;
mod table;

use std::error::Error;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::load::get_once;
use crate::workspace::Workspace;
use cases::{CASES, Kind};
use peers::{Listen, PEERS, Peer};
use pinned::{Pin, Pinned};
use table::Figures;

type Told<T> = Result<T, Box<dyn Error>>;

/// The core of who is measured, and that of the backend and of who asks.
const MEASURED: u32 = 0;
const OTHERS: u32 = 1;
/// How long one may take to answer for the first time.
const START: Duration = Duration::from_secs(30);
/// Descriptors that a process needs beside those of its connections, and those a connection of ours may need.
const SPARE: u64 = 400;
const EACH: u64 = 3;

/// Measure the gateway beside nginx, HAProxy, Caddy and Traefik
#[derive(Debug, clap::Args)]
pub(super) struct GatewayArguments {
    /// Only cases whose name holds this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Only these, by a text that their names hold
    #[arg(long, value_delimiter = ',', value_name = "TEXT")]
    peers: Vec<String>,
    /// How long each run lasts, in seconds
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// How often each is run, all in turn; the median counts
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// The program to measure; else one is built, optimised
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
    /// Niceness of all that is started: less than 0 takes precedence over what else the machine does
    #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
    nice: i32,
}

/// One that runs, or why it does not.
struct Standing {
    peer: Peer,
    listen: Listen,
    running: Result<Pinned, String>,
    /// Its memory after the start.
    idle: u64,
    _folder: tempfile::TempDir,
}

/// What all cases need.
struct Site<'a> {
    arguments: &'a GatewayArguments,
    wrk: PathBuf,
    h2load: PathBuf,
    pin: Pin,
    standing: Vec<Standing>,
}

pub(super) fn gateway(
    workspace: &Workspace,
    arguments: &GatewayArguments,
    output: &mut dyn Write,
) -> Told<bool> {
    let _ = std::fs::write("/proc/self/autogroup", arguments.nice.to_string());
    let wrk = peers::installed("wrk", "apt-get install wrk")?;
    let h2load = peers::installed("h2load", "apt-get install nghttp2-client")?;
    let folder = tempfile::tempdir()?;
    let (measured, others) =
        (Pin { core: MEASURED, nice: arguments.nice }, Pin { core: OTHERS, nice: arguments.nice });
    let address = free_address()?;
    readable(folder.path())?;
    let backend = Pinned::start(others, &peers::backend(folder.path(), address)?, folder.path())?;
    answers(address).map_err(|why| format!("the backend: {why}"))?;
    backend.prefer(arguments.nice);
    let wanted = |peer: &&Peer| {
        let name = peer.name().to_lowercase();
        arguments.peers.is_empty() || arguments.peers.iter().any(|text| name.contains(&text.to_lowercase()))
    };
    let mut standing = Vec::new();
    for peer in PEERS.iter().filter(wanted) {
        let stands = stand(*peer, workspace, arguments, (measured, address), output)?;
        if let Err(why) = &stands.running {
            writeln!(output, "{} is not measured: {why}", peer.name())?;
        }
        standing.push(stands);
    }
    let site = Site { arguments, wrk, h2load, pin: others, standing };
    for case in
        CASES.iter().filter(|case| arguments.only.as_deref().is_none_or(|text| case.name.contains(text)))
    {
        let rows = site.measure(case.kind)?;
        writeln!(output, "\n{}", table::table(case, &rows))?;
        output.flush()?;
    }
    Ok(true)
}

/// Starts one of them and waits until it answers.
fn stand(
    peer: Peer,
    workspace: &Workspace,
    arguments: &GatewayArguments,
    (pin, backend): (Pin, SocketAddr),
    output: &mut dyn Write,
) -> Told<Standing> {
    let folder = tempfile::tempdir()?;
    readable(folder.path())?;
    let (certificate, key) = peers::certificate(folder.path())?;
    let listen = Listen { plain: free_address()?, tls: free_address()?, certificate, key };
    let mut start = || -> Told<Pinned> {
        let program = peer.program(workspace, arguments.program.as_deref(), output)?;
        let words = peer.set_up(&program, folder.path(), &listen, backend)?;
        let running = Pinned::start(pin, &words, folder.path())?;
        answers(listen.plain)?;
        running.prefer(arguments.nice);
        Ok(running)
    };
    let running = start().map_err(|error| error.to_string());
    let idle = running.as_ref().map_or(0, Pinned::memory);
    Ok(Standing { peer, listen, running, idle, _folder: folder })
}

/// Lets programs in that change to a user of their own.
fn readable(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
}

fn answers(address: SocketAddr) -> Told<()> {
    let until = Instant::now() + START;
    loop {
        match get_once(address, cases::SMALL) {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() >= until => {
                return Err(format!("it does not answer after {} s: {error}", START.as_secs()).into());
            }
            Err(_) => std::thread::park_timeout(Duration::from_millis(50)),
        }
    }
}

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

impl Site<'_> {
    /// All of them in turn, as often as wished.
    fn measure(&self, kind: Kind) -> Told<Vec<(Peer, Result<Figures, String>)>> {
        let rate = match kind {
            Kind::Fixed { percent, .. } => self.pace()? * f64::from(percent) / 100.0,
            Kind::Most { .. } | Kind::Streams { .. } | Kind::Idle { .. } => 0.0,
        };
        let mut runs: Vec<Vec<Figures>> = self.standing.iter().map(|_| Vec::new()).collect();
        let mut why: Vec<Option<String>> = self.standing.iter().map(|_| None).collect();
        let rounds = if matches!(kind, Kind::Idle { .. }) { 1 } else { self.arguments.runs.max(1) };
        for _ in 0..rounds {
            for (index, one) in self.standing.iter().enumerate() {
                match one.running.as_ref().map_err(Clone::clone).and_then(|running| {
                    self.once(kind, one, running, rate).map_err(|error| error.to_string())
                }) {
                    Ok(figures) => runs[index].push(figures),
                    Err(error) => why[index] = Some(error),
                }
            }
        }
        let row = |(index, one): (usize, &Standing)| {
            let reason = || why[index].clone().unwrap_or_default();
            (one.peer, table::median(&runs[index]).ok_or_else(reason))
        };
        Ok(self.standing.iter().enumerate().map(row).collect())
    }

    fn once(&self, kind: Kind, one: &Standing, running: &Pinned, rate: f64) -> Told<Figures> {
        let seconds = self.arguments.seconds.max(1);
        let before = running.processor_time();
        let each =
            |requests: f64| (running.processor_time() - before).as_secs_f64() * 1e6 / requests.max(1.0);
        match kind {
            Kind::Most { path, connections, fresh, tls } => {
                let to = one.listen.address(path, tls);
                let ran = closed::run(&self.wrk, self.pin, &to, (connections, fresh), seconds)?;
                Ok(most(ran, each(ran.requests as f64)))
            }
            Kind::Streams { path, connections, streams } => {
                let to = one.listen.address(path, true);
                let ran = closed::streams(&self.h2load, self.pin, &to, (connections, streams), seconds)?;
                Ok(most(ran, each(ran.requests as f64)))
            }
            Kind::Fixed { path, connections, .. } => {
                let length = Duration::from_secs(seconds.into());
                let ran = open::run(one.listen.plain, path, connections, rate, length)?;
                let millis = |took: Duration| took.as_secs_f64() * 1e3;
                Ok(Figures {
                    columns: &["half within (ms)", "99 of 100 within (ms)", "requests/s"],
                    values: vec![millis(ran.p50), millis(ran.p99), ran.per_second],
                    failed: 0,
                })
            }
            Kind::Idle { connections } => {
                let connections = connections.min(most_connections()?);
                let held = open::hold(one.listen.plain, cases::SMALL, connections)?;
                let mebibytes = |kibibytes: u64| kibibytes as f64 / 1024.0;
                let busy = running.memory();
                let values = vec![mebibytes(one.idle), mebibytes(busy), held.len() as f64];
                Ok(Figures {
                    columns: &["idle MiB", "with connections MiB", "connections"],
                    values,
                    failed: 0,
                })
            }
        }
    }

    /// What the slowest of the quick ones can do, in requests a second.
    fn pace(&self) -> Told<f64> {
        let mut least = f64::INFINITY;
        for one in self.standing.iter().filter(|one| one.peer.sets_the_pace() && one.running.is_ok()) {
            let to = one.listen.address(cases::SMALL, false);
            let ran = closed::run(&self.wrk, self.pin, &to, (64, false), 2)?;
            least = least.min(ran.per_second);
        }
        if least.is_finite() { Ok(least) } else { Err("nobody sets the pace.".into()) }
    }
}

fn most(ran: closed::Counted, processor: f64) -> Figures {
    let columns = &["requests/s", "processor µs each"];
    Figures { columns, values: vec![ran.per_second, processor], failed: ran.failed }
}

/// How many connections one process may hold, so that ours takes them all.
fn most_connections() -> Told<usize> {
    let (_, most) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE)?;
    nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE, most, most)?;
    Ok(usize::try_from(most.saturating_sub(SPARE) / EACH)?)
}
