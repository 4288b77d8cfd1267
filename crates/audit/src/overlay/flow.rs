//! Values in braces, brackets and quotes that stand on one line.

use std::ops::Range;

/// The text of a quoted scalar at the beginning of `text`, and where it ends.
pub(super) fn quoted(text: &str) -> Option<(String, usize)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if quote == '"' => {
                let (_, escaped) = chars.next()?;
                value.push(match escaped {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    '0' => '\0',
                    '"' | '\\' | '/' | ' ' => escaped,
                    _ => return None,
                });
            }
            '\'' if quote == '\'' && chars.peek().is_some_and(|(_, next)| *next == '\'') => {
                chars.next();
                value.push('\'');
            }
            c if c == quote => return Some((value, at + 1)),
            c => value.push(c),
        }
    }
    None
}

/// Where the bracket or brace that opens `text` closes; `None` when it does not, or something follows it.
pub(super) fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = 0;
    let mut fresh = true;
    while let Some(c) = text[at..].chars().next() {
        match c {
            '"' | '\'' if fresh => {
                let (_, length) = quoted(&text[at..])?;
                at += length;
                fresh = false;
                continue;
            }
            '{' | '[' => depth += 1,
            '}' | ']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    let rest = text[at + 1..].trim_start();
                    return (rest.is_empty() || rest.starts_with('#')).then_some(at + 1);
                }
            }
            '#' if text[..at].ends_with(' ') => return None,
            _ => {}
        }
        fresh = matches!(c, '{' | '[' | ',' | ':')
            || (fresh && c == ' ')
            || (c == ' ' && text[..at].ends_with(':'));
        at += c.len_utf8();
    }
    None
}

/// The stretches between the commas of a collection whose brackets are the ends of `range`.
pub(super) fn items(text: &str, range: &Range<usize>) -> Option<Vec<Range<usize>>> {
    let inner = range.start + 1..range.end - 1;
    let mut found = Vec::new();
    let mut start = inner.start;
    let mut depth = 0usize;
    let mut at = inner.start;
    while at < inner.end {
        let c = text[at..].chars().next()?;
        let fresh =
            text[start..at].trim().is_empty() || text[..at].trim_end().ends_with([':', '{', '[', ',']);
        match c {
            '"' | '\'' if fresh => {
                let (_, length) = quoted(&text[at..inner.end])?;
                at += length;
                continue;
            }
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => {
                found.push(trimmed(text, start..at));
                start = at + 1;
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    let last = trimmed(text, start..inner.end);
    if !last.is_empty() {
        found.push(last);
    }
    Some(found)
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let piece = &text[range.clone()];
    let start = range.start + piece.len() - piece.trim_start().len();
    start..start + piece.trim().len()
}
