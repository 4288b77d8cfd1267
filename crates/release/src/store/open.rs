//! Opening the state of a project: made, checked and versioned.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use seaworthy_engine::seal::SealKey;

use crate::disk;
use crate::{FaultPoint, Store, StoreError};

/// The version this program writes.
const VERSION: i64 = 1;
/// Marks the file as ours: `SeaW`.
const APPLICATION: i64 = 0x5365_6157;
/// How long to wait for a reader that looks at the same time.
const BUSY: Duration = Duration::from_secs(5);

const SCHEMA: &str = "
create table fact (name text primary key, value text not null) strict;
create table release (
    number integer primary key, created_at text not null, tool text not null, commit_id text, dirty integer not null,
    migrates integer not null, good integer not null default 0
) strict;
create table change (
    id integer primary key autoincrement, kind text not null, from_release integer, from_settings text not null,
    to_release integer, to_settings text not null, state text not null, started_at text not null, ended_at text,
    owner text not null, plan text not null, bundle text, reason text
) strict;
create table journal (
    id integer primary key autoincrement, change integer not null references change (id), step integer not null,
    phase text not null, action text not null, at text not null
) strict;
create table job (release integer not null, service text not null, primary key (release, service)) strict;
create table proven (instance text primary key) strict;
";

impl Store {
    /// Opens the state of the project in `folder`, made if it is not there.
    ///
    /// # Errors
    /// When it is damaged, newer than this program, or cannot be written.
    pub fn open(folder: &Path, key: SealKey, fault: FaultPoint) -> Result<Self, StoreError> {
        let path = Self::path_in(folder);
        disk::make_folder(folder).map_err(StoreError::written(&path))?;
        let fresh = disk::length(&path).is_none_or(|length| length == 0);
        if fresh && !disk::list(&folder.join("releases")).is_empty() {
            let reason = "it is empty, but releases are kept beside it".to_owned();
            return Err(StoreError::Damaged { path, reason });
        }
        disk::make_private(&path)?;
        let connection = Self::connect(&path, fresh, OpenFlags::default())?;
        let store = Self { connection: Mutex::new(connection), folder: folder.to_owned(), key, fault };
        store.check_key(true)?;
        Ok(store)
    }

    /// Opens the state of a project for looking; `None` when there is none.
    ///
    /// # Errors
    /// When it is damaged or newer than this program.
    pub fn open_existing(folder: &Path, key: SealKey) -> Result<Option<Self>, StoreError> {
        let path = Self::path_in(folder);
        if disk::length(&path).is_none_or(|length| length == 0) {
            return Ok(None);
        }
        let connection = Self::connect(&path, false, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let fault = FaultPoint::default();
        let store = Self { connection: Mutex::new(connection), folder: folder.to_owned(), key, fault };
        store.check_key(false)?;
        Ok(Some(store))
    }

    /// The state of a project that has none yet, in memory: for planning without making anything.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn imagined(folder: &Path) -> Result<Self, StoreError> {
        let path = Self::path_in(folder);
        let connection =
            Connection::open_in_memory().map_err(StoreError::database("imagine a state", &path))?;
        create(&connection, &path)?;
        let key = SealKey::new([0; 32]);
        let fault = FaultPoint::default();
        Ok(Self { connection: Mutex::new(connection), folder: folder.to_owned(), key, fault })
    }

    fn connect(path: &Path, fresh: bool, flags: OpenFlags) -> Result<Connection, StoreError> {
        let open = StoreError::database("open the state", path);
        let connection = Connection::open_with_flags(path, flags).map_err(open)?;
        let version = (|| {
            connection.busy_timeout(BUSY)?;
            connection.pragma_update(None, "foreign_keys", true)?;
            connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
        })()
        .map_err(StoreError::database("read the version of the state", path))?;
        match version {
            0 if fresh => create(&connection, path)?,
            0 => {
                return Err(StoreError::Damaged {
                    path: path.to_owned(),
                    reason: "it holds no state".to_owned(),
                });
            }
            VERSION => check(&connection, path)?,
            found => return Err(StoreError::Newer { path: path.to_owned(), found, known: VERSION }),
        }
        connection
            .pragma_update(None, "synchronous", "full")
            .map_err(StoreError::database("set up the state", path))?;
        Ok(connection)
    }
}

fn create(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    (|| {
        connection.pragma_update(None, "application_id", APPLICATION)?;
        connection.execute_batch(&format!("begin; {SCHEMA} pragma user_version = {VERSION}; commit;"))
    })()
    .map_err(StoreError::database("make the state", path))
}

fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let told: String = connection
        .query_row("pragma quick_check(1)", [], |row| row.get(0))
        .map_err(StoreError::database("check the state", path))?;
    if told == "ok" { Ok(()) } else { Err(StoreError::Damaged { path: path.to_owned(), reason: told }) }
}
