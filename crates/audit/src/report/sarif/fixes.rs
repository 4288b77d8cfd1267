//! Fixes as SARIF wants them: which lines of the overlay go, and what comes in their place.

use serde_json::{Value, json};
use similar::{DiffOp, TextDiff};

use super::artifact;
use crate::report::Overlay;
use crate::{Finding, Fix, overlay, redact};

/// The fixes of a finding that can be told without showing a credential.
pub(super) fn fixes(finding: &Finding, file: &Overlay) -> Vec<Value> {
    finding.fixes.iter().filter_map(|fix| change(fix, file)).collect()
}

fn change(fix: &Fix, file: &Overlay) -> Option<Value> {
    let old = file.text.as_deref().unwrap_or_default();
    let new = overlay::apply(file.text.as_deref(), std::slice::from_ref(fix)).ok()?;
    // A replaced line is repeated in its replacement: where that would show a credential, there is no fix to tell.
    let (old_lines, new_lines) = (lines(old), lines(&new));
    let masked = redact::redact(&file.path, &new);
    let masked_lines = lines(&masked);
    let mut replacements = Vec::new();
    for operation in TextDiff::from_lines(old, &new).ops() {
        let (_, gone, come) = operation.as_tag_tuple();
        if matches!(operation, DiffOp::Equal { .. }) {
            continue;
        }
        if !gone.is_empty() && masked_lines.get(come.clone()) != new_lines.get(come.clone()) {
            return None;
        }
        let mut text: String = new_lines.get(come)?.concat();
        let at = gone.start + 1;
        // What is added behind a last line that has no end must begin with one.
        let (start_line, start_column) = match old_lines.last() {
            Some(last) if gone.start == old_lines.len() && !last.ends_with('\n') => {
                text.insert(0, '\n');
                (old_lines.len(), last.chars().count() + 1)
            }
            _ => (at, 1),
        };
        let (end_line, end_column) =
            if gone.is_empty() { (start_line, start_column) } else { end(&old_lines, gone.end) };
        replacements.push(json!({
            "deletedRegion": {
                "startLine": start_line, "startColumn": start_column, "endLine": end_line, "endColumn": end_column,
            },
            "insertedContent": { "text": text },
        }));
    }
    (!replacements.is_empty()).then(|| {
        json!({
            "description": { "text": description(fix) },
            "artifactChanges": [{ "artifactLocation": artifact(&file.path), "replacements": replacements }],
        })
    })
}

/// Where the lines before `end` end: at the beginning of the next, or behind the last.
fn end(lines: &[&str], end: usize) -> (usize, usize) {
    match lines.get(end.saturating_sub(1)) {
        Some(last) if end == lines.len() && !last.ends_with('\n') => (end, last.chars().count() + 1),
        _ => (end + 1, 1),
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn description(fix: &Fix) -> String {
    let point = fix.point.map(|point| format!(" `{point}`")).unwrap_or_default();
    let may_break = fix.may_break.as_ref().map(|sentence| format!(" {sentence}")).unwrap_or_default();
    format!("Set{point} in the overlay ({}).{may_break}", fix.level.as_str())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use seaworthy_project::fixture::load_yaml;

    use super::*;
    use crate::check;

    /// Does what a viewer would do with the replacements.
    fn carried_out(old: &str, change: &Value) -> String {
        let offset = |line: u64, column: u64| {
            let before: usize = lines(old).iter().take(line as usize - 1).map(|line| line.len()).sum();
            before + column as usize - 1
        };
        let mut text = old.to_owned();
        let replacements = change["artifactChanges"][0]["replacements"].as_array().unwrap();
        for replacement in replacements.iter().rev() {
            let region = &replacement["deletedRegion"];
            let at = |line: &str, column: &str| {
                offset(region[line].as_u64().unwrap(), region[column].as_u64().unwrap())
            };
            let range = at("startLine", "startColumn")..at("endLine", "endColumn");
            text.replace_range(range, replacement["insertedContent"]["text"].as_str().unwrap());
        }
        text
    }

    #[test]
    fn the_replacements_make_what_the_fix_makes() {
        let project = load_yaml("services:\n  web:\n    image: shop:1.4\n  db:\n    image: postgres:17.2\n");
        for old in [
            None,
            Some(
                "x-seaworthy:\n  overlay: true\nservices:\n  db:\n    init: true\n  web:\n    tmpfs: [/run]\n    user: \"1\"\n",
            ),
            Some("services:\n  web: {}\n  db:\n    init: true"),
        ] {
            let file =
                Overlay { path: PathBuf::from("compose.production.yaml"), text: old.map(str::to_owned) };
            let mut seen = 0;
            for finding in &check(&project) {
                for fix in &finding.fixes {
                    let Ok(new) = overlay::apply(old, std::slice::from_ref(fix)) else { continue };
                    if Some(new.as_str()) == old {
                        continue;
                    }
                    let change = change(fix, &file).unwrap();
                    assert_eq!(carried_out(old.unwrap_or_default(), &change), new, "{change}");
                    seen += 1;
                }
            }
            assert!(seen > 3);
        }
    }

    #[test]
    fn no_fix_repeats_a_credential() {
        let fix = crate::Fix::new(
            crate::Level::Safe,
            vec![crate::Edit::new(
                ["services", "web", "environment", "A"].map(str::to_owned).to_vec(),
                crate::EditValue::text("b"),
            )],
        );
        let overlay = |text: &str| Overlay { path: PathBuf::from("o.yaml"), text: Some(text.to_owned()) };
        let shown = change(&fix, &overlay("services:\n  web:\n    environment: { API_TOKEN: CANARY }\n"));
        assert_eq!(shown, None);
        let block =
            change(&fix, &overlay("services:\n  web:\n    environment:\n      API_TOKEN: CANARY\n")).unwrap();
        assert!(!block.to_string().contains("CANARY") && block.to_string().contains("A: b"), "{block}");
    }
}
