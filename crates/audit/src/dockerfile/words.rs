//! Splits the text of an instruction into words, as a Dockerfile does.

use std::ops::Range;

use super::Word;
use super::lines::Joined;
use super::places::Places;

/// What a text is split with.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) joined: &'a Joined,
    pub(super) places: &'a Places,
    pub(super) escape: char,
}

impl Source<'_> {
    /// The stretch of the file that a stretch of the text came from.
    pub(super) fn span(&self, range: &Range<usize>) -> seaworthy_project::Span {
        self.places.span(self.joined.origin(range.start), self.joined.origin_end(range.end.max(range.start)))
    }

    /// The words of a stretch of the text, quotes resolved.
    pub(super) fn words(&self, range: Range<usize>) -> Vec<Word> {
        split(&self.joined.text, range, self.escape).into_iter().map(|range| self.word(range)).collect()
    }

    /// One word, quotes resolved.
    pub(super) fn word(&self, range: Range<usize>) -> Word {
        let raw = &self.joined.text[range.clone()];
        let (text, literal) = unquoted(raw, self.escape);
        Word { text, span: self.span(&range), literal }
    }
}

/// Where each word stands: between spaces, those in quotes aside.
pub(super) fn split(text: &str, range: Range<usize>, escape: char) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start: Option<usize> = None;
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for (offset, c) in text[range.clone()].char_indices() {
        let at = range.start + offset;
        if escaped {
            escaped = false;
            continue;
        }
        match quote {
            Some(open) if c == open => quote = None,
            Some('\'') => {}
            _ if c == escape => {
                escaped = true;
                start.get_or_insert(at);
            }
            Some(_) => {}
            None if c.is_whitespace() => words.extend(start.take().map(|start| start..at)),
            None => {
                if matches!(c, '"' | '\'') {
                    quote = Some(c);
                }
                start.get_or_insert(at);
            }
        }
    }
    words.extend(start.map(|start| start..range.end));
    words
}

/// The text without its quotes and escapes, and whether single quotes were among them.
pub(super) fn unquoted(raw: &str, escape: char) -> (String, bool) {
    let mut text = String::with_capacity(raw.len());
    let mut quote: Option<char> = None;
    let mut literal = false;
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match quote {
            Some(open) if c == open => quote = None,
            Some('\'') => text.push(c),
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                literal |= c == '\'';
            }
            _ if c == escape => match chars.peek() {
                Some('$') => {
                    text.push(c);
                }
                Some(next) if quote.is_none() || *next == '"' || *next == escape => {
                    text.push(*next);
                    chars.next();
                }
                _ => text.push(c),
            },
            _ => text.push(c),
        }
    }
    (text, literal)
}

/// The items of a list in brackets; `None` when the text is no such list.
pub(super) fn list(source: Source<'_>, range: Range<usize>) -> Option<Vec<Word>> {
    let text = &source.joined.text[range.clone()];
    let items: Vec<String> = serde_json::from_str(text.trim()).ok()?;
    // Each item's place: between the quotes that open and close it.
    let mut places = Vec::new();
    let mut open: Option<usize> = None;
    let mut escaped = false;
    for (offset, c) in text.char_indices() {
        match (open, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(start), '"') => {
                places.push(range.start + start..range.start + offset + 1);
                open = None;
            }
            (None, '"') => open = Some(offset),
            _ => {}
        }
    }
    let word =
        |(text, range): (String, Range<usize>)| Word { text, span: source.span(&range), literal: false };
    Some(items.into_iter().zip(places).map(word).collect())
}
