//! The failure bundle: what a person needs to see why a change failed, saved before anything is removed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use seaworthy_engine::{Engine, Instance, InstanceEvent, InstanceKind, LogCursor};
use seaworthy_project::ProjectName;
use serde_json::{Value, json};

use crate::{Clock, Failure, Happening, Plan, Redactor, ReleaseError, Store, disk};

/// Lines of each log that are kept.
const LOG_LINES: usize = 200;
/// Lines of a log, and logs, that are shown at once.
const ON_THE_TERMINAL: usize = 3;
const MOST_SHOWN: usize = 2;
/// Bundles that are kept; older ones go.
const BUNDLES: usize = 10;
/// Events that are kept.
const MOST_EVENTS: usize = 1000;
/// How long the engine may take to describe an instance, or to tell what happened.
const PATIENCE: Duration = Duration::from_secs(5);
const FILES: &str = "\
Beside this page: failure.json (plan, journal, state of each instance), <instance>.log (the end of its log),
<instance>.inspect.json (what the engine says of it), <instance>.health.txt (what its health check said) and
events.jsonl (what happened since the change began). Secret values are taken out of all of them.
";

/// A folder with the reason, the plan, the journal, and per instance its state and the end of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Where it is.
    pub path: PathBuf,
    /// The last lines of what failed, secrets taken out: by instance, few of each.
    pub last_lines: Vec<(String, Vec<String>)>,
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
        let mut last_lines = Vec::new();
        for instance in &new {
            let (page, lines) = self.log(&path, instance).await?;
            summary.push_str(&page);
            if self.fell(instance) && !lines.is_empty() && last_lines.len() < MOST_SHOWN {
                last_lines.push((instance.id.to_string(), lines));
            }
            summary.push_str(&self.description(&path, instance).await?);
        }
        self.events(&path).await?;
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
        Ok(Bundle { path, last_lines })
    }

    fn saw(&self, instance: &str) -> bool {
        self.failure.seen.iter().any(|(id, _)| id.to_string() == instance)
    }

    /// Whether an instance is what failed: one of the failed step, or one that ended when it should not.
    fn fell(&self, instance: &Instance) -> bool {
        let job_that_ended_well =
            instance.kind == InstanceKind::Job && instance.exit.is_some_and(|exit| exit.success());
        let of_the_step = self.failure.step.action.service() == Some(&instance.id.service);
        !job_that_ended_well && (of_the_step || self.saw(&instance.id.to_string()) || instance.exit.is_some())
    }

    /// Saves the end of an instance's log and returns its last lines: for the page, and fewer for the terminal.
    async fn log(&self, path: &Path, instance: &Instance) -> Result<(String, Vec<String>), ReleaseError> {
        const ON_THE_PAGE: usize = 20;
        let cursor = LogCursor::tail(LOG_LINES);
        let (lines, _) = self
            .engine
            .logs(self.project, &instance.id, cursor, LOG_LINES)
            .await
            .unwrap_or((Vec::new(), cursor));
        let said = lines[lines.len().saturating_sub(ON_THE_TERMINAL)..].iter();
        let said = said.map(|line| self.redactor.redact(&line.text)).collect();
        let lines: Vec<String> =
            lines.iter().map(|line| format!("{} {}\n", line.at, self.redactor.redact(&line.text))).collect();
        let file = path.join(format!("{}.log", instance.id));
        self.write(&file, lines.concat().as_bytes())?;
        let end = lines[lines.len().saturating_sub(ON_THE_PAGE)..].concat();
        let exit = instance.exit.map_or("still runs".to_owned(), |exit| match exit.out_of_memory {
            true => format!("exit code {}, out of memory", exit.code),
            false => format!("exit code {}", exit.code),
        });
        let page = format!("\n{} ({exit}, {} restarts), last lines:\n{end}", instance.id, instance.restarts);
        Ok((page, said))
    }

    /// Saves what the engine says of an instance, and returns what its health check said, for the page.
    async fn description(&self, path: &Path, instance: &Instance) -> Result<String, ReleaseError> {
        let described =
            tokio::time::timeout(PATIENCE, self.engine.describe(self.project, &instance.id)).await;
        let Ok(Ok(mut described)) = described else { return Ok(String::new()) };
        self.redact(&mut described);
        let text = serde_json::to_vec_pretty(&described).unwrap_or_default();
        self.write(&path.join(format!("{}.inspect.json", instance.id)), &text)?;
        let asked = described.pointer("/State/Health/Log").and_then(Value::as_array);
        let answers: String = asked
            .into_iter()
            .flatten()
            .map(|asked| {
                let field = |name: &str| asked.get(name).cloned().unwrap_or_default();
                let output = field("Output").as_str().unwrap_or_default().trim().to_owned();
                format!(
                    "{} exit code {}: {output}\n",
                    field("Start").as_str().unwrap_or_default(),
                    field("ExitCode")
                )
            })
            .collect();
        if answers.is_empty() {
            return Ok(String::new());
        }
        self.write(&path.join(format!("{}.health.txt", instance.id)), answers.as_bytes())?;
        Ok(format!("\n{}, its health check said:\n{answers}", instance.id))
    }

    /// Saves what happened to the project since the change began.
    async fn events(&self, path: &Path) -> Result<(), ReleaseError> {
        let began = self.store.changes()?.into_iter().find(|change| change.id == self.change);
        let began = began.map(|change| change.started_at);
        let mut happened = self.store.happenings(began.unwrap_or_default())?;
        let until = self.engine.observe(self.project).await?.taken_at;
        let mut take = |event: InstanceEvent| {
            happened.push(Happening::of_instance(&event));
            happened.len() < MOST_EVENTS
        };
        let read = self.engine.events(self.project, began, Some(until), &mut take);
        // What was read until then is kept; an engine that hangs must not hold up the way back.
        let _ = tokio::time::timeout(PATIENCE, read).await;
        happened.sort_by_key(|happening| happening.at);
        let lines = happened.iter().filter_map(|happening| serde_json::to_string(happening).ok());
        let lines: String = lines.map(|line| format!("{}\n", self.redactor.redact(&line))).collect();
        self.write(&path.join("events.jsonl"), lines.as_bytes())
    }

    /// Takes secret values out of every text in a value.
    fn redact(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.redactor.redact(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact(item)),
            Value::Object(keys) => keys.values_mut().for_each(|value| self.redact(value)),
            _ => {}
        }
    }

    fn write(&self, file: &Path, contents: &[u8]) -> Result<(), ReleaseError> {
        disk::write_private(file, contents)
            .map_err(|cause| ReleaseError::Bundle { path: file.to_owned(), cause })
    }

    fn page(&self, logs: &str) -> String {
        let seen: String = self
            .failure
            .seen
            .iter()
            .map(|(id, seen)| format!("  {id}: {}\n", self.redactor.redact(seen)))
            .collect();
        let hint = self.failure.hint().map_or(String::new(), |hint| format!("Hint:   {hint}.\n"));
        format!(
            "Project {} did not reach its goal.\n\nStep:   {}\nReason: {}\n{hint}\nLast answers:\n{seen}{logs}\n{FILES}",
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
