//! What a proof writes: keys with their evidence above them, which a later proof may replace.

use std::ops::Range;

use super::lines::Lines;
use super::scan::{self, Entry, Form};
use super::{OverlayError, edit, write};
use crate::{Edit, EditValue};

/// How a line of evidence begins.
const MARK: &str = "# proven";
/// Keys that a proof decides anew, whoever wrote them; others only where its mark stands above them.
const DECIDED: [&str; 5] = ["read_only", "tmpfs", "cap_drop", "cap_add", "security_opt"];

/// One key of a service as a proof found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenKey {
    /// The key: `cap_add`.
    pub key: &'static str,
    /// Its value; `None` when it should not be there.
    pub value: Option<EditValue>,
    /// What was seen, a line each. None of it may differ from run to run.
    pub evidence: Vec<String>,
}

/// The overlay without what a proof decides for these services, so that it can be found out again.
///
/// # Errors
/// When a line on the way cannot be followed.
pub fn strip(text: &str, services: &[&str]) -> Result<String, OverlayError> {
    let mut text = text.to_owned();
    for service in services {
        for key in DECIDED.iter().chain(&["user"]) {
            let lines = Lines::new(&text);
            let Some((found, _)) = find(&lines, service, key)? else { continue };
            let marked = !marks(&lines, found.lines.start).is_empty();
            if (*key == "user" && !marked) || !is_ours(&lines, &found, key) {
                continue;
            }
            let range = marks(&lines, found.lines.start).start..found.lines.end;
            text = without(&lines, &range);
        }
    }
    Ok(text)
}

/// The overlay with the keys of a service as they were proven. What it says so already, with evidence, stays as it is.
///
/// # Errors
/// When a key cannot be written without touching what it should not.
pub fn write(text: &str, service: &str, keys: &[ProvenKey]) -> Result<String, OverlayError> {
    let mut text = text.to_owned();
    for proven in keys {
        let path: Vec<String> = ["services", service, proven.key].iter().map(|&key| key.to_owned()).collect();
        let lines = Lines::new(&text);
        if let Some((found, column)) = find(&lines, service, proven.key)? {
            let above = marks(&lines, found.lines.start);
            let marked = !above.is_empty();
            if !marked && !DECIDED.contains(&proven.key) || !is_ours(&lines, &found, proven.key) {
                match &proven.value {
                    None => continue,
                    Some(_) => return Err(OverlayError::Decided { key: path.join(".") }),
                }
            }
            match &proven.value {
                None => text = without(&lines, &(above.start..found.lines.end)),
                Some(value) if marked && says(&lines, &found, value) => {}
                Some(value) => {
                    let mut new = evidence(&proven.evidence, column);
                    new.extend(write::block(&[proven.key.to_owned()], value, None, column, lines.step()));
                    text = edit::replace_lines(&lines, &(above.start..found.lines.end), &new);
                }
            }
            continue;
        }
        let Some(value) = &proven.value else { continue };
        let change = Edit { path, value: value.clone(), comment: None };
        text = edit::apply(&text, &change)?;
        let lines = Lines::new(&text);
        // In a map in braces there is no room for a comment.
        if let Some((found, column)) = find(&lines, service, proven.key)? {
            let at = found.lines.start;
            text = edit::replace_lines(&lines, &(at..at), &evidence(&proven.evidence, column));
        }
    }
    Ok(text)
}

fn evidence(said: &[String], column: usize) -> Vec<String> {
    let pad = " ".repeat(column);
    said.iter().map(|line| format!("{pad}{MARK} {}", line.replace(['\n', '\r'], " "))).collect()
}

/// The entry of a service's key and its column; `None` when it is not there as a block.
fn find(lines: &Lines<'_>, service: &str, key: &str) -> Result<Option<(Entry, usize)>, OverlayError> {
    let mut region = scan::root(lines)?;
    for step in ["services", service] {
        let entries = scan::entries(lines, &region)?;
        let Some(entry) = entries.into_iter().find(|entry| entry.key == step) else { return Ok(None) };
        let Form::Map(inner) = entry.form else { return Ok(None) };
        region = inner;
    }
    let found = scan::entries(lines, &region)?.into_iter().find(|entry| entry.key == key);
    Ok(found.map(|found| (found, region.column)))
}

/// The lines of evidence just above a line.
fn marks(lines: &Lines<'_>, line: usize) -> Range<usize> {
    let above = lines.all[..line].iter().rev().take_while(|line| line.content().starts_with(MARK)).count();
    line - above..line
}

/// Whether a proof may replace the value: nothing shared, and nothing that says more than it would.
fn is_ours(lines: &Lines<'_>, found: &Entry, key: &str) -> bool {
    match (&found.form, edit::list_items(lines, found)) {
        (Form::Scalar(_), _) => true,
        // Options behind a folder, but for its owner, are somebody's decision, and so is every other security option.
        (Form::List(_) | Form::FlowList(_), Some(items)) => match key {
            "tmpfs" => {
                items.iter().all(|item| item.split_once(':').is_none_or(|(_, said)| said.starts_with("uid=")))
            }
            "security_opt" => items.iter().all(|item| item.starts_with("no-new-privileges")),
            _ => true,
        },
        _ => false,
    }
}

/// Whether the entry has that value already.
fn says(lines: &Lines<'_>, found: &Entry, value: &EditValue) -> bool {
    match value {
        EditValue::List(items) | EditValue::Override(items) => {
            edit::list_items(lines, found).as_ref() == Some(items)
                && found.overrides == matches!(value, EditValue::Override(_))
        }
        EditValue::Plain(text) | EditValue::Text(text) => {
            matches!(&found.form, Form::Scalar(range) if edit::plain_text(&lines.text[range.clone()]) == *text)
        }
        EditValue::Reset => matches!(found.form, Form::Reset),
    }
}

fn without(lines: &Lines<'_>, range: &Range<usize>) -> String {
    edit::replace_lines(lines, range, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(items: &[&str]) -> Option<EditValue> {
        Some(EditValue::list(items.iter().copied()))
    }

    fn key(key: &'static str, value: Option<EditValue>, evidence: &[&str]) -> ProvenKey {
        ProvenKey { key, value, evidence: evidence.iter().map(|line| (*line).to_owned()).collect() }
    }

    const OVERLAY: &str = "services:\n  db:\n    # mine\n    mem_limit: 1g # enough\n    cap_add: [CHOWN, SETUID]\n    tmpfs:\n      - /tmp:size=1m\n\n  web:\n    image: web:1\n";

    #[test]
    fn a_proof_is_written_once_and_replaces_its_own() {
        let keys = [
            key("cap_drop", list(&["ALL"]), &["on db:1"]),
            key("cap_add", list(&["SETUID"]), &["without SETUID it ended"]),
        ];
        let once = write(OVERLAY, "db", &keys).unwrap();
        assert_eq!(
            once,
            "services:\n  db:\n    # mine\n    mem_limit: 1g # enough\n    # proven without SETUID it ended\n    cap_add: [SETUID]\n    tmpfs:\n      - /tmp:size=1m\n    # proven on db:1\n    cap_drop: [ALL]\n\n  web:\n    image: web:1\n"
        );
        assert_eq!(write(&once, "db", &keys).unwrap(), once);
        let other = [key("cap_add", list(&["SETUID"]), &["without SETUID it was not ready"])];
        assert_eq!(write(&once, "db", &other).unwrap(), once, "the same result changes nothing");
        let none = [key("cap_add", None, &[])];
        assert!(!write(&once, "db", &none).unwrap().contains("cap_add"));
    }

    #[test]
    fn what_was_proven_is_stripped_and_nothing_else() {
        let keys = [
            key("user", Some(EditValue::text("5:5")), &["it changes to it"]),
            key("read_only", Some(EditValue::plain(true)), &["on db:1", "and so on"]),
        ];
        let written = write(OVERLAY, "web", &keys).unwrap();
        assert_eq!(strip(&written, &["web"]).unwrap(), OVERLAY);
        let stripped = strip(OVERLAY, &["db"]).unwrap();
        assert_eq!(stripped, OVERLAY.replace("    cap_add: [CHOWN, SETUID]\n", ""));
        let mine = "services:\n  web:\n    user: \"7\"\n";
        assert_eq!(strip(mine, &["web"]).unwrap(), mine, "a user is somebody's decision");
    }

    #[test]
    fn what_somebody_decided_is_refused() {
        let tmpfs = [key("tmpfs", list(&["/run"]), &["x"])];
        assert!(matches!(write(OVERLAY, "db", &tmpfs), Err(OverlayError::Decided { .. })));
        let shared = "x: &a [ALL]\nservices:\n  web:\n    cap_drop: *a\n";
        assert!(write(shared, "web", &[key("cap_drop", list(&["ALL"]), &[])]).is_err());
        assert_eq!(strip(shared, &["web"]).unwrap(), shared);
    }

    #[test]
    fn a_new_service_and_braces_are_written_too() {
        let keys = [key("cap_drop", list(&["ALL"]), &["on web:1"])];
        let new = write("services:\n  db:\n    image: db:1\n", "web", &keys).unwrap();
        assert_eq!(
            new,
            "services:\n  db:\n    image: db:1\n  web:\n    # proven on web:1\n    cap_drop: [ALL]\n"
        );
        let braces = write("services:\n  web: { image: web:1 }\n", "web", &keys).unwrap();
        assert_eq!(braces, "services:\n  web: { image: web:1, cap_drop: [ALL] }\n");
        assert_eq!(write(&braces, "web", &keys).unwrap(), braces);
        let windows = write("services:\r\n  web:\r\n    image: web:1\r\n", "web", &keys).unwrap();
        assert!(windows.ends_with("    # proven on web:1\r\n    cap_drop: [ALL]\r\n"), "{windows:?}");
    }
}
