//! Reading and writing notes.

use rusqlite::{OptionalExtension, Row, TransactionBehavior, params};
use serde::Serialize;

use super::{Store, StoreError};
use crate::Version;

/// Notes that one answer lists.
const PAGE: u32 = 100;
/// Notes there may be.
const MAX_NOTES: u32 = 10_000;

/// A note.
#[derive(Debug, Serialize)]
pub(crate) struct Note {
    pub(crate) id: String,
    pub(crate) text: String,
    /// As the worker counted them; absent until it has.
    pub(crate) words: Option<u32>,
    pub(crate) updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pinned: Option<bool>,
}

/// What a client wants a note to be.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) pinned: Option<bool>,
}

/// What became of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    New,
    Changed,
}

impl Store {
    /// The newest notes, pinned ones first, of those that contain `search`.
    pub(crate) fn notes(&self, version: &Version, search: &str) -> Result<Vec<Note>, StoreError> {
        let order = if version.pins { "pinned DESC, updated_at DESC" } else { "updated_at DESC" };
        let sql = format!(
            "SELECT {} FROM notes WHERE ?1 = '' OR instr(lower(text), lower(?1)) > 0 ORDER BY {order} LIMIT {PAGE}",
            columns(version)
        );
        let connection = self.reader();
        let mut statement = connection.prepare_cached(&sql)?;
        let notes = statement.query_map([search], |row| note(row, version))?.collect::<Result<_, _>>()?;
        Ok(notes)
    }

    pub(crate) fn note(&self, version: &Version, id: &str) -> Result<Option<Note>, StoreError> {
        let sql = format!("SELECT {} FROM notes WHERE id = ?1", columns(version));
        let connection = self.reader();
        let mut statement = connection.prepare_cached(&sql)?;
        Ok(statement.query_row([id], |row| note(row, version)).optional()?)
    }

    /// Writes a note. Whether it is pinned stays as it is unless the draft says so.
    pub(crate) fn write(&self, draft: &Draft) -> Result<Written, StoreError> {
        let mut connection = self.writer();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let changed = transaction
            .prepare_cached(
                "UPDATE notes SET text = ?2, words = NULL, updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
                 WHERE id = ?1",
            )?
            .execute(params![draft.id, draft.text])?;
        if changed == 0 {
            let count: u32 = transaction.query_row("SELECT count(*) FROM notes", [], |row| row.get(0))?;
            if count >= MAX_NOTES {
                return Err(StoreError::Full { limit: MAX_NOTES });
            }
            transaction
                .prepare_cached(
                    "INSERT INTO notes (id, text, updated_at) VALUES (?1, ?2, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
                )?
                .execute(params![draft.id, draft.text])?;
        }
        if let Some(pinned) = draft.pinned {
            transaction.execute("UPDATE notes SET pinned = ?2 WHERE id = ?1", params![draft.id, pinned])?;
        }
        transaction.commit()?;
        Ok(if changed == 0 { Written::New } else { Written::Changed })
    }

    /// Whether there was a note to delete.
    pub(crate) fn delete(&self, id: &str) -> Result<bool, StoreError> {
        Ok(self.writer().execute("DELETE FROM notes WHERE id = ?1", [id])? > 0)
    }
}

fn columns(version: &Version) -> &'static str {
    if version.pins { "id, text, words, updated_at, pinned" } else { "id, text, words, updated_at" }
}

fn note(row: &Row<'_>, version: &Version) -> Result<Note, rusqlite::Error> {
    let pinned = if version.pins { Some(row.get(4)?) } else { None };
    Ok(Note { id: row.get(0)?, text: row.get(1)?, words: row.get(2)?, updated_at: row.get(3)?, pinned })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ONE, TWO};

    fn draft(id: &str, text: &str, pinned: Option<bool>) -> Draft {
        Draft { id: id.to_owned(), text: text.to_owned(), pinned }
    }

    #[test]
    fn an_older_version_keeps_what_it_does_not_know() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("notes.db")).unwrap();
        store.migrate().unwrap();
        assert_eq!(store.write(&draft("a", "Old text", Some(true))).unwrap(), Written::New);
        assert_eq!(store.write(&draft("a", "New text", None)).unwrap(), Written::Changed);
        assert_eq!(store.note(&TWO, "a").unwrap().unwrap().pinned, Some(true));
        assert_eq!(store.note(&ONE, "a").unwrap().unwrap().pinned, None);
        assert_eq!(store.notes(&TWO, "").unwrap()[0].id, "a");
        assert_eq!(store.notes(&TWO, "NEW").unwrap().len(), 1);
        assert_eq!(store.notes(&TWO, "%").unwrap().len(), 0);
        assert!(store.delete("a").unwrap() && !store.delete("a").unwrap());
    }

    #[test]
    fn there_is_an_end_to_notes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("notes.db")).unwrap();
        store.migrate().unwrap();
        let fill = "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                    INSERT INTO notes (id, text, updated_at) SELECT i, '', '' FROM n";
        store.writer().execute(fill, [MAX_NOTES]).unwrap();
        assert!(matches!(store.write(&draft("new", "", None)), Err(StoreError::Full { limit: MAX_NOTES })));
        assert_eq!(store.write(&draft("7", "text", None)).unwrap(), Written::Changed);
        assert_eq!(store.notes(&ONE, "").unwrap().len(), PAGE as usize);
    }
}
