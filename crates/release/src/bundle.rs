//! The failure bundle: what a person needs to see why a change failed, saved before anything is removed.

use std::path::{Path, PathBuf};

use seaworthy_engine::{Engine, LogCursor};
use seaworthy_project::ProjectName;
use serde_json::json;

use crate::{Clock, Failure, Plan, Redactor, ReleaseError, Store, disk};

/// Lines of each log that are kept.
const LOG_LINES: usize = 200;
/// Bundles that are kept; older ones go.
const BUNDLES: usize = 10;

/// A folder with the reason, the plan, the journal, and per instance its state and the end of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Where it is.
    pub path: PathBuf,
}

/// What a bundle is made from.
pub(crate) struct Evidence<'a> {
    pub(crate) project: &'a ProjectName,
    pub(crate) engine: &'a dyn Engine,
    pub(crate) store: &'a Store,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) redactor: &'a Redactor,
    pub(crate) change: i64,
    pub(crate) plan: &'a Plan,
    pub(crate) failure: &'a Failure,
}

impl Evidence<'_> {
    /// Writes the bundle.
    pub(crate) async fn save(&self) -> Result<Bundle, ReleaseError> {
        let now = self.clock.now();
        let release = self.plan.release.map_or("down".to_owned(), |release| format!("release-{release}"));
        let folder = self.store.folder().join("bundles");
        let path = folder.join(format!("{}-{release}", now.strftime("%Y%m%dT%H%M%SZ")));
        let unwritten = |cause| ReleaseError::Bundle { path: path.clone(), cause };
        disk::make_folder(&path).map_err(unwritten)?;
        let observed = self.engine.observe(self.project).await?;
        let new: Vec<_> = observed
            .instances
            .iter()
            .filter(|instance| {
                Some(instance.release) == self.plan.release || self.saw(&instance.id.to_string())
            })
            .collect();
        let mut summary = String::new();
        for instance in &new {
            let log = self.log(&path, instance).await?;
            summary.push_str(&log);
        }
        let told = json!({
            "version": 1,
            "project": self.project.as_str(),
            "release": self.plan.release,
            "at": now,
            "step": self.failure.step.action.to_string(),
            "reason": self.redactor.redact(&self.failure.reason),
            "seen": self.failure.seen.iter().map(|(id, seen)| json!({
                "instance": id.to_string(), "answer": self.redactor.redact(seen) })).collect::<Vec<_>>(),
            "instances": new,
            "journal": self.store.journal_of(self.change)?,
            "plan": self.plan,
        });
        let text = serde_json::to_vec_pretty(&told).unwrap_or_default();
        disk::write_private(&path.join("failure.json"), &text).map_err(unwritten)?;
        let page = self.page(&summary);
        disk::write_private(&path.join("README.txt"), page.as_bytes()).map_err(unwritten)?;
        forget_old(&folder, &path);
        Ok(Bundle { path })
    }

    fn saw(&self, instance: &str) -> bool {
        self.failure.seen.iter().any(|(id, _)| id.to_string() == instance)
    }

    /// Saves the end of an instance's log and returns its last lines for the page.
    async fn log(&self, path: &Path, instance: &seaworthy_engine::Instance) -> Result<String, ReleaseError> {
        const ON_THE_PAGE: usize = 20;
        let cursor = LogCursor::tail(LOG_LINES);
        let (lines, _) = self
            .engine
            .logs(self.project, &instance.id, cursor, LOG_LINES)
            .await
            .unwrap_or((Vec::new(), cursor));
        let lines: Vec<String> =
            lines.iter().map(|line| format!("{} {}\n", line.at, self.redactor.redact(&line.text))).collect();
        let file = path.join(format!("{}.log", instance.id));
        disk::write_private(&file, lines.concat().as_bytes())
            .map_err(|cause| ReleaseError::Bundle { path: file.clone(), cause })?;
        let end = lines[lines.len().saturating_sub(ON_THE_PAGE)..].concat();
        let exit = instance.exit.map_or("still runs".to_owned(), |exit| match exit.out_of_memory {
            true => format!("exit code {}, out of memory", exit.code),
            false => format!("exit code {}", exit.code),
        });
        Ok(format!("\n{} ({exit}, {} restarts), last lines:\n{end}", instance.id, instance.restarts))
    }

    fn page(&self, logs: &str) -> String {
        let seen: String = self
            .failure
            .seen
            .iter()
            .map(|(id, seen)| format!("  {id}: {}\n", self.redactor.redact(seen)))
            .collect();
        format!(
            "Project {} did not reach its goal.\n\nStep:   {}\nReason: {}\n\nLast answers:\n{seen}{logs}",
            self.project,
            self.failure.step.action,
            self.redactor.redact(&self.failure.reason),
        )
    }
}

/// Keeps the newest bundles; what cannot be removed is left.
fn forget_old(folder: &Path, newest: &Path) {
    let names = disk::list(folder);
    for name in names.iter().take(names.len().saturating_sub(BUNDLES)) {
        let path = folder.join(name);
        if path != newest {
            let _ = disk::remove_folder(&path);
        }
    }
}
