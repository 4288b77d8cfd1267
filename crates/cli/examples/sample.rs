//! A sample service for tests: speaks HTTP on `$PORT` of `$LISTEN` (this machine alone when absent), says its version, and misbehaves on demand.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::exit,
    reason = "a small program of its own, for tests"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal, raise};

/// What the program was built as; tests copy the file and change these bytes to make another version.
static VERSION: &[u8; 24] = b"seaworthy-sample-ver=001";
/// Versions from 800 crash after so long.
const CRASH: Duration = Duration::from_secs(5);

/// How often an open WebSocket is looked at while it says nothing.
const LOOK: Duration = Duration::from_millis(20);

static SICK: AtomicBool = AtomicBool::new(false);
/// It was asked to end.
static LEAVING: AtomicBool = AtomicBool::new(false);
/// WebSockets that are open.
static SOCKETS: AtomicUsize = AtomicUsize::new(0);

fn main() {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    if let Ok(code) = variable("EXIT_CODE").parse() {
        println!("ending with {code}");
        std::process::exit(code);
    }
    if variable("ROLE") == "worker" {
        println!("working");
        loop {
            std::thread::park();
        }
    }
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1".to_owned());
    let listener = TcpListener::bind((address.as_str(), variable("PORT").parse().unwrap_or(0)));
    let Ok(listener) = listener else { std::process::exit(1) };
    println!("token is {}", variable("API_TOKEN"));
    let end = SigSet::from_iter([Signal::SIGTERM]);
    if end.thread_block().is_ok() {
        std::thread::spawn(move || leave(end));
    }
    if version().starts_with('8') {
        std::thread::spawn(|| {
            std::thread::sleep(CRASH);
            println!("ran out of luck");
            std::process::exit(134);
        });
    }
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || serve(&stream));
    }
}

/// Asked to end, it says goodbye on its WebSockets first; then the signal has its usual effect.
fn leave(end: SigSet) {
    let _ = end.wait();
    LEAVING.store(true, Ordering::Relaxed);
    while SOCKETS.load(Ordering::Relaxed) > 0 {
        std::thread::sleep(LOOK);
    }
    let _ = end.thread_unblock();
    let _ = raise(Signal::SIGTERM);
}

/// Echoes what comes on a WebSocket until its client says goodbye. Enough of RFC 6455 for short texts, and without the proof
/// of a handshake, which its clients do not look at.
fn echo(mut stream: &TcpStream, reader: &mut BufReader<&TcpStream>) -> std::io::Result<()> {
    const AGREED: &[u8] =
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    const CLOSE: u8 = 0x88;
    const GOING_AWAY: [u8; 4] = [CLOSE, 2, 3, 0xe9];
    stream.write_all(AGREED)?;
    stream.set_read_timeout(Some(LOOK))?;
    let mut told = false;
    loop {
        if LEAVING.load(Ordering::Relaxed) && !std::mem::replace(&mut told, true) {
            stream.write_all(&GOING_AWAY)?;
        }
        match reader.fill_buf() {
            Ok([]) => return Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            filled => filled.map(|_| ())?,
        }
        let mut head = [0; 6];
        reader.read_exact(&mut head)?;
        let [kind, length, mask @ ..] = head;
        let mut text = vec![0; usize::from(length & 0x7f)];
        reader.read_exact(&mut text)?;
        if kind == CLOSE {
            return Ok(());
        }
        text.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        stream.write_all(&[&[kind, length & 0x7f], text.as_slice()].concat())?;
    }
}

/// Answers requests until the client goes.
fn serve(mut stream: &TcpStream) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
    let mut reader = BufReader::new(stream);
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request).unwrap_or(0) == 0 {
            return;
        }
        let mut length = 0;
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if header.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let path = request.split_whitespace().nth(1).unwrap_or("/");
        if path == "/echo" {
            SOCKETS.fetch_add(1, Ordering::Relaxed);
            let _ = echo(stream, &mut reader);
            SOCKETS.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let version = version();
        let broken = version.starts_with('9');
        let (status, text) = match path {
            // From now on it runs and is not well.
            "/sicken" => {
                SICK.store(true, Ordering::Relaxed);
                ("200 OK", "it is sick".to_owned())
            }
            "/ready" if SICK.load(Ordering::Relaxed) => ("503 Service Unavailable", "it is sick".to_owned()),
            // More memory than it may have.
            "/eat" => {
                ("200 OK", vec![b'x'; 256 << 20].iter().map(|byte| u64::from(*byte)).sum::<u64>().to_string())
            }
            "/ready" if broken => ("503 Service Unavailable", "the table `orders` is not there".to_owned()),
            _ => (
                "200 OK",
                format!("version {version} greeting {}", std::env::var("GREETING").unwrap_or_default()),
            ),
        };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{text}", text.len());
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Read at run time, so that a version patched into the file counts.
fn version() -> String {
    let version = String::from_utf8_lossy(std::hint::black_box(VERSION)).into_owned();
    version.rsplit('=').next().unwrap_or_default().to_owned()
}
