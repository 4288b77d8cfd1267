//! What the worker finds out: the words of each note, and of all.

use rusqlite::{OptionalExtension, TransactionBehavior, params};
use serde::Serialize;

use super::{Store, StoreError};

/// Notes counted in one transaction, so that writers do not wait long.
const BATCH: u32 = 100;

/// All notes in numbers.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) notes: i64,
    pub(crate) words: i64,
    pub(crate) updated_at: String,
}

impl Store {
    /// Counts the words of notes that were written since, and writes the summary when there were any. Tells how many.
    pub(crate) fn count_words(&self) -> Result<usize, StoreError> {
        let mut connection = self.writer();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sql = format!("SELECT id, text FROM notes WHERE words IS NULL LIMIT {BATCH}");
        let fresh: Vec<(String, String)> = transaction
            .prepare_cached(&sql)?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (id, text) in &fresh {
            let words = u32::try_from(text.split_whitespace().count()).unwrap_or(u32::MAX);
            transaction.execute("UPDATE notes SET words = ?2 WHERE id = ?1", params![id, words])?;
        }
        // Notes that were deleted change the summary too, so it is compared, not only the fresh ones.
        transaction.execute(
            "INSERT INTO summary (id, notes, words, updated_at)
             SELECT 1, count(*), coalesce(sum(words), 0), strftime('%Y-%m-%dT%H:%M:%fZ', 'now') FROM notes WHERE true
             ON CONFLICT (id) DO UPDATE
             SET notes = excluded.notes, words = excluded.words, updated_at = excluded.updated_at
             WHERE summary.notes <> excluded.notes OR summary.words <> excluded.words",
            [],
        )?;
        transaction.commit()?;
        Ok(fresh.len())
    }

    /// The summary, once the worker has made one.
    pub(crate) fn summary(&self) -> Result<Option<Summary>, StoreError> {
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Summary { notes: row.get(0)?, words: row.get(1)?, updated_at: row.get(2)? })
        };
        let sql = "SELECT notes, words, updated_at FROM summary WHERE id = 1";
        Ok(self.reader().query_row(sql, [], read).optional()?)
    }
}
