//! Keys and values as YAML text.

use crate::EditValue;

/// Words that some reader of YAML takes for something else than text.
const RESERVED: [&str; 12] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "~", "=", "<<"];

/// A text as a scalar: bare where every reader of YAML takes it as that text, else in double quotes.
pub(super) fn scalar(text: &str) -> String {
    let bare_start = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_');
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '.' | '-');
    if is_quantity(text) {
        return text.to_owned();
    }
    if bare_start && text.chars().all(bare) && !RESERVED.contains(&text.to_ascii_lowercase().as_str()) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\x{:02x}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Digits and a unit that no reader takes for a number: `10s`, `512M`.
fn is_quantity(text: &str) -> bool {
    let digits = text.trim_end_matches(['s', 'm', 'h', 'M', 'G', 'K']);
    !digits.is_empty() && digits.len() + 1 == text.len() && digits.chars().all(|c| c.is_ascii_digit())
}

/// A list in brackets.
pub(super) fn list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| scalar(item)).collect();
    format!("[{}]", items.join(", "))
}

/// A value on one line.
pub(super) fn value(value: &EditValue) -> String {
    match value {
        EditValue::Plain(text) => text.clone(),
        EditValue::Text(text) => scalar(text),
        EditValue::List(items) => list(items),
        EditValue::Override(items) => format!("!override {}", list(items)),
        EditValue::Reset => "!reset null".to_owned(),
    }
}

/// Lines for a path of new keys with a value at its end, the first key in `column`.
pub(super) fn block(
    path: &[String],
    leaf: &EditValue,
    comment: Option<&str>,
    column: usize,
    step: usize,
) -> Vec<String> {
    let mut lines = Vec::new();
    for (depth, key) in path.iter().enumerate() {
        let pad = " ".repeat(column + depth * step);
        if depth + 1 < path.len() {
            lines.push(format!("{pad}{}:", scalar(key)));
        } else {
            lines.extend(comment.map(|comment| format!("{pad}# {comment}")));
            lines.push(format!("{pad}{}: {}", scalar(key), value(leaf)));
        }
    }
    lines
}

/// A path of new keys with a value at its end, in braces after the first key.
pub(super) fn flow(path: &[String], leaf: &EditValue) -> String {
    match path {
        [] => value(leaf),
        [key] => format!("{}: {}", scalar(key), value(leaf)),
        [key, rest @ ..] => format!("{}: {{ {} }}", scalar(key), flow(rest, leaf)),
    }
}
