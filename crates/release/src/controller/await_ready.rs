//! Waiting for readiness, with three timers: one to get ready, one to stay ready, one for the whole change.

use std::time::Duration;

use futures_util::future::join_all;
use seaworthy_engine::{Exit, InstanceId, InstanceState, Observed, ProbeOutcome, Revision};
use tokio::time::Instant;

use crate::Event;
use crate::controller::readiness::question;
use crate::controller::{Controller, Stop, ended};

/// Time between two questions while an instance starts, whatever the interval later.
const INTERVAL: Duration = Duration::from_secs(1);
/// An instance that had to be started again so often will not get ready.
const MOST_RESTARTS: u32 = 3;

/// What is known of one instance that is waited for.
struct Watched<'a> {
    id: &'a InstanceId,
    /// Since when it has been ready without a break.
    since: Option<Instant>,
    /// Its restarts when it got ready.
    restarts: u32,
    detail: String,
    /// How it ended when that was last seen: what is started again at once does not tell for long.
    exit: Option<Exit>,
}

impl Controller<'_> {
    /// Waits until all instances are ready and stayed so for `min_healthy`.
    pub(super) async fn await_ready(
        &self,
        revision: &Revision,
        instances: &[InstanceId],
        ready_deadline: Duration,
        min_healthy: Duration,
        progress_deadline: Instant,
    ) -> Result<(), Stop> {
        let probe = question(&revision.service);
        let began = Instant::now();
        let mut watched: Vec<Watched<'_>> = instances
            .iter()
            .map(|id| Watched {
                id,
                since: None,
                restarts: 0,
                detail: "nothing seen yet".to_owned(),
                exit: None,
            })
            .collect();
        loop {
            let asked = Instant::now();
            let observed = self.engine.observe(self.project).await?;
            let answers = watched.iter().map(|one| self.engine.probe(self.project, one.id, &probe));
            let answers = tokio::select! {
                answers = join_all(answers) => answers,
                () = self.interrupt.wait() => return Err(Stop::Interrupted),
            };
            for (one, answer) in watched.iter_mut().zip(answers) {
                self.take(one, answer?, &observed, revision)?;
            }
            let now = Instant::now();
            if watched.iter().all(|one| one.since.is_some_and(|since| now - since >= min_healthy)) {
                return Ok(());
            }
            let late = watched.iter().find(|one| one.since.is_none() && now - began >= ready_deadline);
            if let Some(late) = late {
                let limit = ready_deadline.as_secs_f64();
                let reason = format!("{} was not ready within {limit} s: {}", late.id, late.detail);
                return Err(unready(&watched, reason));
            }
            if now >= progress_deadline {
                return Err(unready(&watched, "the progress deadline passed".to_owned()));
            }
            let next = next_question(&watched, asked, now, min_healthy);
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                () = self.interrupt.wait() => return Err(Stop::Interrupted),
            }
        }
    }

    /// Takes an answer in; an instance that ended for good ends the wait.
    fn take(
        &self,
        one: &mut Watched<'_>,
        answer: ProbeOutcome,
        observed: &Observed,
        revision: &Revision,
    ) -> Result<(), Stop> {
        let instance = observed.instances.iter().find(|instance| &instance.id == one.id);
        let restarts = instance.map_or(0, |instance| instance.restarts);
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
        one.exit = instance.and_then(|instance| instance.exit).or(one.exit);
        let how = |exit: Option<Exit>| exit.map_or("ended".to_owned(), |exit| ended(&exit, revision));
        let ended = match instance {
            None => Some("is gone".to_owned()),
            Some(instance) if matches!(instance.state, InstanceState::Exited | InstanceState::Lost) => {
                Some(how(instance.exit))
            }
            Some(instance) if instance.restarts >= MOST_RESTARTS => {
                let last =
                    one.exit.map_or(String::new(), |exit| format!(", last it {}", ended(&exit, revision)));
                Some(format!("ends again and again ({} restarts{last})", instance.restarts))
            }
            Some(_) => None,
        };
        match ended {
            Some(how) => {
                let reason = format!("{} {how}", one.id);
                let seen = vec![(one.id.clone(), format!("{how}; last answer: {}", one.detail))];
                Err(Stop::Unready { reason, seen })
            }
            None => Ok(()),
        }
    }
}

/// The next question is due after the interval, or just when the last one could have been ready for long enough.
fn next_question(watched: &[Watched<'_>], asked: Instant, now: Instant, min_healthy: Duration) -> Instant {
    const SHORTEST: Duration = Duration::from_millis(20);
    let usual = asked + INTERVAL;
    let all_ready =
        watched.iter().map(|one| one.since.map(|since| since + min_healthy)).collect::<Option<Vec<_>>>();
    let next = match all_ready.and_then(|times| times.into_iter().max()) {
        Some(done) => usual.min(done),
        None => usual,
    };
    next.max(now + SHORTEST)
}

fn unready(watched: &[Watched<'_>], reason: String) -> Stop {
    let seen =
        watched.iter().filter(|one| one.since.is_none()).map(|one| (one.id.clone(), one.detail.clone()));
    Stop::Unready { reason, seen: seen.collect() }
}
