//! Changes and their journal: a line before and after each step, on disk before the step begins.

use std::fmt;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Row, params};
use seaworthy_engine::ReleaseNumber;
use serde::{Deserialize, Serialize};

use crate::{Action, Owner, Plan, Settings, Store, StoreError};

/// A change that was begun: a deploy, a rollback, a scale …
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its number.
    pub id: i64,
    /// What sort.
    pub kind: DeploymentKind,
    /// What was reached before it.
    pub from: Option<(ReleaseNumber, Settings)>,
    /// What it leads to.
    pub to: Option<(ReleaseNumber, Settings)>,
    /// How it stands.
    pub state: DeploymentState,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Who began it.
    pub owner: Owner,
    /// The failure bundle, if one was written.
    pub bundle: Option<String>,
    /// Why it failed.
    pub reason: Option<String>,
    /// What made it needed, a sentence per service.
    #[serde(default)]
    pub causes: Vec<String>,
}

/// What sort of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeploymentKind {
    /// To a new release.
    Deploy,
    /// To an older release.
    Rollback,
    /// To other counts.
    Scale,
    /// To new instances of the same.
    Restart,
    /// To no instances of some services.
    Stop,
    /// To the instances they had before.
    Start,
    /// To nothing.
    Down,
    /// To what should run already.
    Heal,
}

/// How a change stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeploymentState {
    /// Under way, or cut off.
    Running,
    /// Reached.
    Done,
    /// Failed; all is as before.
    RolledBack,
    /// Failed, and the way back failed too.
    Failed,
    /// Failed, and left as it stood, because `failure_action` says `pause`.
    Paused,
    /// Cut off and undone by a later command.
    Undone,
    /// Cut off and finished by a later command.
    Finished,
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalLine {
    /// The step, from 1.
    pub step: usize,
    /// `starting`, `done` or `failed`.
    pub phase: String,
    /// What is done.
    pub action: Action,
    /// When.
    pub at: Timestamp,
}

impl fmt::Display for DeploymentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
            Self::Scale => "scale",
            Self::Restart => "restart",
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Down => "down",
            Self::Heal => "heal",
        })
    }
}

impl fmt::Display for DeploymentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "unfinished",
            Self::Done => "done",
            Self::RolledBack => "failed, rolled back",
            Self::Failed => "failed, rollback failed",
            Self::Paused => "failed, paused",
            Self::Undone => "cut off, undone",
            Self::Finished => "cut off, finished",
        })
    }
}

const COLUMNS: &str = "id, kind, from_release, from_settings, to_release, to_settings, state, started_at, ended_at, \
                       owner, bundle, reason, plan";

impl Store {
    /// Records that a change begins; this is its first line on disk.
    pub(crate) fn begin(
        &self,
        kind: DeploymentKind,
        from: Option<&(ReleaseNumber, Settings)>,
        to: Option<&(ReleaseNumber, Settings)>,
        plan: &Plan,
        owner: &Owner,
    ) -> Result<i64, StoreError> {
        let number = |end: Option<&(ReleaseNumber, Settings)>| end.map(|(release, _)| release.0);
        let settings = |end: Option<&(ReleaseNumber, Settings)>| json(&end.map(|(_, settings)| settings));
        self.execute(
            "begin a change",
            "insert into change (kind, from_release, from_settings, to_release, to_settings, state, started_at, owner, plan)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                json(&kind), number(from), settings(from), number(to), settings(to),
                json(&DeploymentState::Running), owner.since.to_string(), json(owner), json(plan),
            ],
        )?;
        let id = self.connection().last_insert_rowid();
        self.fault.passed();
        Ok(id)
    }

    /// Writes a line of the journal; it is on disk when this returns.
    pub(crate) fn journal(
        &self,
        change: i64,
        step: usize,
        phase: &str,
        action: &Action,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "write the journal",
            "insert into journal (change, step, phase, action, at) values (?1, ?2, ?3, ?4, ?5)",
            params![change, step as i64, phase, json(action), at.to_string()],
        )?;
        self.fault.passed();
        Ok(())
    }

    /// Ends a change: its state, and what is reached now, in one transaction.
    pub(crate) fn end(
        &self,
        change: i64,
        state: DeploymentState,
        reached: Option<(ReleaseNumber, &Settings)>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let path = self.path();
        let mut connection = self.connection();
        (|| {
            let transaction = connection.transaction()?;
            let sql = "update change set state = ?2, ended_at = ?3 where id = ?1";
            transaction.execute(sql, params![change, json(&state), at.to_string()])?;
            transaction.execute("delete from fact where name = ?1", params![Self::current_fact()])?;
            if let Some(text) = Self::current_text(reached) {
                let sql = "insert into fact (name, value) values (?1, ?2)";
                transaction.execute(sql, params![Self::current_fact(), text])?;
            }
            if let (Some((release, _)), DeploymentState::Done | DeploymentState::Finished) = (reached, state)
            {
                transaction.execute("update release set good = 1 where number = ?1", params![release.0])?;
            }
            transaction.commit()
        })()
        .map_err(StoreError::database("end a change", &path))?;
        drop(connection);
        self.fault.passed();
        Ok(())
    }

    /// Notes why a change failed, and where its bundle is.
    pub(crate) fn note_failure(
        &self,
        change: i64,
        reason: &str,
        bundle: Option<&Path>,
    ) -> Result<(), StoreError> {
        let bundle = bundle.map(|path| path.display().to_string());
        let sql = "update change set reason = ?2, bundle = ?3 where id = ?1";
        self.execute("note a failure", sql, params![change, reason, bundle])
    }

    /// Forgets all but the newest healings.
    pub(crate) fn forget_healings_but(&self, keep: u32) -> Result<(), StoreError> {
        let old = "select id from change where kind = ?1 and state <> ?2 order by id desc limit -1 offset ?3";
        let values = || (json(&DeploymentKind::Heal), json(&DeploymentState::Running), keep);
        let lines = format!("delete from journal where change in ({old})");
        self.execute("forget old healings", &lines, values())?;
        self.execute("forget old healings", &format!("delete from change where id in ({old})"), values())
    }

    /// The change that was begun and never ended, if there is one.
    pub fn unfinished(&self) -> Result<Option<Deployment>, StoreError> {
        let unfinished = |change: &Deployment| change.state == DeploymentState::Running;
        Ok(self.changes()?.into_iter().find(unfinished))
    }

    /// The last change, if it was paused and nothing was done since.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn paused(&self) -> Result<Option<Deployment>, StoreError> {
        let sql = format!("select {COLUMNS} from change order by id desc limit 1");
        let last = self.rows("read the changes", &sql, read_change)?.pop();
        Ok(last.filter(|change| change.state == DeploymentState::Paused))
    }

    /// All changes, newest first.
    pub fn changes(&self) -> Result<Vec<Deployment>, StoreError> {
        self.rows("read the changes", &format!("select {COLUMNS} from change order by id desc"), read_change)
    }

    /// The journal of a change, oldest line first.
    pub fn journal_of(&self, change: i64) -> Result<Vec<JournalLine>, StoreError> {
        let sql = format!("select step, phase, action, at from journal where change = {change} order by id");
        self.rows("read the journal", &sql, |row| {
            Ok(JournalLine {
                step: row.get::<_, i64>(0)? as usize,
                phase: row.get(1)?,
                action: from_json(row, 2)?,
                at: time(row, 3)?,
            })
        })
    }
}

fn read_change(row: &Row<'_>) -> rusqlite::Result<Deployment> {
    let end = |release: usize, settings: usize| -> rusqlite::Result<Option<(ReleaseNumber, Settings)>> {
        let number: Option<u32> = row.get(release)?;
        let settings: Option<Settings> = from_json(row, settings)?;
        Ok(number.map(|number| (ReleaseNumber(number), settings.unwrap_or_default())))
    };
    Ok(Deployment {
        id: row.get(0)?,
        kind: from_json(row, 1)?,
        from: end(2, 3)?,
        to: end(4, 5)?,
        state: from_json(row, 6)?,
        started_at: time(row, 7)?,
        ended_at: row.get::<_, Option<String>>(8)?.and_then(|text| text.parse().ok()),
        owner: from_json(row, 9)?,
        bundle: row.get(10)?,
        reason: row.get(11)?,
        causes: causes(&row.get::<_, String>(12)?),
    })
}

/// The causes in a plan on disk; a plan that says none has none.
fn causes(plan: &str) -> Vec<String> {
    let plan: serde_json::Value = serde_json::from_str(plan).unwrap_or_default();
    let changes = plan["changes"].as_array().cloned().unwrap_or_default();
    let mut causes: Vec<String> = Vec::new();
    for change in changes {
        let (service, cause) = (change["service"].as_str(), change["cause"].as_str());
        let Some((service, cause)) = service.zip(cause) else { continue };
        let text = if cause.starts_with(service) { cause.to_owned() } else { format!("{service}: {cause}") };
        causes.push(text);
    }
    causes
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

fn from_json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error: jiff::Error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}
