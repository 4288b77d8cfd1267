//! Turns offsets in the text of a Dockerfile into places of the file that holds it.

use seaworthy_project::{FileId, Position, Span};

/// Where the lines of a text stand.
pub(super) struct Places {
    file: FileId,
    lines: Vec<Line>,
    end: usize,
}

/// One line of the text.
struct Line {
    /// Its first byte in the text.
    start: usize,
    /// Characters of it that take more bytes than one, by their place in the line.
    wide: Vec<(usize, usize)>,
    /// Its first byte, line and column in the file.
    byte: usize,
    line: u32,
    column: u32,
    length: usize,
}

impl Places {
    /// A text that is a file of its own.
    pub(super) fn of_file(file: FileId, text: &str) -> Self {
        Self::new(file, text, |index, start| (start, index as u32 + 1, 1))
    }

    /// A text that is a block in a file: its lines stand at or below `span`, each behind an indent.
    pub(super) fn of_block(span: Span, source: &str, text: &str) -> Self {
        let all: Vec<(usize, &str)> = lines(source).collect();
        let first = lines(text).position(|(_, line)| !line.trim().is_empty()).unwrap_or(0);
        let wanted = lines(text).nth(first).map_or("", |(_, line)| line.trim());
        let around = (span.start.line as usize).saturating_sub(1);
        let found = all.iter().skip(around).position(|(_, line)| line.trim() == wanted);
        // Where the first line is not found as it is, the text was written in another form: all of it is one place.
        let top = found.and_then(|found| (around + found).checked_sub(first));
        let block = top.and_then(|top| all.get(top..)).unwrap_or_default();
        let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let depth = block.get(first).map_or(0, |(_, line)| indent(line));
        Self::new(span.file, text, |index, _| match (top, block.get(index)) {
            (Some(top), Some((byte, line))) => {
                let skipped = depth.min(indent(line));
                (byte + skipped, (top + index) as u32 + 1, skipped as u32 + 1)
            }
            _ => (span.start.byte, span.start.line, span.start.column),
        })
    }

    fn new(file: FileId, text: &str, place: impl Fn(usize, usize) -> (usize, u32, u32)) -> Self {
        let line = |(index, (start, line)): (usize, (usize, &str))| {
            let (byte, number, column) = place(index, start);
            let wide = line.char_indices().filter(|(_, c)| c.len_utf8() > 1 || *c == '\u{feff}');
            let wide = wide.map(|(at, c)| (at, if c == '\u{feff}' { 3 } else { c.len_utf8() - 1 })).collect();
            Line { start, wide, byte, line: number, column, length: line.len() }
        };
        Self { file, lines: lines(text).enumerate().map(line).collect(), end: text.len() }
    }

    /// The stretch from one byte of the text to another.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        Span { file: self.file, start: self.position(start), end: self.position(end.max(start)) }
    }

    fn position(&self, at: usize) -> Position {
        let at = at.min(self.end);
        let index = self.lines.partition_point(|line| line.start <= at).saturating_sub(1);
        let Some(line) = self.lines.get(index) else { return Position { byte: 0, line: 1, column: 1 } };
        let inside = (at - line.start).min(line.length);
        let hidden: usize = line.wide.iter().take_while(|(at, _)| *at < inside).map(|(_, extra)| extra).sum();
        let column = line.column + inside.saturating_sub(hidden) as u32;
        Position { byte: line.byte + inside, line: line.line, column }
    }
}

/// Each line without its end, and where it starts.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |whole| {
        let from = start;
        start += whole.len();
        (from, whole.trim_end_matches('\n').trim_end_matches('\r'))
    })
}
