//! The access log: a JSON line a request or TCP connection, written off its path.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::place::Place;
use crate::rim;

/// Lines that wait to be written; more are dropped rather than holding up requests.
const QUEUE: usize = 16_384;
/// Lines that are written together.
const MOST_AT_ONCE: usize = 1_024;
/// How long a worker that ends waits for its last lines to be written.
const FINISH: Duration = Duration::from_secs(2);
/// A file so long is put aside; so many are kept.
const MOST_BYTES: u64 = 64 << 20;
const KEPT: u32 = 3;

/// One request.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) time: String,
    pub(crate) request_id: String,
    pub(crate) trace_id: String,
    pub(crate) project: String,
    pub(crate) route: String,
    pub(crate) backend: String,
    pub(crate) client: String,
    pub(crate) method: String,
    /// Without the query, which may hold secrets.
    pub(crate) path: String,
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

/// What is written of either.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Record {
    Request(Box<Line>),
    Connection(Box<ConnectionLine>),
}

/// A time as it is written: in milliseconds, to the microsecond.
pub(crate) fn millis(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e3
}

/// Where lines go.
#[derive(Debug, Clone)]
pub(crate) struct AccessLog {
    queue: SyncSender<Entry>,
}

/// What waits to be written.
#[derive(Debug)]
enum Entry {
    Record(Record),
    /// Tell when all before it is written.
    End(oneshot::Sender<()>),
}

impl AccessLog {
    /// Starts the writer, a thread of its own.
    pub(crate) fn start(place: &Place) -> Self {
        let (queue, lines) = sync_channel(QUEUE);
        let path = place.access_log();
        std::thread::spawn(move || write_all(&path, &lines));
        Self { queue }
    }

    pub(crate) fn write(&self, record: Record) {
        // A full queue means that the disk cannot keep up: the line is given up, not the request.
        let _ = self.queue.try_send(Entry::Record(record));
    }

    /// Waits until what was told so far is written, for a while.
    pub(crate) async fn finish(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.try_send(Entry::End(done)).is_ok() {
            let _ = timeout(FINISH, written).await;
        }
    }
}

fn write_all(path: &Path, entries: &Receiver<Entry>) {
    let mut open: Option<(File, u64)> = None;
    while let Ok(first) = entries.recv() {
        let mut text = Vec::new();
        let mut ends = Vec::new();
        for entry in std::iter::once(first).chain(entries.try_iter().take(MOST_AT_ONCE)) {
            match entry {
                Entry::Record(record) => {
                    if serde_json::to_writer(&mut text, &record).is_ok() {
                        text.push(b'\n');
                    }
                }
                Entry::End(done) => ends.push(done),
            }
        }
        open = write(path, open, &text);
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
