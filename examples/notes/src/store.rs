//! Where the notes are: one SQLite file that web, worker and migration share.

mod migration;
mod note;
mod summary;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

pub(crate) use note::{Draft, Note, Written};
pub(crate) use summary::Summary;

/// How long to wait for another process that is writing.
const BUSY_LIMIT: Duration = Duration::from_secs(5);
/// How often a database is asked to keep a write-ahead log; each time in between, who is in the way is waited for.
const TRIES: usize = 20;

/// An open SQLite file. Readers do not wait for writers: each has a connection of its own.
pub(crate) struct Store {
    reader: Mutex<Connection>,
    writer: Mutex<Connection>,
}

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The file could not be opened.
    #[error("cannot open the database `{}`; check `DATABASE_PATH` and the rights of its folder", path.display())]
    Open {
        path: PathBuf,
        #[source]
        cause: rusqlite::Error,
    },
    /// A statement failed.
    #[error("the database failed")]
    Statement(#[from] rusqlite::Error),
    /// A migration failed; nothing of it remains.
    #[error("migration {number} failed and was undone")]
    Migration {
        number: u32,
        #[source]
        cause: rusqlite::Error,
    },
    /// The schema is older than the code.
    #[error("the schema is at version {found} and must be at {needed}; run `notes-migrate`")]
    Schema { found: u32, needed: u32 },
    /// There are as many notes as may be.
    #[error("there are {limit} notes; delete some first")]
    Full { limit: u32 },
    /// The thread that worked on it was lost.
    #[error("the work on the database was interrupted")]
    Interrupted,
}

impl Store {
    /// Opens the file at `path`, and makes it when it is not there.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let open = || {
            connect(path).map(Mutex::new).map_err(|cause| StoreError::Open { path: path.to_owned(), cause })
        };
        Ok(Self { reader: open()?, writer: open()? })
    }

    /// Whether the file can be read.
    pub(crate) fn ping(&self) -> Result<(), StoreError> {
        Ok(self.reader().query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?)
    }

    /// Whether the index of version 3 is there.
    pub(crate) fn has_index(&self) -> Result<(), StoreError> {
        Ok(self.reader().query_row("SELECT count(*) FROM note_index", [], |_| Ok(()))?)
    }

    // A panic while a lock was held leaves no transaction open: rusqlite rolls it back when it is dropped.
    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where others open a new database at the same moment, SQLite refuses this at once and does not wait for them: then we do,
/// by a transaction, for which it does wait.
fn write_ahead(connection: &Connection) -> Result<(), rusqlite::Error> {
    for _ in 1..TRIES {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                connection.execute_batch("BEGIN IMMEDIATE; COMMIT")?;
            }
            done => return done,
        }
    }
    connection.pragma_update(None, "journal_mode", "WAL")
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_LIMIT)?;
    // Write-ahead logging lets several processes read while one writes. Temporary tables stay in memory, because the
    // file system may be read-only but for the folder of the database.
    write_ahead(&connection)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}
