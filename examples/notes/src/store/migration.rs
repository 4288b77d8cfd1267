//! The schema, step by step. Steps only add, one release before the code that needs them, so that the versions before
//! and after a deploy, or a rollback, both run on it.

use rusqlite::{Connection, TransactionBehavior};

use super::{Store, StoreError};

struct Migration {
    about: &'static str,
    sql: &'static str,
}

/// In order; the first makes version 1.
const MIGRATIONS: [Migration; 2] = [
    Migration {
        about: "notes and their summary",
        sql: "CREATE TABLE notes (
                  id TEXT PRIMARY KEY NOT NULL,
                  text TEXT NOT NULL,
                  words INTEGER,
                  updated_at TEXT NOT NULL
              ) STRICT;
              CREATE INDEX notes_by_time ON notes (updated_at);
              CREATE INDEX notes_uncounted ON notes (id) WHERE words IS NULL;
              CREATE TABLE summary (
                  id INTEGER PRIMARY KEY CHECK (id = 1),
                  notes INTEGER NOT NULL,
                  words INTEGER NOT NULL,
                  updated_at TEXT NOT NULL
              ) STRICT;
              INSERT INTO notes VALUES ('1', 'Welcome to Notes.', NULL, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));",
    },
    Migration {
        about: "notes can be pinned",
        sql: "ALTER TABLE notes ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;",
    },
];

/// What a migration did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Migrated {
    /// The schema's version before.
    pub(crate) from: u32,
    /// The schema's version now.
    pub(crate) to: u32,
    /// What was added.
    pub(crate) added: Vec<&'static str>,
}

impl Store {
    /// Takes the schema to the newest version this program knows. A newer one is left as it is.
    pub(crate) fn migrate(&self) -> Result<Migrated, StoreError> {
        let mut connection = self.writer();
        let from = schema_version(&connection)?;
        let mut migrated = Migrated { from, to: from, added: Vec::new() };
        for (number, migration) in (1..).zip(&MIGRATIONS) {
            let failed = |cause| StoreError::Migration { number, cause };
            if apply(&mut connection, number, migration).map_err(failed)? {
                migrated.to = number;
                migrated.added.push(migration.about);
            }
        }
        Ok(migrated)
    }

    /// Fails when the schema is older than `needed`.
    pub(crate) fn has_schema(&self, needed: u32) -> Result<(), StoreError> {
        let found = schema_version(&self.reader())?;
        if found < needed { Err(StoreError::Schema { found, needed }) } else { Ok(()) }
    }
}

/// Applies one step unless it was applied before, by this or another process.
fn apply(connection: &mut Connection, number: u32, migration: &Migration) -> Result<bool, rusqlite::Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if schema_version(&transaction)? >= number {
        return Ok(false);
    }
    transaction.execute_batch(migration.sql)?;
    transaction.pragma_update(None, "user_version", number)?;
    transaction.commit()?;
    Ok(true)
}

fn schema_version(connection: &Connection) -> Result<u32, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_may_run_twice_and_leaves_what_is_newer() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("notes.db")).unwrap();
        assert!(store.has_schema(1).unwrap_err().to_string().contains("at version 0 and must be at 1"));
        let first = store.migrate().unwrap();
        assert_eq!((first.from, first.to, first.added.len()), (0, 2, 2));
        assert_eq!(store.migrate().unwrap(), Migrated { from: 2, to: 2, added: Vec::new() });
        store.has_schema(2).unwrap();
        store.writer().pragma_update(None, "user_version", 9).unwrap();
        assert_eq!(store.migrate().unwrap(), Migrated { from: 9, to: 9, added: Vec::new() });
    }

    #[test]
    fn a_step_that_fails_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("notes.db")).unwrap();
        let broken = Migration { about: "broken", sql: "CREATE TABLE half (id INTEGER); SELECT nonsense;" };
        apply(&mut store.writer(), 1, &broken).unwrap_err();
        let tables: u32 =
            store.reader().query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        assert_eq!((tables, schema_version(&store.reader()).unwrap()), (0, 0));
    }

    #[test]
    fn several_at_once_do_it_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.db");
        let added: usize = std::thread::scope(|scope| {
            let migrate = || Store::open(&path).unwrap().migrate().unwrap().added.len();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(migrate)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(added, MIGRATIONS.len());
    }
}
