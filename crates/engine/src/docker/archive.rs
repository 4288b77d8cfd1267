//! Tar archives, in which the Engine API takes and gives files.

use std::io::Read;

/// The text of the first file in an archive; empty when there is none.
pub(super) fn first_text(bytes: &[u8]) -> String {
    let mut archive = tar::Archive::new(bytes);
    let mut text = String::new();
    let first = archive.entries().ok().and_then(|mut entries| entries.next()?.ok());
    if let Some(entry) = first {
        let _ = entry.take(bytes.len() as u64).read_to_string(&mut text);
    }
    text
}
