//! Joins the lines of a Dockerfile that belong to one instruction.

use super::Word;
use super::places::{Places, lines};

/// One instruction's text, its lines joined, and where each piece came from.
#[derive(Debug, Default)]
pub(super) struct Joined {
    /// The text without the marks of continuation, comments and empty lines.
    pub(super) text: String,
    /// Where each piece starts in the text, and where it stands in the Dockerfile.
    pieces: Vec<(usize, usize)>,
    /// The index of the line after the last.
    pub(super) next: usize,
}

impl Joined {
    /// Where a byte of the text stands in the Dockerfile.
    pub(super) fn origin(&self, at: usize) -> usize {
        let index = self.pieces.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        self.pieces.get(index).map_or(at, |(start, origin)| origin + (at - start))
    }

    /// Where the end of a stretch stands: behind its last byte, not before the next piece.
    pub(super) fn origin_end(&self, end: usize) -> usize {
        if end == 0 { self.origin(0) } else { self.origin(end - 1) + 1 }
    }

    fn push(&mut self, piece: &str, origin: usize) {
        self.pieces.push((self.text.len(), origin));
        self.text.push_str(piece);
    }
}

/// What the lines at the top say: the escape character, and the directives.
pub(super) fn directives(text: &str, places: &Places) -> (char, Vec<(String, Word)>) {
    let mut escape = '\\';
    let mut found: Vec<(String, Word)> = Vec::new();
    for (start, line) in lines(text) {
        let bare = line.trim_start_matches('\u{feff}').trim_start();
        let Some(comment) = bare.strip_prefix('#') else { break };
        let Some((name, value)) = comment.split_once('=') else { break };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if !matches!(name.as_str(), "syntax" | "escape" | "check")
            || found.iter().any(|(known, _)| *known == name)
        {
            break;
        }
        if name == "escape" && value == "`" {
            escape = '`';
        }
        let end = start + line.trim_end().len();
        let span = places.span(end - value.len(), end);
        found.push((name, Word { text: value.to_owned(), span, literal: true }));
    }
    (escape, found)
}

/// The instruction that begins at a line, or nothing when that line is empty or a comment.
pub(super) fn join(all: &[(usize, &str)], first: usize, escape: char) -> Option<Joined> {
    let mut joined = Joined::default();
    let mut index = first;
    while let Some((start, line)) = all.get(index) {
        index += 1;
        let begun = index - 1 > first;
        let line = if *start == 0 { line.trim_start_matches('\u{feff}') } else { line };
        let start = start + (all[index - 1].1.len() - line.len());
        let bare = line.trim_start();
        if bare.starts_with('#') || bare.is_empty() {
            // Inside an instruction both are left out; before one they are nothing.
            if begun && index < all.len() {
                continue;
            }
            if begun {
                break;
            }
            return None;
        }
        let piece = if begun { line } else { bare };
        let origin = start + (line.len() - piece.len());
        match continued(piece, escape) {
            Some(kept) => joined.push(kept, origin),
            None => {
                joined.push(piece, origin);
                break;
            }
        }
    }
    joined.next = index;
    let trimmed = joined.text.trim_end().len();
    joined.text.truncate(trimmed);
    (!joined.text.is_empty()).then_some(joined)
}

/// The line without its mark of continuation, when it has one. Two marks are none.
fn continued(line: &str, escape: char) -> Option<&str> {
    let kept = line.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    (!kept.ends_with(escape)).then_some(kept)
}
