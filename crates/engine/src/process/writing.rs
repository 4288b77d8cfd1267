//! The log of an instance: a line is its time, `o` or `e` for the stream, and the text.
//!
//! A file is named by how many bytes were written before it, so a place in the log is one number for its whole life,
//! however often a new file is begun and by whichever shim.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::{LogCursor, LogLine, LogStream, system};

/// A file of the log ends at about this size.
const FILE_BYTES: u64 = 10 << 20;
/// How many files of the log are kept, the one that is written among them.
const FILES_KEPT: usize = 3;
/// Longer lines are cut in pieces.
pub(super) const LONGEST_LINE: usize = 16 << 10;
const PREFIX: &str = "log.";

/// Writes lines. A disk that is full costs lines, not the instance.
pub(super) struct Writer {
    folder: PathBuf,
    file: Option<Open>,
    file_bytes: u64,
}

/// The file that is written.
struct Open {
    file: File,
    /// Bytes written before this file.
    before: u64,
    /// Bytes in this file.
    length: u64,
}

impl Writer {
    /// Goes on where the log in `folder` ends.
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), file: None, file_bytes: FILE_BYTES }
    }

    /// Writes a line.
    pub(super) fn line(&mut self, stream: LogStream, text: &[u8]) {
        let letter = match stream {
            LogStream::Stdout => 'o',
            LogStream::Stderr => 'e',
        };
        let mut line = format!("{} {letter} ", system::now()).into_bytes();
        line.extend(text.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }));
        line.push(b'\n');
        if self.write(&line).is_err() {
            // Half a line may be there: the next one opens the file anew, which ends it.
            self.file = None;
        }
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let mut open = match self.file.take() {
            Some(open) => open,
            None => Open::last(&self.folder)?,
        };
        if open.length > 0 && open.length + line.len() as u64 > self.file_bytes {
            open = Open::at(&self.folder, open.before + open.length)?;
            let there = files(&self.folder)?;
            for old in &there[..there.len().saturating_sub(FILES_KEPT)] {
                system::remove_tree(&path(&self.folder, *old))?;
            }
        }
        open.file.write_all(line)?;
        open.length += line.len() as u64;
        self.file = Some(open);
        Ok(())
    }
}

impl Open {
    /// Opens the newest file, and ends the line that a killed writer left there.
    fn last(folder: &Path) -> io::Result<Self> {
        let before = files(folder)?.last().copied().unwrap_or(0);
        let mut open = Self::at(folder, before)?;
        if open.length > 0 && !ends_a_line(&path(folder, before))? {
            open.file.write_all(b"\n")?;
            open.length += 1;
        }
        Ok(open)
    }

    fn at(folder: &Path, before: u64) -> io::Result<Self> {
        let file = system::append(&path(folder, before), 0o600)?;
        let length = file.metadata()?.len();
        Ok(Self { file, before, length })
    }
}

/// Reads at most `limit` lines from `cursor` on, and tells where to go on. A line that is not whole yet is left for
/// the next time.
pub(crate) fn read(folder: &Path, cursor: LogCursor, limit: usize) -> io::Result<(Vec<LogLine>, LogCursor)> {
    let there = files(folder)?;
    let oldest = there.first().copied().unwrap_or(0);
    let mut place = match cursor {
        LogCursor::Start => oldest,
        LogCursor::At(place) => place.max(oldest),
        LogCursor::Tail(lines) => tail(folder, &there, lines)?,
    };
    let mut lines = Vec::new();
    for (index, before) in there.iter().enumerate() {
        let next = there.get(index + 1).copied().unwrap_or(u64::MAX);
        if place >= next {
            continue;
        }
        let Some(mut reader) = open_at(folder, *before, place.saturating_sub(*before))? else { continue };
        let mut bytes = Vec::new();
        while lines.len() < limit {
            bytes.clear();
            reader.read_until(b'\n', &mut bytes)?;
            if bytes.last() != Some(&b'\n') {
                break;
            }
            place += bytes.len() as u64;
            lines.extend(parse(&bytes));
        }
        if lines.len() >= limit {
            break;
        }
        // What is left of an older file is a line that was cut short by a kill.
        if next != u64::MAX {
            place = next;
        }
    }
    Ok((lines, LogCursor::At(place)))
}

/// Where the last `wanted` lines begin.
fn tail(folder: &Path, there: &[u64], wanted: usize) -> io::Result<u64> {
    let mut missing = wanted;
    for before in there.iter().rev() {
        let Some(mut reader) = open_at(folder, *before, 0)? else { continue };
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes)?;
        let ends =
            bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(place, _)| place as u64 + 1);
        let ends: Vec<u64> = ends.collect();
        if ends.len() > missing || missing == 0 {
            let start = ends.len().checked_sub(missing + 1).map_or(0, |index| ends[index]);
            return Ok(before + start);
        }
        missing -= ends.len();
        if missing == 0 {
            return Ok(*before);
        }
    }
    Ok(there.first().copied().unwrap_or(0))
}

fn parse(bytes: &[u8]) -> Option<LogLine> {
    let text = String::from_utf8_lossy(bytes.strip_suffix(b"\n").unwrap_or(bytes));
    let (at, rest) = text.split_once(' ')?;
    let (mark, text) = rest.split_once(' ')?;
    let stream = if mark == "o" { LogStream::Stdout } else { LogStream::Stderr };
    Some(LogLine { at: at.parse().ok()?, stream, text: text.to_owned() })
}

/// How many bytes were written before each file, oldest first.
fn files(folder: &Path) -> io::Result<Vec<u64>> {
    let names = system::names(folder)?;
    let mut found: Vec<u64> =
        names.iter().filter_map(|name| name.strip_prefix(PREFIX)?.parse().ok()).collect();
    found.sort_unstable();
    Ok(found)
}

fn path(folder: &Path, before: u64) -> PathBuf {
    folder.join(format!("{PREFIX}{before:020}"))
}

/// Opens one file for reading; `None` when it was dropped in the meantime.
fn open_at(folder: &Path, before: u64, offset: u64) -> io::Result<Option<BufReader<File>>> {
    match system::open(&path(folder, before)) {
        Ok(mut file) => {
            file.seek(SeekFrom::Start(offset))?;
            Ok(Some(BufReader::new(file)))
        }
        Err(error) if system::is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn ends_a_line(path: &Path) -> io::Result<bool> {
    let mut file = system::open(path)?;
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(folder: &Path, cursor: LogCursor, limit: usize) -> (Vec<String>, LogCursor) {
        let (lines, next) = read(folder, cursor, limit).unwrap();
        (lines.into_iter().map(|line| line.text).collect(), next)
    }

    #[test]
    fn a_cursor_goes_on_across_files_and_writers() {
        let folder = tempfile::tempdir().unwrap();
        let mut cursor = LogCursor::Start;
        let mut seen = Vec::new();
        for round in 0..20 {
            let mut writer = Writer { file_bytes: 200, ..Writer::new(folder.path()) };
            writer.line(LogStream::Stdout, format!("a {round}").as_bytes());
            writer.line(LogStream::Stderr, format!("b {round}").as_bytes());
            let (lines, next) = texts(folder.path(), cursor, 100);
            seen.extend(lines);
            cursor = next;
        }
        let expected: Vec<String> =
            (0..20).flat_map(|round| [format!("a {round}"), format!("b {round}")]).collect();
        assert_eq!(seen, expected);
        assert_eq!(files(folder.path()).unwrap().len(), FILES_KEPT);
        let (kept, _) = texts(folder.path(), LogCursor::Start, 100);
        assert!(kept.len() < 40 && expected.ends_with(&kept), "old files are dropped");
        for count in 0..=kept.len() {
            assert_eq!(texts(folder.path(), LogCursor::tail(count), 100).0, kept[kept.len() - count..]);
        }
        assert_eq!(texts(folder.path(), LogCursor::tail(1000), 100).0, kept);
        assert_eq!(texts(folder.path(), LogCursor::tail(5), 2).0, kept[kept.len() - 5..kept.len() - 3]);
    }

    #[test]
    fn half_a_line_waits_until_it_is_whole_or_the_next_writer_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        Writer::new(folder.path()).line(LogStream::Stdout, b"whole");
        system::append(&path(folder.path(), 0), 0o600)
            .unwrap()
            .write_all(b"2026-01-01T00:00:00Z o ha")
            .unwrap();
        let (lines, next) = texts(folder.path(), LogCursor::Start, 10);
        assert_eq!(lines, ["whole"]);
        Writer::new(folder.path()).line(LogStream::Stderr, b"after");
        assert_eq!(texts(folder.path(), next, 10).0, ["ha", "after"]);
    }

    #[test]
    fn an_absent_log_is_empty_and_what_is_no_text_is_shown_as_far_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(texts(&folder.path().join("none"), LogCursor::tail(3), 10), (vec![], LogCursor::At(0)));
        Writer::new(folder.path()).line(LogStream::Stdout, b"a\xffb\nc");
        assert_eq!(texts(folder.path(), LogCursor::Start, 10).0, ["a\u{fffd}b c"]);
    }
}
