//! A list of files: which path has which contents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Which path has which contents.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// By their paths without a slash in front.
    pub files: BTreeMap<String, Entry>,
}

/// The contents of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The SHA-256 of them, as hexadecimal digits.
    pub hash: String,
    /// How many bytes they are.
    pub bytes: u64,
}

impl List {
    /// As it is kept.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// One that was kept.
    pub fn parse(text: &str) -> Option<Self> {
        let list: Self = serde_json::from_str(text).ok()?;
        let hashes = list.files.values().all(|entry| is_hash(&entry.hash));
        hashes.then_some(list)
    }

    /// What it is known by.
    pub fn hash(&self) -> String {
        Self::hash_of(&self.text())
    }

    /// What one that was written is known by.
    pub fn hash_of(text: &str) -> String {
        hex(&Sha256::digest(text))
    }
}

pub(super) fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
