//! Reads back a project that was written out resolved.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::load::report::Report;
use crate::load::schema::{PROJECT, check};
use crate::load::{Loaded, parse, typed, validate};
use crate::{EnvironmentName, ProjectName, Sources};

/// The name that places in a resolved project are shown with.
const SHOWN_AS: &str = "resolved.json";

pub(super) fn load(
    text: &str,
    name: &ProjectName,
    environment: &EnvironmentName,
    directory: &Path,
) -> Loaded {
    // What was loaded once is not refused here: perhaps in development, perhaps without any service that is enabled.
    let mut report = Report { written: true, tolerant: true, ..Report::default() };
    let mut sources = Sources::default();
    let id = sources.add(PathBuf::from(SHOWN_AS), escape(text));
    let text = sources.get(id).map_or("", |source| &source.text);
    let root = parse::parse(id, text, parse::MAX_RESOLVED_NODES, &mut report)
        .and_then(|documents| documents.into_iter().next());
    let mut project = None;
    if let Some(root) = root {
        check::object(&root, &PROJECT, "", &mut report);
        validate::validate(&root, &[], &mut report);
        let frame = typed::Frame {
            name: name.clone(),
            environment: environment.clone(),
            directory: directory.to_owned(),
            disabled: Vec::new(),
            variables: IndexMap::new(),
        };
        project = Some(typed::project(root, frame, sources.clone()));
    }
    report.finish();
    Loaded {
        project: project.filter(|_| report.problems.is_empty()),
        problems: report.problems,
        warnings: report.warnings,
        sources,
    }
}

/// The longest name of a mapping that YAML reads without a `?` before it, in characters (YAML 1.2, section 7.4.2: 1024).
const LONGEST_PLAIN_NAME: usize = 1000;

/// JSON is YAML but for a few characters that YAML wants escaped (YAML 1.2, section 5.1), and for names that are longer
/// than YAML looks ahead. In JSON the characters stand only in strings, where an escape means the same.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut string = None;
    let mut skip = false;
    for (at, c) in text.char_indices() {
        match (c, string) {
            _ if skip => skip = false,
            ('\\', Some(_)) => skip = true,
            ('"', None) => string = Some((out.len(), at)),
            ('"', Some((start, began))) => {
                string = None;
                let named = text[at + 1..].trim_start().starts_with(':');
                if named && at - began > LONGEST_PLAIN_NAME {
                    out.insert_str(start, "? ");
                }
            }
            _ => {}
        }
        match c {
            '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out
}
