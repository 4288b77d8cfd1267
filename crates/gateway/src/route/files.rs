//! Files that a route answers with by itself, as they are told and kept in the snapshot.

use serde::{Deserialize, Serialize};

/// The most beginnings and patterns of a route.
const MOST_PATTERNS: usize = 100;
/// The longest time that answers may be kept by browsers: a year.
const LONGEST_AGE: u64 = 365 * 24 * 3600;

/// Files that the gateway keeps. What is no file goes on to the backends.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// Which files: the hash of their list.
    pub list: String,
    /// The file that is shown where a page is asked for that is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// Beginnings of paths that are never files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pass: Vec<String>,
    /// How long browsers need not ask again for what is no page; 0 is that they always ask.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_age_seconds: u64,
    /// Paths such as `/assets/*` of files that never change under their name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub immutable: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(seconds: &u64) -> bool {
    *seconds == 0
}

impl Files {
    pub(super) fn contradiction(&self) -> Option<String> {
        let hash = self.list.len() == 64 && self.list.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hash {
            return Some("its files are named by no hash".to_owned());
        }
        let count = self.pass.len() + self.immutable.len();
        if count > MOST_PATTERNS || self.max_age_seconds > LONGEST_AGE {
            return Some(
                "its files have more than a hundred patterns, or are kept for more than a year".to_owned(),
            );
        }
        let wrong = |text: &&String| !text.starts_with('/');
        let mut all = self.pass.iter().chain(&self.immutable);
        all.find(wrong).map(|text| format!("`{text}` is no path of its files"))
    }
}
