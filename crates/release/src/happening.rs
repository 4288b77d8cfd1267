//! What happened to a project: what was changed, step by step, and what became of its instances.

use jiff::Timestamp;
use seaworthy_engine::{Happened, InstanceEvent};
use serde::Serialize;

use crate::{Action, Deployment, JournalLine, Store, StoreError};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Happening {
    /// When.
    pub at: Timestamp,
    /// What sort, a word that stays: `change-began`, `step-done`, `instance-ended` …
    pub kind: String,
    /// The change it belongs to.
    pub change: Option<i64>,
    /// The instance it is about.
    pub instance: Option<String>,
    /// The exit code, where something ended.
    pub code: Option<i32>,
    /// It, as a few words for people.
    pub text: String,
}

impl Happening {
    /// What happened to an instance.
    pub fn of_instance(event: &InstanceEvent) -> Self {
        let word = event.what.to_string().replace(' ', "-");
        let code = event.code.map_or(String::new(), |code| format!(" with exit code {code}"));
        let text = match event.what {
            Happened::OutOfMemory => format!("{} ran out of memory", event.instance),
            Happened::Healthy | Happened::Unhealthy => format!("{} is {}", event.instance, event.what),
            Happened::Made | Happened::Removed => format!("{} was {}", event.instance, event.what),
            Happened::Started | Happened::Ended => format!("{} {}{code}", event.instance, event.what),
        };
        Self {
            at: event.at,
            kind: format!("instance-{word}"),
            change: None,
            instance: Some(event.instance.to_string()),
            code: event.code,
            text,
        }
    }

    fn of_change(change: &Deployment) -> Vec<Self> {
        let to = change.to.as_ref().map_or(String::new(), |(release, _)| format!(" to release {release}"));
        let happening = |at, kind: &str, text| Self {
            at,
            kind: kind.to_owned(),
            change: Some(change.id),
            instance: None,
            code: None,
            text,
        };
        let began = format!("{}{to} began, by {}", change.kind, change.owner.user);
        let mut both = vec![happening(change.started_at, "change-began", began)];
        if let Some(at) = change.ended_at {
            let why = change.reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
            both.push(happening(at, "change-ended", format!("{}{to}: {}{why}", change.kind, change.state)));
        }
        both
    }

    fn of_line(change: &Deployment, line: &JournalLine) -> Self {
        let kind = match line.phase.as_str() {
            "starting" => "step-began",
            "done" => "step-done",
            _ => "step-failed",
        };
        let instance = match &line.action {
            Action::Ensure { instance } | Action::Remove { instance } => Some(instance.to_string()),
            _ => None,
        };
        let text = format!("{} {}: {}", change.kind, kind.replace('-', " "), line.action);
        Self { at: line.at, kind: kind.to_owned(), change: Some(change.id), instance, code: None, text }
    }
}

impl Store {
    /// What was changed from `since` on, oldest first.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn happenings(&self, since: Timestamp) -> Result<Vec<Happening>, StoreError> {
        let mut all = Vec::new();
        for change in self.changes()? {
            // Changes come newest first, and one at a time.
            if change.ended_at.is_some_and(|end| end < since) {
                break;
            }
            all.extend(Happening::of_change(&change));
            all.extend(self.journal_of(change.id)?.iter().map(|line| Happening::of_line(&change, line)));
        }
        all.retain(|happening| happening.at >= since);
        all.sort_by_key(|happening| happening.at);
        Ok(all)
    }
}
