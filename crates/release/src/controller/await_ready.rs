//! Waiting for readiness, with three timers: one to get ready, one to stay ready, one for the whole change.

use std::time::Duration;

use futures_util::future::join_all;
use seaworthy_engine::{Exit, Instance, InstanceId, InstanceState, Observed, Probe, ProbeOutcome, Revision};
use tokio::time::Instant;

use crate::controller::readiness::question;
use crate::controller::walk::Walk;
use crate::controller::{Controller, Stop, Undertaking, ended};
use crate::{Event, Readiness};

/// Time between two questions while an instance starts, whatever the interval later.
const INTERVAL: Duration = Duration::from_secs(1);
/// An instance that had to be started again so often will not get ready.
const MOST_RESTARTS: u32 = 3;

/// What is known of one instance that is waited for.
struct Watched<'a> {
    id: &'a InstanceId,
    wait: &'a Readiness,
    probe: Probe,
    /// Since when it has been ready without a break.
    since: Option<Instant>,
    /// Its restarts when it got ready.
    restarts: u32,
    detail: String,
    /// How it ended when that was last seen: what is started again at once does not tell for long.
    exit: Option<Exit>,
}

impl Watched<'_> {
    fn is_done(&self, now: Instant) -> bool {
        self.since.is_some_and(|since| now - since >= self.wait.min_healthy)
    }
}

impl Controller<'_> {
    /// Waits until all instances are ready and stayed so for their time, but for those that may fail and did. Answers
    /// those that are ready.
    pub(super) async fn await_ready(
        &self,
        waits: &[Readiness],
        undertaking: &Undertaking<'_>,
        walk: &mut Walk,
    ) -> Result<Vec<InstanceId>, Stop> {
        let began = Instant::now();
        let mut watched = self.watched(waits, undertaking, walk)?;
        loop {
            let asked = Instant::now();
            let observed = self.engine.observe(self.project).await?;
            let answers = watched.iter().map(|one| self.engine.probe(self.project, one.id, &one.probe));
            let answers = tokio::select! {
                answers = join_all(answers) => answers,
                () = self.interrupt.wait() => return Err(Stop::Interrupted),
            };
            let mut fallen: Vec<(InstanceId, String, String)> = Vec::new();
            for (one, answer) in watched.iter_mut().zip(answers) {
                let ended = fallen_for_good(one, &observed, self.revision(undertaking, &one.id.service)?);
                match answer {
                    Ok(answer) => self.take(one, answer, &observed),
                    // What is gone cannot be asked.
                    Err(error) if ended.is_none() => return Err(error.into()),
                    Err(_) => {}
                }
                if let Some(how) = ended {
                    let last = format!("{how}; last answer: {}", one.detail);
                    fallen.push((one.id.clone(), format!("{} {how}", one.id), last));
                }
            }
            let now = Instant::now();
            for one in
                watched.iter().filter(|one| one.since.is_none() && now - began >= one.wait.ready_deadline)
            {
                if !fallen.iter().any(|(id, _, _)| id == one.id) {
                    let limit = one.wait.ready_deadline.as_secs_f64();
                    let reason = format!("{} was not ready within {limit} s: {}", one.id, one.detail);
                    fallen.push((one.id.clone(), reason, one.detail.clone()));
                }
            }
            for (id, reason, last) in fallen {
                if !self.goes_on_without(undertaking.target, &id, &reason, walk) {
                    return Err(unready(&watched, Some((id, last)), reason));
                }
                watched.retain(|one| one.id != &id);
            }
            if watched.iter().all(|one| one.is_done(now)) {
                return Ok(watched.into_iter().map(|one| one.id.clone()).collect());
            }
            if now >= walk.deadline {
                return Err(unready(&watched, None, "the progress deadline passed".to_owned()));
            }
            tokio::select! {
                () = tokio::time::sleep_until(next_question(&watched, asked, now)) => {}
                () = self.interrupt.wait() => return Err(Stop::Interrupted),
            }
        }
    }

    /// Who is watched: all but those that failed before.
    fn watched<'a>(
        &self,
        waits: &'a [Readiness],
        undertaking: &Undertaking<'_>,
        walk: &Walk,
    ) -> Result<Vec<Watched<'a>>, Stop> {
        let mut watched = Vec::new();
        for wait in waits {
            for id in wait.instances.iter().filter(|id| !walk.failed.contains_key(id)) {
                let probe = question(&self.revision(undertaking, &id.service)?.service);
                let detail = "nothing seen yet".to_owned();
                watched.push(Watched { id, wait, probe, since: None, restarts: 0, detail, exit: None });
            }
        }
        Ok(watched)
    }

    /// Takes an answer in.
    fn take(&self, one: &mut Watched<'_>, answer: ProbeOutcome, observed: &Observed) {
        let restarts = found(one, observed).map_or(0, |instance| instance.restarts);
        if answer.detail != one.detail {
            self.progress.tell(Event::Waiting { instance: one.id.clone(), detail: answer.detail.clone() });
        }
        one.detail = answer.detail;
        match (answer.ready, one.since) {
            (true, Some(_)) if restarts == one.restarts => {}
            (true, _) => {
                one.since = Some(Instant::now());
                one.restarts = restarts;
            }
            (false, _) => one.since = None,
        }
    }
}

fn found<'a>(one: &Watched<'_>, observed: &'a Observed) -> Option<&'a Instance> {
    observed.instances.iter().find(|instance| &instance.id == one.id)
}

/// How an instance ended for good, if it did.
fn fallen_for_good(one: &mut Watched<'_>, observed: &Observed, revision: &Revision) -> Option<String> {
    let Some(instance) = found(one, observed) else { return Some("is gone".to_owned()) };
    one.exit = instance.exit.or(one.exit);
    if matches!(instance.state, InstanceState::Exited | InstanceState::Lost) {
        return Some(instance.exit.map_or("ended".to_owned(), |exit| ended(&exit, revision)));
    }
    let last = one.exit.map_or(String::new(), |exit| format!(", last it {}", ended(&exit, revision)));
    (instance.restarts >= MOST_RESTARTS)
        .then(|| format!("ends again and again ({} restarts{last})", instance.restarts))
}

/// The next question is due after the interval, or just when the last one could have been ready for long enough.
fn next_question(watched: &[Watched<'_>], asked: Instant, now: Instant) -> Instant {
    const SHORTEST: Duration = Duration::from_millis(20);
    let usual = asked + INTERVAL;
    let done = watched.iter().map(|one| one.since.map(|since| since + one.wait.min_healthy));
    let all_ready = done.collect::<Option<Vec<_>>>();
    let next = match all_ready.and_then(|times| times.into_iter().max()) {
        Some(done) => usual.min(done),
        None => usual,
    };
    next.max(now + SHORTEST)
}

/// Who failed comes first, then all that are not ready.
fn unready(watched: &[Watched<'_>], failed: Option<(InstanceId, String)>, reason: String) -> Stop {
    let mut seen: Vec<(InstanceId, String)> = failed.into_iter().collect();
    for one in watched.iter().filter(|one| one.since.is_none()) {
        if !seen.iter().any(|(id, _)| id == one.id) {
            seen.push((one.id.clone(), one.detail.clone()));
        }
    }
    Stop::Unready { reason, seen }
}
