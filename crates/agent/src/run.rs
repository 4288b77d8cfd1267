//! The loop: a watcher for each project, a status for whoever asks, and an end when nothing should run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use seaworthy_project::ProjectName;
use seaworthy_release::Clock;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::{AgentError, Around, Place, ProjectStatus, Seen, Status, Tenant, Ward, Wards, Watcher};

/// The status is written at least so often, so that its age tells whether the agent lives.
const TELL: Duration = Duration::from_secs(10);
/// How long what is under way may take to stop when the agent is told to end.
const END: Duration = Duration::from_secs(20);

/// What the agent is given.
pub struct Agent {
    /// Where it keeps its files.
    pub place: Place,
    /// The projects.
    pub wards: Arc<dyn Wards>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// When the machine was started.
    pub booted: Option<Timestamp>,
    /// Between two rounds.
    pub every: Duration,
    /// Who it is.
    pub tenant: Tenant,
}

/// What the watchers saw last.
#[derive(Default)]
struct Sights(Mutex<BTreeMap<ProjectName, (Option<Seen>, ProjectStatus)>>);

impl Sights {
    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<ProjectName, (Option<Seen>, ProjectStatus)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches until told to stop, or until nothing should run any more, unless the tenant stays.
///
/// # Errors
/// When another agent watches, or its folder cannot be used.
pub async fn run(agent: Arc<Agent>, stop: watch::Receiver<bool>) -> Result<(), AgentError> {
    loop {
        let Some(lock) = agent.place.lock(&agent.tenant)? else {
            let process = agent.place.tenant().map_or(0, |tenant| tenant.process);
            return Err(AgentError::Taken { process });
        };
        agent.place.note(agent.clock.now(), "watching");
        watch_all(&agent, &stop).await;
        let end = if *stop.borrow() { "told to end" } else { "nothing should run: ending" };
        agent.place.note(agent.clock.now(), end);
        drop(lock);
        // A deploy that saw the lock held may have begun to rely on this agent just before it was let go.
        if *stop.borrow() || !agent.something_runs() {
            return Ok(());
        }
    }
}

impl Agent {
    fn something_runs(&self) -> bool {
        let runs = |project: &ProjectName| !matches!(self.wards.open(project), Ok(None));
        self.wards.projects().iter().any(runs)
    }
}

async fn watch_all(agent: &Arc<Agent>, stop: &watch::Receiver<bool>) {
    let since = agent.clock.now();
    let sights = Arc::new(Sights::default());
    let mut watchers: BTreeMap<ProjectName, JoinHandle<()>> = BTreeMap::new();
    let mut told: Option<(Vec<ProjectStatus>, Instant)> = None;
    let mut stopping = stop.clone();
    loop {
        let projects = agent.wards.projects();
        watchers.retain(|project, watcher| {
            let stays = projects.contains(project);
            if !stays {
                watcher.abort();
                sights.all().remove(project);
            }
            stays
        });
        for project in &projects {
            watchers.entry(project.clone()).or_insert_with(|| {
                tokio::spawn(watch_one(agent.clone(), project.clone(), sights.clone(), stop.clone()))
            });
        }
        let (idle, now): (bool, Vec<ProjectStatus>) = {
            let all = sights.all();
            let idle = |(seen, _): &(Option<Seen>, ProjectStatus)| *seen == Some(Seen::Nothing);
            let shown = all.values().filter(|sight| !idle(sight)).map(|(_, status)| status.clone());
            (projects.iter().all(|project| all.get(project).is_some_and(idle)), shown.collect())
        };
        if told.as_ref().is_none_or(|(before, at)| before != &now || at.elapsed() >= TELL) {
            let status = Status {
                version: 1,
                process: agent.tenant.process,
                since,
                looked_at: agent.clock.now(),
                projects: now.clone(),
            };
            // A status that cannot be written, as on a full disk, must not end the watching.
            if agent.place.tell(&status).is_ok() {
                told = Some((now, Instant::now()));
            }
        }
        if (idle && !agent.tenant.stays) || *stop.borrow() {
            let until = Instant::now() + END;
            for watcher in watchers.values_mut() {
                if !*stop.borrow() || tokio::time::timeout_at(until, &mut *watcher).await.is_err() {
                    watcher.abort();
                }
            }
            return;
        }
        tokio::select! {
            () = sleep(agent.every) => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
    }
}

async fn watch_one(
    agent: Arc<Agent>,
    project: ProjectName,
    sights: Arc<Sights>,
    mut stop: watch::Receiver<bool>,
) {
    let mut watcher = Watcher::default();
    let mut ward: Option<Ward> = None;
    let mut trouble: Option<String> = None;
    let place = agent.place.clone();
    let clock = agent.clock.clone();
    let log = move |text: &str| place.note(clock.now(), text);
    loop {
        let around =
            Around { clock: agent.clock.as_ref(), booted: agent.booted, stop: stop.clone(), log: &log };
        let seen = look(&agent, &project, &mut ward, &mut watcher, &around).await;
        let now = seen.as_ref().err().cloned();
        // Said once, not every two seconds.
        if let Some(text) = now.as_ref().filter(|text| trouble.as_ref() != Some(*text)) {
            log(&format!("{project}: {text}"));
        }
        trouble.clone_from(&now);
        let status = ProjectStatus {
            project: project.to_string(),
            seen: seen.as_ref().map_or_else(|_| "could not look".to_owned(), words),
            trouble: now,
            healings: watcher.healings,
            last: watcher.last.clone(),
        };
        sights.all().insert(project.clone(), (seen.ok(), status));
        if *stop.borrow() {
            return;
        }
        tokio::select! {
            () = sleep(agent.every) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

async fn look(
    agent: &Agent,
    project: &ProjectName,
    ward: &mut Option<Ward>,
    watcher: &mut Watcher,
    around: &Around<'_>,
) -> Result<Seen, String> {
    let surroundings = agent.wards.surroundings(project);
    let fits = |ward: &Ward| {
        Some(&ward.surroundings) == surroundings.as_ref()
            && ward.store.engine().ok().flatten().as_deref() == Some(ward.engine.name())
    };
    if ward.as_ref().is_none_or(|ward| !fits(ward)) {
        *ward = agent.wards.open(project)?;
    }
    let Some(open) = ward.as_ref() else { return Ok(Seen::Nothing) };
    watcher.round(open, around).await.map_err(|error| with_causes(&error))
}

fn words(seen: &Seen) -> String {
    match seen {
        Seen::Nothing => "nothing should run".to_owned(),
        Seen::Busy => "a command is at work".to_owned(),
        Seen::Unfinished => "a change was cut off".to_owned(),
        Seen::Paused => "a change is paused: left as it is".to_owned(),
        Seen::Well => "well".to_owned(),
        Seen::Waiting(ill) => format!("{}; tried again after a pause", ill.join("; ")),
        Seen::Healed => "just healed".to_owned(),
    }
}

/// An error and all its causes, as one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
