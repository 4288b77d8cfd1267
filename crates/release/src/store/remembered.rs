//! Small facts: the engine, what was reached last, jobs done, instances proven.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, params};
use seaworthy_engine::{InstanceId, ReleaseNumber};
use seaworthy_project::{EnvironmentName, ServiceName};

use crate::{Settings, Store, StoreError};

const CURRENT: &str = "current";
const ENGINE: &str = "engine";
const ENVIRONMENT: &str = "environment";
const ENGINE_BEFORE: &str = "engine-before";
const KEY_MARK: &str = "key-mark";

impl Store {
    /// The engine the project was first deployed on.
    pub fn engine(&self) -> Result<Option<String>, StoreError> {
        self.fact(ENGINE)
    }

    /// The engine a project that was taken down ran on; what is kept of its releases is there.
    pub fn engine_before(&self) -> Result<Option<String>, StoreError> {
        self.fact(ENGINE_BEFORE)
    }

    /// Binds the project to an engine, or with `None` frees it.
    pub fn bind_engine(&self, engine: Option<&str>) -> Result<(), StoreError> {
        if engine.is_none()
            && let Some(before) = self.engine()?
        {
            self.set_fact(ENGINE_BEFORE, Some(&before))?;
        }
        self.set_fact(ENGINE, engine)
    }

    /// The environment the project was deployed in; none is known where an older version deployed it.
    pub fn environment(&self) -> Result<Option<String>, StoreError> {
        self.fact(ENVIRONMENT)
    }

    /// Binds the project to an environment, or with `None` frees it.
    pub fn bind_environment(&self, environment: Option<&EnvironmentName>) -> Result<(), StoreError> {
        self.set_fact(ENVIRONMENT, environment.map(EnvironmentName::as_str))
    }

    /// What was reached last: the release, and what an operator set on top of it.
    pub fn current(&self) -> Result<Option<(ReleaseNumber, Settings)>, StoreError> {
        let Some(text) = self.fact(CURRENT)? else { return Ok(None) };
        let current = serde_json::from_str(&text);
        current
            .map(Some)
            .map_err(|error| StoreError::Damaged { path: self.path(), reason: error.to_string() })
    }

    pub(super) fn current_text(current: Option<(ReleaseNumber, &Settings)>) -> Option<String> {
        current.and_then(|current| serde_json::to_string(&current).ok())
    }

    pub(super) fn current_fact() -> &'static str {
        CURRENT
    }

    /// Remembers that a job ended well.
    pub(crate) fn job_done(&self, release: ReleaseNumber, service: &ServiceName) -> Result<(), StoreError> {
        let sql = "insert or ignore into job (release, service) values (?1, ?2)";
        self.execute("remember a job", sql, params![release.0, service.as_str()])
    }

    /// Jobs that ended well.
    pub(crate) fn jobs_done(&self) -> Result<BTreeSet<(ReleaseNumber, ServiceName)>, StoreError> {
        let rows = self.rows("read the jobs", "select release, service from job", |row| {
            Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?))
        })?;
        let named = |(release, service)| Some((ReleaseNumber(release), ServiceName::new(service).ok()?));
        Ok(rows.into_iter().filter_map(named).collect())
    }

    /// Remembers that instances were ready for their whole minimum time.
    pub(crate) fn prove(&self, instances: &[InstanceId]) -> Result<(), StoreError> {
        for instance in instances {
            let text = serde_json::to_string(instance).unwrap_or_default();
            let sql = "insert or ignore into proven (instance) values (?1)";
            self.execute("remember a ready instance", sql, params![text])?;
        }
        Ok(())
    }

    /// Forgets that an instance was proven.
    pub(crate) fn unprove(&self, instance: &InstanceId) -> Result<(), StoreError> {
        let text = serde_json::to_string(instance).unwrap_or_default();
        self.execute("forget an instance", "delete from proven where instance = ?1", params![text])
    }

    /// Instances that were ready for their whole minimum time.
    pub(crate) fn proven(&self) -> Result<BTreeSet<InstanceId>, StoreError> {
        let rows = self
            .rows("read the ready instances", "select instance from proven", |row| row.get::<_, String>(0))?;
        Ok(rows.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
    }

    /// Whether the key is the one that the state was made with; a new state remembers its key's mark.
    pub(super) fn check_key(&self, remember: bool) -> Result<(), StoreError> {
        let mark = self.key().fingerprint(b"seaworthy state");
        match self.fact(KEY_MARK)? {
            Some(known) if known == mark => Ok(()),
            Some(_) => Err(StoreError::OtherKey { path: self.path() }),
            None if remember => self.set_fact(KEY_MARK, Some(&mark)),
            None => Ok(()),
        }
    }

    fn fact(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.connection()
            .query_row("select value from fact where name = ?1", params![name], |row| row.get(0))
            .optional()
            .map_err(StoreError::database("read the state", &self.path()))
    }

    fn set_fact(&self, name: &'static str, value: Option<&str>) -> Result<(), StoreError> {
        match value {
            Some(value) => self.execute(
                "write the state",
                "insert into fact (name, value) values (?1, ?2) on conflict (name) do update set value = ?2",
                params![name, value],
            ),
            None => self.execute("write the state", "delete from fact where name = ?1", params![name]),
        }
    }

    pub(super) fn execute(
        &self,
        attempt: &'static str,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> Result<(), StoreError> {
        let done = self.connection().execute(sql, values);
        done.map(|_| ()).map_err(StoreError::database(attempt, &self.path()))
    }

    pub(super) fn rows<T>(
        &self,
        attempt: &'static str,
        sql: &str,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let connection = self.connection();
        let rows = connection.prepare(sql).and_then(|mut query| query.query_map([], read)?.collect());
        rows.map_err(StoreError::database(attempt, &self.path()))
    }
}
