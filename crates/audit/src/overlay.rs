//! Surgical edits of the production overlay: what stands there keeps its bytes.

mod edit;
mod flow;
mod lines;
mod proven;
mod scan;
mod waived;
mod write;

pub use proven::{ProvenKey, strip as without_proven, write as write_proven};
pub use waived::{ProvenWaiver, write as write_waivers};

use crate::{Edit, Fix};

/// How a new overlay begins.
pub const HEADER: &str = "# What differs in production. `seaworthy init` and `seaworthy harden` add to this file and change nothing of yours.\nx-seaworthy:\n  overlay: true\n";

/// Lines of unchanged text shown around a change.
const DIFF_CONTEXT: usize = 3;

/// Why an edit was refused. The text is untouched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverlayError {
    /// The place is an anchor or an alias: an edit would change other places too.
    #[error("`{key}` is shared through an anchor or alias; edit it by hand.")]
    Shared {
        /// The key on the way.
        key: String,
    },
    /// The place merges another map: a new key would hide a merged one.
    #[error("`{key}` merges another map with `<<`; edit it by hand.")]
    Merged {
        /// The key on the way.
        key: String,
    },
    /// The overlay has decided otherwise.
    #[error("`{key}` already says something else in the overlay; change it there if you agree.")]
    Decided {
        /// The key.
        key: String,
    },
    /// The place has a form that cannot be edited in place.
    #[error("`{key}` is {found}, which cannot be edited in place; edit it by hand.")]
    Form {
        /// The key on the way.
        key: String,
        /// What stands there.
        found: &'static str,
    },
    /// A line that is not the plain nested map expected there.
    #[error("line {line} of the overlay cannot be followed; edit it by hand.")]
    Unclear {
        /// The line, from 1.
        line: usize,
    },
}

/// The overlay with all edits of the fixes made; `None` stands for an overlay that does not exist yet.
/// Applying the same fixes again changes nothing.
///
/// # Errors
/// When one edit cannot be made without touching what it should not; then none is made.
pub fn apply(overlay_text: Option<&str>, fixes: &[Fix]) -> Result<String, OverlayError> {
    let mut text = overlay_text.unwrap_or(HEADER).to_owned();
    for edit in fixes.iter().flat_map(|fix| &fix.edits) {
        text = edit::apply(&text, edit)?;
    }
    Ok(text)
}

/// The edits as a piece of YAML to paste.
pub fn snippet(edits: &[Edit]) -> String {
    let mut text = String::new();
    for edit in edits {
        if let Ok(longer) = edit::apply(&text, edit) {
            text = longer;
        }
    }
    text
}

/// What changed between two texts of one file, as a unified diff; empty when nothing did.
pub fn diff(old: &str, new: &str, path: &str) -> String {
    if old == new {
        return String::new();
    }
    let from = if old.is_empty() { "/dev/null".to_owned() } else { format!("a/{path}") };
    let changes = similar::TextDiff::from_lines(old, new);
    changes.unified_diff().context_radius(DIFF_CONTEXT).header(&from, &format!("b/{path}")).to_string()
}

#[cfg(test)]
mod tests;
