//! Turns byte offsets of a text into lines and columns.

use crate::{FileId, Position, Span};

/// Where the lines of a text start.
pub(crate) struct Lines<'a> {
    file: FileId,
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(file: FileId, text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(index, _)| index + 1);
        Self { file, text, starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// The place of a byte; a byte inside a character counts as that character.
    pub(crate) fn position(&self, byte: usize) -> Position {
        let byte = byte.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= byte).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(0);
        let before = self.text.get(start..byte).unwrap_or_default();
        let column = before.chars().filter(|c| *c != '\u{feff}').count() as u32 + 1;
        Position { byte, line: line as u32 + 1, column }
    }

    /// The stretch from one byte to another.
    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        Span { file: self.file, start: self.position(start), end: self.position(end.max(start)) }
    }
}
