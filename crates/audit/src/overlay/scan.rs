//! Finds the entries of a block map by indentation, and tells the form of each value.

use std::ops::Range;

use super::lines::{Line, Lines};
use super::{OverlayError, flow};

/// A stretch of lines that holds one block map.
#[derive(Debug, Clone)]
pub(super) struct Region {
    /// Its lines.
    pub(super) lines: Range<usize>,
    /// The column its keys stand in, from 0.
    pub(super) column: usize,
}

/// One key of a block map.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The key, quotes resolved.
    pub(super) key: String,
    /// Its lines, with comments that stand deeper than the key.
    pub(super) lines: Range<usize>,
    /// What stands under it.
    pub(super) form: Form,
    /// Whether `!override` stands before the value.
    pub(super) overrides: bool,
}

/// The form of a value; ranges are in bytes.
#[derive(Debug, Clone)]
pub(super) enum Form {
    /// Nothing.
    Empty,
    /// A block map.
    Map(Region),
    /// A block list; the column of its dashes.
    List(usize),
    /// A map in braces on one line.
    FlowMap(Range<usize>),
    /// A list in brackets on one line.
    FlowList(Range<usize>),
    /// A text on one line.
    Scalar(Range<usize>),
    /// `!reset`.
    Reset,
    /// An anchor or alias.
    Shared,
    /// Anything else, in words.
    Other(&'static str),
}

/// The outermost map of a text.
pub(super) fn root(lines: &Lines<'_>) -> Result<Region, OverlayError> {
    let mut begun = false;
    let mut first = 0;
    let mut column = None;
    for (index, line) in lines.all.iter().enumerate() {
        let marker = line.text == "---" || line.text.starts_with("--- ") || line.text.trim_end() == "...";
        if marker && (begun || line.text != "---") {
            return Err(OverlayError::Unclear { line: index + 1 });
        } else if marker {
            first = index + 1;
        } else if !line.is_idle() {
            begun = true;
            column.get_or_insert(line.indent);
        }
    }
    Ok(Region { lines: first..lines.all.len(), column: column.unwrap_or(0) })
}

/// The entries of a block map, in order.
pub(super) fn entries(lines: &Lines<'_>, region: &Region) -> Result<Vec<Entry>, OverlayError> {
    let mut entries = Vec::new();
    let mut index = region.lines.start;
    while index < region.lines.end {
        let line = &lines.all[index];
        if line.is_idle() {
            index += 1;
            continue;
        }
        let unclear = OverlayError::Unclear { line: index + 1 };
        if line.indent != region.column || line.is_item() {
            return Err(unclear);
        }
        let (key, after) = key(line.content()).ok_or(unclear)?;
        let end = end(lines, region, index);
        let value = line.indent + after;
        let (form, overrides) = form(lines, index, &line.text[value..], line.start + value, end);
        entries.push(Entry { key, lines: index..end, form, overrides });
        index = end;
    }
    Ok(entries)
}

/// The key at the beginning of a text and where its colon ends; `None` when there is none.
pub(super) fn key(text: &str) -> Option<(String, usize)> {
    if text.starts_with(['"', '\'']) {
        let (key, end) = flow::quoted(text)?;
        let rest = &text[end..];
        let colon = rest.len() - rest.trim_start().len();
        return rest[colon..].starts_with(':').then_some((key, end + colon + 1));
    }
    if text.starts_with(['?', '{', '[', '*', '&', '!', '|', '>', '%', '@', '`']) {
        return None;
    }
    let colon = text
        .char_indices()
        .find(|(at, c)| *c == ':' && text[at + 1..].chars().next().is_none_or(char::is_whitespace));
    let (colon, _) = colon?;
    let key = text[..colon].trim_end();
    (!key.is_empty() && !key.contains(" #")).then(|| (key.to_owned(), colon + 1))
}

/// The line after an entry: deeper lines belong to it, and list items that stand as deep as its key.
fn end(lines: &Lines<'_>, region: &Region, start: usize) -> usize {
    let belongs =
        |line: &Line<'_>| line.indent > region.column || (line.indent == region.column && line.is_item());
    let mut end = start + 1;
    for index in start + 1..region.lines.end {
        let line = &lines.all[index];
        if line.is_blank() {
            continue;
        }
        if belongs(line) {
            end = index + 1;
        } else if !line.is_comment() {
            break;
        }
    }
    end
}

/// The form of a value that begins with `rest` on line `index`, and whether `!override` stands before it.
fn form(lines: &Lines<'_>, index: usize, rest: &str, offset: usize, end: usize) -> (Form, bool) {
    let skipped = rest.len() - rest.trim_start().len();
    let (rest, offset) = (&rest[skipped..], offset + skipped);
    if let Some(after) =
        rest.strip_prefix("!override").filter(|after| after.is_empty() || after.starts_with(' '))
    {
        let (form, _) = form(lines, index, after, offset + rest.len() - after.len(), end);
        return (form, true);
    }
    let nested = lines.all[index + 1..end].iter().position(|line| !line.is_idle()).map(|at| index + 1 + at);
    let form = match rest.chars().next() {
        None | Some('#') => nested_form(lines, nested, end),
        Some('&' | '*') => Form::Shared,
        Some('!') if rest.split(' ').next() == Some("!reset") => Form::Reset,
        Some('!') => Form::Other("a value with a tag"),
        Some('|' | '>') => Form::Other("a text over several lines"),
        Some(_) if nested.is_some() => Form::Other("a value over several lines"),
        Some('{') => match flow::closing(rest) {
            Some(close) => Form::FlowMap(offset..offset + close),
            None => Form::Other("a map over several lines"),
        },
        Some('[') => match flow::closing(rest) {
            Some(close) => Form::FlowList(offset..offset + close),
            None => Form::Other("a list over several lines"),
        },
        Some('"' | '\'') => match flow::quoted(rest) {
            Some((_, close)) => Form::Scalar(offset..offset + close),
            None => Form::Other("a text over several lines"),
        },
        Some(_) => {
            let text = rest.find(" #").map_or(rest, |comment| &rest[..comment]);
            Form::Scalar(offset..offset + text.trim_end().len())
        }
    };
    (form, false)
}

fn nested_form(lines: &Lines<'_>, first: Option<usize>, end: usize) -> Form {
    let Some(first) = first else { return Form::Empty };
    let line = &lines.all[first];
    if line.is_item() {
        Form::List(line.indent)
    } else if key(line.content()).is_some() {
        Form::Map(Region { lines: first..end, column: line.indent })
    } else if line.content().starts_with(['&', '*']) {
        Form::Shared
    } else {
        Form::Other("a value that begins on its own line")
    }
}
