//! Reads one word of a shell: its quotes, and what it substitutes.

use std::ops::Range;

/// A word without its quotes.
pub(super) struct Resolved {
    pub(super) text: String,
    /// Whether single quotes were among them.
    pub(super) literal: bool,
    /// The insides of `$(…)`, `<(…)` and backquotes.
    pub(super) substitutions: Vec<Range<usize>>,
}

/// Whether a text can be a variable's name.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// How long the word is that a text begins with.
pub(super) fn word_length(text: &str) -> usize {
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let opens = rest.starts_with("<(") || rest.starts_with(">(");
        if c.is_whitespace() || matches!(c, ';' | '&' | '|' | ')' | '(') || (matches!(c, '<' | '>') && !opens)
        {
            break;
        }
        at += part_length(rest);
    }
    at
}

/// How long the quoted part, the substitution or the character is that a text begins with.
fn part_length(text: &str) -> usize {
    let Some(c) = text.chars().next() else { return 0 };
    let to_end = |end: Option<usize>, skip: usize| end.map_or(text.len(), |end| end + skip);
    match c {
        '\\' => 1 + text[1..].chars().next().map_or(0, char::len_utf8),
        '\'' => to_end(text[1..].find('\''), 2),
        '"' => double_length(text),
        '`' => to_end(text[1..].find('`'), 2),
        '$' if text.starts_with("$(") => 1 + bracket_length(&text[1..], '(', ')'),
        '$' if text.starts_with("${") => 1 + bracket_length(&text[1..], '{', '}'),
        '<' | '>' if text[1..].starts_with('(') => 1 + bracket_length(&text[1..], '(', ')'),
        _ => c.len_utf8(),
    }
}

/// The length of a text in double quotes.
fn double_length(text: &str) -> usize {
    let mut at = 1;
    while let Some(c) = text[at..].chars().next() {
        match c {
            '"' => return at + 1,
            '$' | '`' | '\\' => at += part_length(&text[at..]),
            _ => at += c.len_utf8(),
        }
    }
    text.len()
}

/// The length of what stands in brackets, the brackets included; quotes inside are skipped.
fn bracket_length(text: &str, open: char, close: char) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
        at += match c {
            '\\' => 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
            '\'' => text[at + 1..].find('\'').map_or(1, |end| end + 2),
            _ => c.len_utf8(),
        };
    }
    text.len()
}

/// The word without its quotes.
pub(super) fn resolve(raw: &str) -> Resolved {
    let mut found =
        Resolved { text: String::with_capacity(raw.len()), literal: false, substitutions: Vec::new() };
    part(raw, 0, false, &mut found);
    found
}

fn part(raw: &str, offset: usize, in_quotes: bool, found: &mut Resolved) {
    let mut at = 0;
    while let Some(c) = raw[at..].chars().next() {
        let length = part_length(&raw[at..]).max(1).min(raw.len() - at);
        let piece = raw.get(at..at + length).unwrap_or_default();
        let inside = |from: usize| offset + at + from..offset + at + length - 1;
        let closed = |from: usize, end: char| length > from && piece.ends_with(end);
        match c {
            '\'' if !in_quotes => {
                found.literal = true;
                found.text.push_str(piece[1..].trim_end_matches('\''));
                at += length;
                continue;
            }
            '"' if !in_quotes => {
                let end = if length > 1 && piece.ends_with('"') { length - 1 } else { length };
                part(&raw[at + 1..at + end], offset + at + 1, true, found);
                at += length;
                continue;
            }
            '\\' => {
                let next = &piece[1..];
                let kept = if in_quotes && !next.starts_with(['"', '\\', '$', '`']) { piece } else { next };
                found.text.push_str(if next == "\n" { "" } else { kept });
                at += length;
                continue;
            }
            '$' if piece.starts_with("$(") && !piece.starts_with("$((") && closed(2, ')') => {
                found.substitutions.push(inside(2));
            }
            '<' | '>' if !in_quotes && closed(2, ')') => found.substitutions.push(inside(2)),
            '`' if closed(1, '`') => found.substitutions.push(inside(1)),
            _ => {}
        }
        if in_quotes && matches!(c, '\'' | '"' | '<' | '>') {
            // Inside double quotes these are characters like any other.
            found.text.push(c);
            at += 1;
            continue;
        }
        found.text.push_str(piece);
        at += length;
    }
}
