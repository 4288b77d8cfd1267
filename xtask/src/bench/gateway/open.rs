//! The open model: each request is due at a time of its own, and late when the one before it was. A thread a connection,
//! since that costs the least for each request.
#![expect(clippy::disallowed_methods, reason = "a bench measures by the real clock")]

use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Requests at the beginning that do not count.
const WARM_UP: Duration = Duration::from_millis(500);

/// What a run of it came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timed {
    pub(super) p50: Duration,
    pub(super) p99: Duration,
    pub(super) per_second: f64,
}

/// Sends `rate` requests a second over so many connections.
pub(super) fn run(
    target: SocketAddr,
    path: &str,
    connections: usize,
    rate: f64,
    length: Duration,
) -> Result<Timed, Box<dyn Error>> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {target}\r\n\r\n");
    let begun = Instant::now() + Duration::from_millis(100);
    let each = Duration::from_secs_f64(connections as f64 / rate);
    let sender = |number: usize| {
        let request = request.clone();
        let first = begun + each.mul_f64(number as f64 / connections as f64);
        std::thread::spawn(move || send(target, request.as_bytes(), first, each, begun + length))
    };
    let senders: Vec<_> = (0..connections).map(sender).collect();
    let mut all = Vec::new();
    for sender in senders {
        all.extend(sender.join().map_err(|_| "a sender broke down.")??);
    }
    let ended = begun.elapsed().max(length);
    all.retain(|(due, _)| *due >= begun + WARM_UP);
    let mut took: Vec<Duration> = all.iter().map(|(_, took)| *took).collect();
    took.sort_unstable();
    let at = |percent: usize| took.get(took.len() * percent / 100).copied().ok_or("no request was answered.");
    Ok(Timed { p50: at(50)?, p99: at(99)?, per_second: took.len() as f64 / (ended - WARM_UP).as_secs_f64() })
}

/// Sends until the end; answers with when each was due and how long after that its answer was there.
fn send(
    target: SocketAddr,
    request: &[u8],
    first: Instant,
    each: Duration,
    end: Instant,
) -> std::io::Result<Vec<(Instant, Duration)>> {
    let mut stream = TcpStream::connect(target)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut told = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    let mut due = first;
    while due < end {
        while let Some(wait) = due.checked_duration_since(Instant::now()) {
            std::thread::park_timeout(wait);
        }
        stream.write_all(request)?;
        answered(&mut stream, &mut buffer)?;
        told.push((due, due.elapsed()));
        due += each;
    }
    Ok(told)
}

/// Reads one answer of status 200 and a length that is given.
fn answered(stream: &mut TcpStream, buffer: &mut [u8]) -> std::io::Result<()> {
    let wrong = |why: &str| std::io::Error::other(why.to_owned());
    let mut filled = 0;
    loop {
        let read = stream.read(buffer.get_mut(filled..).unwrap_or_default())?;
        if read == 0 {
            return Err(wrong("the connection was closed before the end of an answer."));
        }
        filled += read;
        let text = buffer.get(..filled).unwrap_or_default();
        let Some(head) = text.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head_text = String::from_utf8_lossy(text.get(..head).unwrap_or_default()).to_ascii_lowercase();
        if !head_text.starts_with("http/1.1 200") {
            return Err(wrong("an answer has another status than 200."));
        }
        let length = head_text.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize =
            length.and_then(|length| length.trim().parse().ok()).ok_or_else(|| wrong("no length."))?;
        if filled >= head + 4 + length {
            return Ok(());
        }
    }
}

/// Opens so many connections, makes a request over each, and keeps them open.
pub(super) fn hold(target: SocketAddr, path: &str, connections: usize) -> std::io::Result<Vec<TcpStream>> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {target}\r\n\r\n");
    let mut held = Vec::with_capacity(connections);
    let mut buffer = vec![0; 64 << 10];
    for _ in 0..connections {
        let mut stream = TcpStream::connect(target)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.write_all(request.as_bytes())?;
        answered(&mut stream, &mut buffer)?;
        held.push(stream);
    }
    Ok(held)
}
