//! Starting a program, asking it over HTTP, reading what it logs, stopping it.
#![allow(clippy::disallowed_methods, reason = "these tests wait for real programs, up to a deadline")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

pub(crate) const WEB: &str = env!("CARGO_BIN_EXE_notes-web");
pub(crate) const WEB_2: &str = env!("CARGO_BIN_EXE_notes-web-v2");
pub(crate) const WEB_3: &str = env!("CARGO_BIN_EXE_notes-web-v3");
pub(crate) const WORKER: &str = env!("CARGO_BIN_EXE_notes-worker");
pub(crate) const MIGRATE: &str = env!("CARGO_BIN_EXE_notes-migrate");
pub(crate) const TOKEN: &str = "canary-1f6d0c9a7e35d8";

const PATIENCE: Duration = Duration::from_secs(20);

/// A program under test; killed when the test is over.
pub(crate) struct Program {
    child: Child,
    lines: Arc<Mutex<Vec<Value>>>,
    reader: Option<JoinHandle<()>>,
}

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Program {
    /// Starts a program with these variables and no others, on a port of the system's choice.
    pub(crate) fn start(path: &str, variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(path)
            .env_clear()
            .env("PORT", "0")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let reader = std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
                kept.lock().unwrap().push(line);
            }
        });
        Self { child, lines, reader: Some(reader) }
    }

    /// Starts a web service on the database in `folder`.
    pub(crate) fn web(path: &str, folder: &Path) -> Self {
        Self::start(path, &[("DATABASE_PATH", &database(folder)), ("NOTES_TOKEN", TOKEN)])
    }

    /// Waits for a line that `wanted` accepts.
    pub(crate) fn line(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        wait_for(what, || self.lines.lock().unwrap().iter().find(|line| wanted(line)).cloned())
    }

    pub(crate) fn message(&self, message: &str) -> Value {
        self.line(message, |line| line["message"] == message)
    }

    pub(crate) fn address(&self) -> String {
        self.message("listening")["address"].as_str().unwrap().to_owned()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// Waits for the program to end; all that it logged.
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<Value>) {
        let status = wait_for("the program's end", || self.child.try_wait().unwrap());
        self.reader.take().unwrap().join().unwrap();
        (status, std::mem::take(&mut *self.lines.lock().unwrap()))
    }

    pub(crate) fn ask(&self, request: &str, body: &str) -> Answer {
        let mut stream = self.begin(request, body.len());
        stream.write_all(body.as_bytes()).unwrap();
        answer(stream)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), "")
    }

    /// Sends the head of a request with the token, for a body of `length` bytes that the caller sends.
    pub(crate) fn begin(&self, request: &str, length: usize) -> TcpStream {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "{request} HTTP/1.1\r\nhost: notes\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }
}

pub(crate) fn database(folder: &Path) -> String {
    folder.join("notes.db").to_str().unwrap().to_owned()
}

/// Runs the migration to its end.
pub(crate) fn migrate(folder: &Path) -> Vec<Value> {
    let (status, lines) = Program::start(MIGRATE, &[("DATABASE_PATH", &database(folder))]).end();
    assert!(status.success(), "{lines:?}");
    lines
}

/// Reads an answer to its end.
pub(crate) fn answer(mut stream: TcpStream) -> Answer {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

/// Asks until there is an answer, or until patience ends.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
