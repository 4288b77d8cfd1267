//! The sample program that the tests of the process engine run: it plays the shim, and services of several kinds.
#![expect(
    clippy::disallowed_methods,
    reason = "a program of its own, whose whole purpose is to touch the world"
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use nix::sys::signal::{SigHandler, Signal, signal};

const LONG: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["shim", folder] => {
            let code = seaworthy_engine::process::shim_main(Path::new(folder));
            return ExitCode::from(u8::try_from(code).unwrap_or(1));
        }
        ["serve", status] => serve(status),
        ["serve", status, _untold] => serve(status),
        ["write", count] => write_lines(count.parse().unwrap_or(0)),
        ["job", milliseconds, code] => {
            std::thread::sleep(Duration::from_millis(milliseconds.parse().unwrap_or(0)));
            return ExitCode::from(code.parse::<u8>().unwrap_or(1));
        }
        ["write-file", path, text] => {
            return if std::fs::write(path, text).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        ["stubborn"] => {
            ignore_termination();
            serve("200");
        }
        ["hog", mebibytes] => hog(mebibytes.parse().unwrap_or(0)),
        ["orphan", pid_file] => {
            leave_behind(Path::new(pid_file));
            serve("200");
        }
        ["echo"] => {
            let copied = std::io::copy(&mut std::io::stdin(), &mut std::io::stdout());
            return if copied.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        ["variable", name] => say(&std::env::var(name).unwrap_or_default()),
        ["linger"] => std::thread::sleep(LONG),
        _ => return ExitCode::from(64),
    }
    ExitCode::SUCCESS
}

/// Answers each request on `$PORT` of `$LISTEN` (this machine alone when absent): `/variable/<name>` with that variable, `/file/<name>` with the contents of the
/// file that variable names, anything else with `status`.
fn serve(status: &str) {
    say("serving");
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(0);
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1".to_owned());
    let listener = TcpListener::bind((address.as_str(), port));
    let listener = match listener {
        Ok(listener) => listener,
        Err(error) => return say(&format!("cannot listen on {port}: {error}")),
    };
    for stream in listener.incoming().flatten() {
        answer(stream, status);
    }
}

fn answer(mut stream: TcpStream, status: &str) {
    let mut bytes = [0; 4096];
    let length = stream.read(&mut bytes).unwrap_or(0);
    let head = String::from_utf8_lossy(&bytes[..length]).into_owned();
    let path = head.split_ascii_whitespace().nth(1).unwrap_or("/");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let (status, body) = match path.trim_start_matches('/').split_once('/') {
        Some(("variable", name)) => ("200", variable(name)),
        Some(("file", name)) => ("200", std::fs::read_to_string(variable(name)).unwrap_or_default()),
        _ => (status, String::new()),
    };
    let reason = if status == "200" { "OK" } else { "Service Unavailable" };
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {status} {reason}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
}

fn write_lines(count: u32) {
    for number in 1..=count {
        say(&format!("line {number}"));
    }
    std::thread::sleep(LONG);
}

/// Takes memory, a mebibyte at a time, and touches it.
fn hog(mebibytes: usize) {
    let mut taken: Vec<Vec<u8>> = Vec::new();
    for _ in 0..mebibytes {
        taken.push(vec![1; 1 << 20]);
    }
    say(&format!("took {} MiB", taken.len()));
    std::thread::sleep(LONG);
}

/// Leaves a process behind in a session of its own, as a badly behaved daemon does.
fn leave_behind(pid_file: &Path) {
    let own = std::env::current_exe().unwrap_or_default();
    let left = Command::new("setsid").arg(own).arg("linger").stdin(Stdio::null()).spawn();
    if let Ok(left) = left {
        let _ = std::fs::write(pid_file, left.id().to_string());
    }
}

fn ignore_termination() {
    #[expect(unsafe_code, reason = "to ignore a signal is the point of this sample")]
    // SAFETY: ignoring a signal installs no handler that could run.
    unsafe {
        let _ = signal(Signal::SIGTERM, SigHandler::SigIgn);
    }
}

fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
