//! The access log: a JSON line a request, written off the request's path.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use serde::Serialize;

use crate::place::Place;
use crate::rim;

/// Lines that wait to be written; more are dropped rather than holding up requests.
const QUEUE: usize = 16_384;
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
    pub(crate) bytes: u64,
    pub(crate) retried: bool,
    pub(crate) connect_ms: f64,
    pub(crate) first_byte_ms: f64,
    pub(crate) total_ms: f64,
}

/// Where lines go.
#[derive(Debug, Clone)]
pub(crate) struct AccessLog {
    queue: SyncSender<Line>,
}

impl AccessLog {
    /// Starts the writer, a thread of its own.
    pub(crate) fn start(place: &Place) -> Self {
        let (queue, lines) = sync_channel(QUEUE);
        let path = place.access_log();
        std::thread::spawn(move || write_all(&path, &lines));
        Self { queue }
    }

    pub(crate) fn write(&self, line: Line) {
        // A full queue means that the disk cannot keep up: the line is given up, not the request.
        let _ = self.queue.try_send(line);
    }
}

fn write_all(path: &Path, lines: &Receiver<Line>) {
    let mut open: Option<(File, u64)> = None;
    while let Ok(first) = lines.recv() {
        let mut text = Vec::new();
        for line in std::iter::once(first).chain(lines.try_iter()) {
            if serde_json::to_writer(&mut text, &line).is_ok() {
                text.push(b'\n');
            }
        }
        let (mut file, length) = match open.take().map_or_else(|| start(path), Ok) {
            Ok(open) => open,
            Err(_) => continue,
        };
        if file.write_all(&text).is_ok() {
            let length = length + text.len() as u64;
            if length < MOST_BYTES {
                open = Some((file, length));
            } else {
                put_aside(path);
            }
        }
    }
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
