//! The access log: a JSON line a request or TCP connection, written off its path.

use std::cell::RefCell;
use std::fs::File;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::place::Place;
use crate::rim;

/// Bytes of lines that wait to be written; more are dropped rather than holding up requests.
const MOST_WAITING: usize = 16 << 20;
/// How long lines are gathered before they are written together.
const GATHER: Duration = Duration::from_millis(50);
/// How often the writer looks whether there is still somebody who could tell it something.
const LOOK: Duration = Duration::from_secs(1);
/// A buffer keeps room for so much between two writes.
const KEPT_BUFFER: usize = 64 << 10;
/// How long a worker that ends waits for its last lines to be written.
const FINISH: Duration = Duration::from_secs(2);
/// A file so long is put aside; so many are kept.
const MOST_BYTES: u64 = 64 << 20;
const KEPT: u32 = 3;

/// One request.
#[derive(Debug, Serialize)]
pub(crate) struct Line<'a> {
    pub(crate) time: Timestamp,
    pub(crate) request_id: &'a str,
    pub(crate) trace_id: &'a str,
    pub(crate) project: &'a str,
    pub(crate) route: &'a str,
    pub(crate) backend: &'a str,
    pub(crate) client: IpAddr,
    pub(crate) method: &'a str,
    /// Without the query, which may hold secrets.
    pub(crate) path: &'a str,
    pub(crate) status: u16,
    /// Why the gateway refused it, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<&'static str>,
    pub(crate) bytes: u64,
    pub(crate) retried: bool,
    /// While no backend was there to take it.
    pub(crate) queue_ms: f64,
    pub(crate) connect_ms: f64,
    pub(crate) first_byte_ms: f64,
    pub(crate) total_ms: f64,
}

/// One TCP connection, or one that was upgraded to something else than requests; told when it has ended.
#[derive(Debug, Serialize)]
pub(crate) struct ConnectionLine {
    pub(crate) time: String,
    pub(crate) protocol: &'static str,
    /// That of the request it was before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
    pub(crate) project: String,
    pub(crate) route: String,
    pub(crate) backend: String,
    pub(crate) client: String,
    pub(crate) bytes_from_client: u64,
    pub(crate) bytes_to_client: u64,
    pub(crate) retried: bool,
    pub(crate) end: &'static str,
    /// While no backend was there to take it.
    pub(crate) queue_ms: f64,
    pub(crate) connect_ms: f64,
    pub(crate) total_ms: f64,
}

/// A time as it is written: in milliseconds, to the microsecond.
pub(crate) fn millis(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e3
}

/// Where lines go.
#[derive(Debug, Clone)]
pub(crate) struct AccessLog {
    shared: Arc<Shared>,
}

/// What those who tell and the writer share.
#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    /// To be told when all that was told before is written.
    ends: Vec<oneshot::Sender<()>>,
}

thread_local! {
    /// Where a line is put together, so that no thread waits for another one meanwhile.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl AccessLog {
    /// Starts the writer, a thread of its own.
    pub(crate) fn start(place: &Place) -> Self {
        let shared = Arc::new(Shared::default());
        let (path, seen) = (place.access_log(), Arc::downgrade(&shared));
        std::thread::spawn(move || write_all(&path, &seen));
        Self { shared }
    }

    /// Takes in what is told of a request or connection.
    pub(crate) fn write(&self, told: &impl Serialize) {
        LINE.with_borrow_mut(|line| {
            line.clear();
            if serde_json::to_writer(&mut *line, told).is_err() {
                return;
            }
            line.push(b'\n');
            let mut waiting = self.shared.waiting();
            let is_first = waiting.lines.is_empty();
            // Where the disk cannot keep up, the line is given up, not the request.
            if waiting.lines.len() < MOST_WAITING {
                waiting.lines.extend_from_slice(line);
            }
            drop(waiting);
            // The writer is woken for the first of many.
            if is_first {
                self.shared.changed.notify_one();
            }
        });
    }

    /// Waits until what was told so far is written, for a while.
    pub(crate) async fn finish(&self) {
        let (done, written) = oneshot::channel();
        self.shared.waiting().ends.push(done);
        self.shared.changed.notify_one();
        let _ = timeout(FINISH, written).await;
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits as long as `reason` holds, for a while.
    fn wait<'a>(
        &'a self,
        waiting: MutexGuard<'a, Waiting>,
        limit: Duration,
        reason: impl FnMut(&mut Waiting) -> bool,
    ) -> MutexGuard<'a, Waiting> {
        let waited = self.changed.wait_timeout_while(waiting, limit, reason);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Writes what waits until nobody is left who could tell anything.
fn write_all(path: &Path, shared: &Weak<Shared>) {
    let mut open: Option<(File, u64)> = None;
    let mut text = Vec::new();
    while let Some(shared) = shared.upgrade() {
        let waiting = shared.waiting();
        let waiting =
            shared.wait(waiting, LOOK, |waiting| waiting.lines.is_empty() && waiting.ends.is_empty());
        // Where there is one line more will come: they are written together.
        let mut waiting =
            shared.wait(waiting, GATHER, |waiting| !waiting.lines.is_empty() && waiting.ends.is_empty());
        let ends = std::mem::take(&mut waiting.ends);
        std::mem::swap(&mut text, &mut waiting.lines);
        drop(waiting);
        if !text.is_empty() {
            open = write(path, open, &text);
        }
        text.clear();
        text.shrink_to(KEPT_BUFFER);
        for done in ends {
            let _ = done.send(());
        }
    }
}

/// Appends the text; the file to go on with, unless it is full or could not be written.
fn write(path: &Path, open: Option<(File, u64)>, text: &[u8]) -> Option<(File, u64)> {
    let (mut file, length) = open.map_or_else(|| start(path), Ok).ok()?;
    file.write_all(text).ok()?;
    let length = length + text.len() as u64;
    if length < MOST_BYTES {
        return Some((file, length));
    }
    put_aside(path);
    None
}

fn start(path: &Path) -> std::io::Result<(File, u64)> {
    let file = rim::append(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

fn put_aside(path: &Path) {
    let name = |number: u32| -> PathBuf { path.with_extension(format!("log.{number}")) };
    for number in (1..KEPT).rev() {
        let _ = rim::rename(&name(number), &name(number + 1));
    }
    let _ = rim::rename(path, &name(1));
}
