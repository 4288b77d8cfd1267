//! One edit: walks down the keys that are there, and writes the ones that are missing.

use std::ops::Range;

use super::lines::Lines;
use super::scan::{self, Entry, Form};
use super::{OverlayError, flow, write};
use crate::{Edit, EditValue};

/// Between which lines a new key is written, and how.
struct Insertion<'edit> {
    /// The line before which it is written.
    line: usize,
    column: usize,
    /// Whether a blank line sets it apart, as it does its neighbours.
    apart: bool,
    path: &'edit [String],
}

/// The text with the edit made; the same text when it says so already.
pub(super) fn apply(text: &str, edit: &Edit) -> Result<String, OverlayError> {
    let lines = Lines::new(text);
    let mut region = scan::root(&lines)?;
    for depth in 0..edit.path.len() {
        let key = || edit.path[..=depth].join(".");
        let entries = scan::entries(&lines, &region)?;
        if entries.iter().any(|entry| entry.key == "<<") {
            return Err(OverlayError::Merged { key: edit.path[..depth].join(".") });
        }
        let path = &edit.path[depth..];
        let Some(entry) = entries.iter().find(|entry| entry.key == path[0]) else {
            let last = entries.last().filter(|_| depth == 0);
            let line = last.map_or(region.lines.end, |last| last.lines.end);
            let apart = depth <= 1 && stands_apart(&lines, &entries);
            return Ok(insert(&lines, edit, &Insertion { line, column: region.column, apart, path }));
        };
        if path.len() == 1 {
            return set(&lines, entry, edit);
        }
        let rest = &path[1..];
        match &entry.form {
            Form::Map(inner) => region = inner.clone(),
            Form::Empty => {
                let column = region.column + lines.step();
                let line = entry.lines.start + 1;
                return Ok(insert(&lines, edit, &Insertion { line, column, apart: false, path: rest }));
            }
            Form::FlowMap(range) => return flow_insert(text, range, rest, edit, &key()),
            Form::List(_) | Form::FlowList(_) if path[0] == "environment" && rest.len() == 1 => {
                return variable(&lines, entry, &rest[0], edit);
            }
            form => return Err(refusal(form, key())),
        }
    }
    Ok(text.to_owned())
}

fn refusal(form: &Form, key: String) -> OverlayError {
    match form {
        Form::Shared => OverlayError::Shared { key },
        Form::List(_) | Form::FlowList(_) => OverlayError::Form { key, found: "a list" },
        Form::Reset | Form::Scalar(_) | Form::Empty => OverlayError::Decided { key },
        Form::Map(_) | Form::FlowMap(_) => OverlayError::Form { key, found: "a map" },
        Form::Other(found) => OverlayError::Form { key, found },
    }
}

/// Whether the entries of a map are set apart by blank lines.
fn stands_apart(lines: &Lines<'_>, entries: &[Entry]) -> bool {
    match entries {
        [] => false,
        [only] => only.lines.len() > 2,
        [.., before, last] => {
            lines.all[before.lines.end..last.lines.start].iter().any(|line| line.is_blank())
        }
    }
}

fn insert(lines: &Lines<'_>, edit: &Edit, at: &Insertion<'_>) -> String {
    let mut new = write::block(at.path, &edit.value, edit.comment.as_deref(), at.column, lines.step());
    if at.apart {
        new.insert(0, String::new());
    }
    insert_lines(lines, at.line, &new)
}

/// The text with other lines in place of some.
pub(super) fn replace_lines(lines: &Lines<'_>, range: &Range<usize>, new: &[String]) -> String {
    let newline = lines.newline();
    let mut text = lines.text[..lines.offset(range.start)].to_owned();
    for line in new {
        text.push_str(line);
        text.push_str(newline);
    }
    text.push_str(&lines.text[lines.offset(range.end)..]);
    text
}

fn insert_lines(lines: &Lines<'_>, line: usize, new: &[String]) -> String {
    let newline = lines.newline();
    let (before, after) = lines.text.split_at(lines.offset(line));
    let mut text = before.to_owned();
    let bare = before.trim_start_matches('\u{feff}');
    if !bare.is_empty() && !bare.ends_with('\n') {
        text.push_str(newline);
    }
    for line in new {
        text.push_str(line);
        text.push_str(newline);
    }
    text.push_str(after);
    text
}

/// Gives a key that is there its value, when it has that value already or has a list that can grow.
fn set(lines: &Lines<'_>, entry: &Entry, edit: &Edit) -> Result<String, OverlayError> {
    let key = edit.path.join(".");
    let decided = OverlayError::Decided { key: key.clone() };
    let same = || Ok(lines.text.to_owned());
    match (&edit.value, &entry.form) {
        (_, Form::Shared) => Err(OverlayError::Shared { key }),
        (EditValue::Reset, Form::Reset) => same(),
        (EditValue::Plain(value) | EditValue::Text(value), Form::Scalar(range)) => {
            if plain_text(&lines.text[range.clone()]) == *value { same() } else { Err(decided) }
        }
        (EditValue::Override(wanted), Form::FlowList(_) | Form::List(_)) => {
            let present = list_items(lines, entry).ok_or(decided.clone())?;
            if entry.overrides && present == *wanted { same() } else { Err(decided) }
        }
        (EditValue::List(wanted), Form::FlowList(_) | Form::List(_)) => {
            let present = list_items(lines, entry).ok_or(decided)?;
            let missing: Vec<String> =
                wanted.iter().filter(|item| !present.contains(item)).cloned().collect();
            if missing.is_empty() { same() } else { Ok(append(lines, entry, &missing, present.is_empty())) }
        }
        (_, form) => Err(refusal(form, key)),
    }
}

/// A scalar's text without its quotes.
pub(super) fn plain_text(raw: &str) -> String {
    flow::quoted(raw).map_or_else(|| raw.to_owned(), |(text, _)| text)
}

/// The items of a list, as texts; `None` when it cannot be read as such.
pub(super) fn list_items(lines: &Lines<'_>, entry: &Entry) -> Option<Vec<String>> {
    match &entry.form {
        Form::FlowList(range) => {
            let items = flow::items(lines.text, range)?;
            Some(items.into_iter().map(|item| plain_text(&lines.text[item])).collect())
        }
        Form::List(column) => {
            let items = lines.all[entry.lines.start + 1..entry.lines.end].iter();
            let items = items.filter(|line| line.indent == *column && line.is_item());
            Some(items.map(|line| item_text(line.content()[1..].trim())).collect())
        }
        _ => None,
    }
}

fn item_text(raw: &str) -> String {
    match flow::quoted(raw) {
        Some((text, _)) => text,
        None => raw.find(" #").map_or(raw, |comment| &raw[..comment]).trim_end().to_owned(),
    }
}

/// Adds items to a list.
fn append(lines: &Lines<'_>, entry: &Entry, items: &[String], was_empty: bool) -> String {
    match &entry.form {
        Form::List(column) => {
            let pad = " ".repeat(*column);
            let new: Vec<String> =
                items.iter().map(|item| format!("{pad}- {}", write::scalar(item))).collect();
            insert_lines(lines, entry.lines.end, &new)
        }
        Form::FlowList(range) => {
            let items: Vec<String> = items.iter().map(|item| write::scalar(item)).collect();
            let separator = if was_empty { "" } else { ", " };
            splice(lines.text, range, &format!("{separator}{}", items.join(", ")))
        }
        _ => lines.text.to_owned(),
    }
}

/// Puts text before the bracket or brace that ends a collection, after its last item.
fn splice(text: &str, range: &Range<usize>, new: &str) -> String {
    let inner = text[range.start + 1..range.end - 1].trim_end();
    let inner = inner.strip_suffix(',').unwrap_or(inner);
    let at = range.start + 1 + inner.len();
    let rest = text[at..].strip_prefix(',').unwrap_or(&text[at..]);
    format!("{}{new}{rest}", &text[..at])
}

/// Gives a variable its value where `environment` is a list.
fn variable(lines: &Lines<'_>, entry: &Entry, name: &str, edit: &Edit) -> Result<String, OverlayError> {
    let (EditValue::Text(value) | EditValue::Plain(value)) = &edit.value else {
        return Err(OverlayError::Form { key: edit.path.join("."), found: "an item of a list" });
    };
    let key = edit.path.join(".");
    let present = list_items(lines, entry).ok_or(OverlayError::Form { key: key.clone(), found: "a list" })?;
    let wanted = format!("{name}={value}");
    match present.iter().find(|item| item.split('=').next() == Some(name)) {
        Some(item) if *item == wanted => Ok(lines.text.to_owned()),
        Some(_) => Err(OverlayError::Decided { key }),
        None => Ok(append(lines, entry, &[wanted], present.is_empty())),
    }
}

/// Adds keys to a map in braces that stands on one line.
fn flow_insert(
    text: &str,
    range: &Range<usize>,
    path: &[String],
    edit: &Edit,
    key: &str,
) -> Result<String, OverlayError> {
    let form = || OverlayError::Form { key: key.to_owned(), found: "a map in braces" };
    let items = flow::items(text, range).ok_or_else(form)?;
    for item in &items {
        let raw = &text[item.clone()];
        if raw.starts_with(['*', '&', '<']) {
            return Err(OverlayError::Shared { key: key.to_owned() });
        }
        let (name, after) = scan::key(raw).ok_or_else(form)?;
        if name != path[0] {
            continue;
        }
        let skipped = raw[after..].len() - raw[after..].trim_start().len();
        let value = item.start + after + skipped..item.end;
        let below = format!("{key}.{name}");
        return match (path, text[value.clone()].chars().next()) {
            ([_], _) if plain_text(&text[value.clone()]) == plain_text(&write::value(&edit.value)) => {
                Ok(text.to_owned())
            }
            ([_, ..], Some('{')) if path.len() > 1 => flow_insert(text, &value, &path[1..], edit, &below),
            (_, Some('&' | '*')) => Err(OverlayError::Shared { key: below }),
            _ => Err(OverlayError::Decided { key: below }),
        };
    }
    let separator = if items.is_empty() { " " } else { ", " };
    let padding = if items.is_empty() && range.len() == 2 { " " } else { "" };
    Ok(splice(text, range, &format!("{separator}{}{padding}", write::flow(path, &edit.value))))
}
