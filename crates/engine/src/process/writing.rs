//! The log of an instance: a line is its time, `o` or `e` for the stream, and the text.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::{LogCursor, LogLine, LogStream, system};

/// A file so long is put aside; so many are kept beside it.
const MOST_BYTES: u64 = 10 << 20;
const KEPT: u32 = 2;
/// Longer lines are cut in pieces.
pub(super) const LONGEST_LINE: usize = 16 << 10;
/// So much is read at a time.
const READ: u64 = 1 << 20;

/// Writes lines.
pub(super) struct Writer {
    path: PathBuf,
    file: Option<File>,
    length: u64,
}

impl Writer {
    pub(super) fn new(folder: &Path) -> Self {
        Self { path: folder.join("log"), file: None, length: 0 }
    }

    /// Writes a line. A disk that is full costs the line, not the instance.
    pub(super) fn line(&mut self, stream: LogStream, text: &[u8]) {
        let letter = match stream {
            LogStream::Stdout => 'o',
            LogStream::Stderr => 'e',
        };
        let mut line = format!("{} {letter} ", system::now()).into_bytes();
        line.extend(text.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }));
        line.push(b'\n');
        if self.length > MOST_BYTES {
            self.put_aside();
        }
        if self.file.is_none() {
            self.file = system::append(&self.path, 0o600).ok();
            self.length = self.path.metadata().map_or(0, |metadata| metadata.len());
        }
        if let Some(file) = &mut self.file
            && file.write_all(&line).is_ok()
        {
            self.length += line.len() as u64;
        }
    }

    fn put_aside(&mut self) {
        let name = |number: u32| self.path.with_extension(number.to_string());
        for number in (1..KEPT).rev() {
            let _ = system::rename(&name(number), &name(number + 1));
        }
        let _ = system::rename(&self.path, &name(1));
        self.file = None;
        self.length = 0;
    }
}

/// Reads lines from a cursor on.
pub(super) fn read(folder: &Path, cursor: LogCursor, limit: usize) -> io::Result<(Vec<LogLine>, LogCursor)> {
    let path = folder.join("log");
    let mut file = match system::open(&path) {
        Ok(file) => file,
        Err(error) if system::is_absent(&error) => return Ok((Vec::new(), LogCursor::At(0))),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    let start = match cursor {
        LogCursor::Start => 0,
        LogCursor::At(place) if place <= length => place,
        // The file was put aside since: go on at the start of the new one.
        LogCursor::At(_) => 0,
        LogCursor::Tail(_) => length.saturating_sub(READ),
    };
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(READ).read_to_end(&mut bytes)?;
    let mut at = start;
    let mut lines: Vec<LogLine> = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let full = matches!(cursor, LogCursor::Tail(_)) || lines.len() < limit;
        if !line.ends_with(b"\n") || !full {
            break;
        }
        at += line.len() as u64;
        lines.extend(parse(&line[..line.len() - 1]));
    }
    if let LogCursor::Tail(count) = cursor {
        lines.drain(..lines.len().saturating_sub(count.min(limit)));
    }
    Ok((lines, LogCursor::At(at)))
}

/// A line; one that was cut by the start of reading is none.
fn parse(line: &[u8]) -> Option<LogLine> {
    let text = String::from_utf8_lossy(line);
    let mut parts = text.splitn(3, ' ');
    let at: Timestamp = parts.next()?.parse().ok()?;
    let stream = match parts.next()? {
        "o" => LogStream::Stdout,
        "e" => LogStream::Stderr,
        _ => return None,
    };
    Some(LogLine { at, stream, text: parts.next().unwrap_or_default().to_owned() })
}
