//! Reading the log of a container from any place on.

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt;
use jiff::Timestamp;

use crate::docker::client::{Client, refused};
use crate::docker::observe::Container;
use crate::{EngineError, LogCursor, LogLine, LogStream};

/// Times are counted from the beginning of 2020, to leave room for the number of a line within its moment.
const EPOCH_S: i64 = 1_577_836_800;
/// Lines of one and the same nanosecond that can be told apart.
const IN_A_MOMENT: u64 = 16;
/// A line longer than this is cut: containers may write without ever ending a line.
const LONGEST_LINE: usize = 64 << 10;

/// At most `limit` lines from `cursor` on, and where to go on.
pub(super) async fn read(
    client: &Client,
    container: &Container,
    cursor: LogCursor,
    limit: usize,
) -> Result<(Vec<LogLine>, LogCursor), EngineError> {
    let mut options = LogsOptionsBuilder::new().stdout(true).stderr(true).timestamps(true);
    let mut reader = Reader::new(container.tty);
    let mut wanted = limit;
    match cursor {
        LogCursor::Start => {}
        // One line is read even if none is wanted, to know where the log ends.
        LogCursor::Tail(lines) => {
            wanted = limit.min(lines);
            options = options.tail(&wanted.max(1).to_string());
        }
        LogCursor::At(place) => {
            options = options.since(i32::try_from(seconds(place)).unwrap_or(i32::MAX));
            reader.after = Some(place);
        }
    }
    let mut output = client.api.logs(&container.id, Some(options.build()));
    while let Some(part) = output.next().await {
        let part = part.map_err(refused(format!("read the log of {}", container.instance.id)))?;
        reader.take(&part);
        if reader.lines.len() >= limit.max(1) {
            break;
        }
    }
    reader.finish();
    reader.lines.truncate(limit.max(1));
    let end =
        reader.lines.last().map(|(place, _)| *place).or(reader.after).map_or(LogCursor::Start, LogCursor::At);
    let lines = reader.lines.into_iter().take(wanted).map(|(_, line)| line).collect();
    Ok((lines, end))
}

fn seconds(place: u64) -> i64 {
    i64::try_from(place / IN_A_MOMENT / 1_000_000_000).unwrap_or(i64::MAX).saturating_add(EPOCH_S)
}

/// Puts parts together to lines, and numbers their places.
struct Reader {
    tty: bool,
    /// Lines up to this place were read before.
    after: Option<u64>,
    /// The place of the last line seen.
    last: u64,
    /// What is not ended yet, of standard output and standard error.
    open: [Vec<u8>; 2],
    lines: Vec<(u64, LogLine)>,
}

impl Reader {
    fn new(tty: bool) -> Self {
        Self { tty, after: None, last: 0, open: [Vec::new(), Vec::new()], lines: Vec::new() }
    }

    fn take(&mut self, part: &LogOutput) {
        let (stream, bytes) = match part {
            LogOutput::StdErr { message } => (LogStream::Stderr, message),
            LogOutput::StdOut { message } | LogOutput::StdIn { message } | LogOutput::Console { message } => {
                (LogStream::Stdout, message)
            }
        };
        let index = usize::from(stream == LogStream::Stderr);
        // A long line comes in parts, each with a time of its own; only the first one's counts.
        let goes_on = !self.tty && !self.open[index].is_empty();
        let bytes = if goes_on { without_time(bytes) } else { bytes };
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let open = &mut self.open[index];
            let room = LONGEST_LINE.saturating_sub(open.len());
            open.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(open);
                self.line(stream, &line);
            }
        }
    }

    fn finish(&mut self) {
        for (index, stream) in [LogStream::Stdout, LogStream::Stderr].into_iter().enumerate() {
            let open = std::mem::take(&mut self.open[index]);
            if !open.is_empty() {
                self.line(stream, &open);
            }
        }
    }

    fn line(&mut self, stream: LogStream, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_end_matches(['\n', '\r']);
        let (time, rest) = text.split_once(' ').unwrap_or((text, ""));
        let Ok(at) = time.parse::<Timestamp>() else { return };
        let moment = at.as_nanosecond() - i128::from(EPOCH_S) * 1_000_000_000;
        let moment = u64::try_from(moment).unwrap_or(0).saturating_mul(IN_A_MOMENT);
        let place = if self.last / IN_A_MOMENT == moment / IN_A_MOMENT && self.last > 0 {
            (self.last + 1).min(moment + IN_A_MOMENT - 1)
        } else {
            moment
        };
        self.last = place;
        if self.after.is_none_or(|after| place > after) {
            self.lines.push((place, LogLine { at, stream, text: rest.to_owned() }));
        }
    }
}

fn without_time(bytes: &[u8]) -> &[u8] {
    let space = bytes.iter().take(40).position(|byte| *byte == b' ');
    let is_time =
        |end: &usize| std::str::from_utf8(&bytes[..*end]).is_ok_and(|text| text.parse::<Timestamp>().is_ok());
    space.filter(is_time).map_or(bytes, |space| &bytes[space + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(text: &str) -> LogOutput {
        LogOutput::StdOut { message: text.to_owned().into() }
    }

    fn texts(reader: &Reader) -> Vec<&str> {
        reader.lines.iter().map(|(_, line)| line.text.as_str()).collect()
    }

    const TIME: &str = "2026-01-02T03:04:05.000000006Z";

    #[test]
    fn a_line_in_parts_is_one_line() {
        let mut reader = Reader::new(false);
        reader.take(&out(&format!("{TIME} one ")));
        reader.take(&LogOutput::StdErr { message: format!("{TIME} between\n").into() });
        reader.take(&out(&format!("{TIME} two\n")));
        reader.take(&out(&format!("{TIME} last, without an end")));
        reader.finish();
        assert_eq!(texts(&reader), ["between", "one two", "last, without an end"]);
    }

    #[test]
    fn lines_of_one_moment_have_places_of_their_own() {
        let mut reader = Reader::new(false);
        for text in ["a", "b", "c"] {
            reader.take(&out(&format!("{TIME} {text}\n")));
        }
        let second = reader.lines[1].0;
        let mut again = Reader::new(false);
        again.after = Some(second);
        for text in ["a", "b", "c"] {
            again.take(&out(&format!("{TIME} {text}\n")));
        }
        assert_eq!(texts(&again), ["c"]);
        assert_eq!(seconds(second), TIME.parse::<Timestamp>().unwrap().as_second());
    }
}
