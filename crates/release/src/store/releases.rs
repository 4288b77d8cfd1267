//! Releases on disk: a row to list them by, and the sealed record beside it.

use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::params;
use seaworthy_engine::{Artifact, ReleaseNumber};
use serde::Serialize;

use crate::disk;
use crate::record::Record;
use crate::{Release, ReleaseError, Store, StoreError};

/// A release as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseSummary {
    /// Its number.
    pub number: ReleaseNumber,
    /// When it was made.
    pub created_at: Timestamp,
    /// The version of this program that made it.
    pub tool: String,
    /// The commit of the project folder.
    pub commit: Option<String>,
    /// Whether the folder differed from that commit.
    pub dirty: bool,
    /// Whether it ran jobs that a rollback of code does not undo.
    pub migrates: bool,
    /// Whether it was ever reached.
    pub good: bool,
}

impl Store {
    /// The number the next release gets.
    pub(crate) fn next_release(&self) -> Result<ReleaseNumber, StoreError> {
        let sql = "select coalesce(max(number), 0) + 1 from \
                   (select number from release union all select to_release from change)";
        let rows = self.rows("number a release", sql, |row| row.get::<_, u32>(0))?;
        Ok(ReleaseNumber(rows.first().copied().unwrap_or(1)))
    }

    /// Keeps a release: its files as blobs, its record sealed, its row last.
    pub(crate) fn keep_release(&self, release: &Release) -> Result<(), StoreError> {
        let record = Record::write(release, self)?;
        self.write_sealed(&self.record_path(release.number), &context(release.number), &record)?;
        self.execute(
            "keep a release",
            "insert or replace into release (number, created_at, tool, commit_id, dirty, migrates)
             values (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                release.number.0,
                release.created_at.to_string(),
                release.tool,
                release.origin.commit,
                release.origin.dirty,
                release.migrates(),
            ],
        )
    }

    /// Reads a release back.
    ///
    /// # Errors
    /// When there is none of that number, or it cannot be read.
    pub fn release(&self, number: ReleaseNumber) -> Result<Release, ReleaseError> {
        if !self.releases()?.iter().any(|release| release.number == number) {
            return Err(ReleaseError::NoRelease { wanted: number.to_string() });
        }
        let record = self.read_sealed(&self.record_path(number), &context(number))?;
        Record::read(&record, number, self)
    }

    /// The releases kept, newest first.
    pub fn releases(&self) -> Result<Vec<ReleaseSummary>, StoreError> {
        let sql = "select number, created_at, tool, commit_id, dirty, migrates, good from release order by number desc";
        self.rows("read the releases", sql, |row| {
            let created_at: String = row.get(1)?;
            Ok(ReleaseSummary {
                number: ReleaseNumber(row.get(0)?),
                created_at: created_at.parse().unwrap_or(Timestamp::UNIX_EPOCH),
                tool: row.get(2)?,
                commit: row.get(3)?,
                dirty: row.get(4)?,
                migrates: row.get(5)?,
                good: row.get(6)?,
            })
        })
    }

    /// What a release needs to run again: artifacts, and blobs by fingerprint.
    pub(crate) fn needs(&self, number: ReleaseNumber) -> Result<(Vec<Artifact>, Vec<String>), ReleaseError> {
        let bytes = self.read_sealed(&self.record_path(number), &context(number))?;
        let record = Record::open(&bytes, number)?;
        Ok((record.artifacts.into_values().collect(), record.files.into_values().collect()))
    }

    /// Drops a release.
    pub(crate) fn drop_release(&self, number: ReleaseNumber) -> Result<(), StoreError> {
        self.execute("drop a release", "delete from release where number = ?1", params![number.0])?;
        let path = self.record_path(number);
        disk::remove(&path).map_err(StoreError::written(&path))
    }

    fn record_path(&self, number: ReleaseNumber) -> PathBuf {
        self.folder().join("releases").join(format!("{number}.sealed"))
    }
}

fn context(number: ReleaseNumber) -> String {
    format!("release {number}")
}
