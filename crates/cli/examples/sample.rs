//! A sample service for tests: speaks HTTP on `$PORT` of `$LISTEN` (this machine alone when absent), says its version, and misbehaves on demand.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::exit,
    reason = "a small program of its own, for tests"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What the program was built as; tests copy the file and change these bytes to make another version.
static VERSION: &[u8; 24] = b"seaworthy-sample-ver=001";
/// Versions from 800 crash after so long.
const CRASH: Duration = Duration::from_secs(5);

static SICK: AtomicBool = AtomicBool::new(false);

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
        if std::io::Read::read_exact(&mut reader, &mut body).is_err() {
            return;
        }
        let path = request.split_whitespace().nth(1).unwrap_or("/");
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
