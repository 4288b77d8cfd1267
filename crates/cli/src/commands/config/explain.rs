//! `--explain`: where a value comes from.

use seaworthy_project::{NothingThere, Project, Provenance, Span, provenance};
use serde_json::{Value, json};

use super::pretty;
use crate::error::CommandError;

/// The version of the JSON.
const VERSION: u32 = 1;
/// The most keys that a hint names.
const MAX_NAMED: usize = 12;

/// Every value at or under a path with all that had a say in it.
pub(super) fn text(project: &Project, path: &str, json: bool) -> Result<String, CommandError> {
    let values = provenance(project, path).map_err(|nothing| missing(path, &nothing))?;
    if json {
        let values: Vec<Value> = values.iter().map(|value| as_json(project, value)).collect();
        return Ok(pretty(&json!({ "version": VERSION, "values": values })));
    }
    Ok(values.iter().map(|value| as_text(project, value)).collect::<Vec<_>>().join("\n"))
}

fn missing(path: &str, nothing: &NothingThere) -> CommandError {
    let mut keys: Vec<String> = nothing.keys.iter().take(MAX_NAMED).map(|key| format!("`{key}`")).collect();
    if nothing.keys.len() > MAX_NAMED {
        keys.push(format!("and {} more", nothing.keys.len() - MAX_NAMED));
    }
    let place =
        if nothing.known.is_empty() { "at the top".to_owned() } else { format!("under `{}`", nothing.known) };
    let hint = match keys.is_empty() {
        true => format!("{place} stands a value with no keys of its own"),
        false => format!("{place} stand {}", keys.join(", ")),
    };
    CommandError::new(format!("nothing stands at `{path}`"), Some(&hint))
}

fn as_text(project: &Project, value: &Provenance) -> String {
    let place = |span: &Span| project.sources.place(span);
    let mut out = format!("{}: {}\n", value.path, value.value);
    let mut lines: Vec<(String, &str, String)> = Vec::new();
    if value.implied {
        lines.push((place(&value.place), "implies it", String::new()));
    } else {
        lines.push((place(&value.place), "wins", code(&value.written)));
    }
    lines.extend(value.lost.iter().map(|(span, written)| (place(span), "is laid over", code(written))));
    let width = lines.iter().map(|(place, ..)| place.chars().count()).max().unwrap_or(0);
    for (place, what, written) in lines {
        out.push_str(format!("  {place:<width$}  {what:<12}  {written}").trim_end());
        out.push('\n');
    }
    for (name, span) in &value.filled {
        let from = span.as_ref().map_or_else(|| "the shell".to_owned(), place);
        out.push_str(&format!("  `{name}` is filled in from {from}\n"));
    }
    for name in &value.unset {
        out.push_str(&format!("  `{name}` is not set\n"));
    }
    out
}

fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

fn as_json(project: &Project, value: &Provenance) -> Value {
    let at = |span: &Span| {
        let file = project.sources.get(span.file).map(|source| source.path.display().to_string());
        json!({ "file": file, "line": span.start.line, "column": span.start.column })
    };
    let lost: Vec<Value> =
        value.lost.iter().map(|(span, written)| json!({ "place": at(span), "written": written })).collect();
    let filled: Vec<Value> = value
        .filled
        .iter()
        .map(|(name, span)| json!({ "variable": name, "place": span.as_ref().map(at) }))
        .collect();
    json!({
        "path": value.path,
        "value": value.value,
        "place": at(&value.place),
        "written": value.written,
        "implied": value.implied,
        "lost": lost,
        "filled": filled,
        "unset": value.unset,
    })
}
