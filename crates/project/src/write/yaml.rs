//! A small YAML writer: block style, and quotes wherever YAML 1.1 or 1.2 could read something else than a text.

use serde_json::Value as Json;

/// The entries of a document's map; nothing for an empty one.
pub(super) fn entries(map: &Json) -> String {
    let mut out = String::new();
    if map.as_object().is_some_and(|map| !map.is_empty()) {
        block(map, 0, &mut out);
    }
    out
}

/// Entries of `services:`.
pub(super) fn services(map: &Json, out: &mut String) {
    block(map, 2, out);
}

fn block(value: &Json, indent: usize, out: &mut String) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                pad(indent, out);
                text(key, out);
                out.push(':');
                after_key(value, indent, out);
            }
        }
        Json::Array(items) if !items.is_empty() => items.iter().for_each(|item| list_item(item, indent, out)),
        value => {
            pad(indent, out);
            flow(value, out);
            out.push('\n');
        }
    }
}

fn after_key(value: &Json, indent: usize, out: &mut String) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            out.push('\n');
            block(value, indent + 2, out);
        }
        Json::Array(items) if !items.is_empty() => {
            out.push('\n');
            block(value, indent + 2, out);
        }
        value => {
            out.push(' ');
            flow(value, out);
            out.push('\n');
        }
    }
}

/// `- ` and then the item, whose first line stands on the same one.
fn list_item(item: &Json, indent: usize, out: &mut String) {
    let mut inner = String::new();
    block(item, indent + 2, &mut inner);
    pad(indent, out);
    out.push_str("- ");
    out.push_str(inner.trim_start_matches(' '));
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

fn flow(value: &Json, out: &mut String) {
    match value {
        Json::String(string) => text(string, out),
        Json::Object(_) => out.push_str("{}"),
        Json::Array(_) => out.push_str("[]"),
        other => out.push_str(&other.to_string()),
    }
}

fn text(text: &str, out: &mut String) {
    if is_plain(text) { out.push_str(text) } else { out.push_str(&quoted(text)) }
}

/// Whether a text may stand without quotes. Rather too often quoted than once read as something else.
fn is_plain(text: &str) -> bool {
    let words = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    let reserved = words.iter().any(|word| text.eq_ignore_ascii_case(word));
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_./-+@$".contains(c))
        && !reserved
}

/// A double-quoted scalar (YAML 1.2, section 7.3.1).
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                out.push_str(&format!("\\U{:08X}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
