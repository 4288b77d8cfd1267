//! The instances of the fake engine: what they do at a moment, told from when they started.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jiff::Timestamp;
use seaworthy_project::Service;
use sha2::{Digest, Sha256};

use super::{Behaviour, Fake};
use crate::{
    Artifact, EngineError, Exit, Instance, InstanceId, InstanceKind, InstanceState, LogCursor, LogLine,
    LogStream, Probe, ProbeOutcome, ReleaseNumber, Revision, Slot, ports_of, system,
};

/// The first port given; nobody listens there.
const FIRST_PORT: u16 = 40_000;
/// The exit code of a process that a termination signal ended.
const TERMINATED: i32 = 128 + 15;

pub(super) struct FakeInstance {
    pub(super) id: InstanceId,
    pub(super) digest: String,
    pub(super) lost: bool,
    release: ReleaseNumber,
    kind: InstanceKind,
    behaviour: Behaviour,
    addresses: Vec<(u16, SocketAddr)>,
    /// All times count from when the engine was made.
    created: Duration,
    started: Duration,
    /// Set when it was ended from outside, or is a job that ended.
    exit: Option<Exit>,
    log: Vec<LogLine>,
}

impl FakeInstance {
    pub(super) fn new(revision: &Revision, id: InstanceId, elapsed: Duration, behaviour: Behaviour) -> Self {
        let mut made = Self {
            id,
            digest: revision.artifact.digest.clone(),
            lost: false,
            release: revision.release,
            kind: revision.kind,
            behaviour: Behaviour::default(),
            addresses: Vec::new(),
            created: elapsed,
            started: elapsed,
            exit: None,
            log: Vec::new(),
        };
        made.start(elapsed, behaviour);
        made
    }

    pub(super) fn give_addresses(&mut self, revision: &Revision, given: &mut u16) {
        for port in ports_of(&revision.service) {
            let outside = FIRST_PORT.wrapping_add(*given).max(FIRST_PORT);
            *given = given.wrapping_add(1);
            self.addresses.push((port, SocketAddr::from((Ipv4Addr::LOCALHOST, outside))));
        }
    }

    pub(super) fn start(&mut self, elapsed: Duration, behaviour: Behaviour) {
        let at = Fake::timestamp(elapsed);
        let lines = behaviour.lines.iter();
        self.log.extend(lines.map(|text| LogLine { at, stream: LogStream::Stdout, text: text.clone() }));
        self.behaviour = behaviour;
        self.started = elapsed;
        self.exit = None;
        self.lost = false;
    }

    pub(super) fn end(&mut self, elapsed: Duration, code: i32) {
        self.exit = Some(exit(code, Fake::timestamp(elapsed), false));
    }

    pub(super) fn ended(&self, elapsed: Duration) -> bool {
        matches!(self.show(elapsed).state, InstanceState::Exited | InstanceState::Lost)
    }

    pub(super) fn show(&self, elapsed: Duration) -> Instance {
        let mut standing = self.behaviour.at(elapsed.saturating_sub(self.started));
        let by_itself = standing
            .ended
            .map(|(at, code)| exit(code, Fake::timestamp(self.started.saturating_add(at)), false));
        if self.exit.is_some() {
            standing.state = InstanceState::Exited;
        }
        if self.lost {
            standing.state = InstanceState::Lost;
        }
        Instance {
            id: self.id.clone(),
            release: self.release,
            kind: self.kind,
            state: standing.state,
            addresses: self.addresses.clone(),
            created_at: Fake::timestamp(self.created),
            started_at: Some(Fake::timestamp(self.started.saturating_add(standing.run_started))),
            restarts: standing.restarts,
            exit: self.exit.or(by_itself),
            process: None,
            limits: "none".to_owned(),
        }
    }

    pub(super) fn answer(&self, elapsed: Duration, probe: &Probe) -> ProbeOutcome {
        let running = self.show(elapsed).state == InstanceState::Running;
        let standing = self.behaviour.at(elapsed.saturating_sub(self.started));
        let (ready, detail) = match (probe, running) {
            (_, false) => (false, "not running"),
            (Probe::Running, true) => (true, "running"),
            (_, true) if standing.ready => (true, "200 OK"),
            (_, true) => (false, "503 Service Unavailable"),
        };
        ProbeOutcome { ready, detail: detail.to_owned() }
    }

    pub(super) fn read(&self, cursor: LogCursor, limit: usize) -> (Vec<LogLine>, LogCursor) {
        let from = match cursor {
            LogCursor::Start => 0,
            LogCursor::Tail(lines) => self.log.len().saturating_sub(lines),
            LogCursor::At(place) => usize::try_from(place).unwrap_or(usize::MAX).min(self.log.len()),
        };
        let lines: Vec<LogLine> = self.log[from..].iter().take(limit).cloned().collect();
        let next = LogCursor::At((from + lines.len()) as u64);
        (lines, next)
    }
}

impl Fake {
    pub(super) fn make(&self, revision: &Revision, slot: Slot) -> Result<Instance, EngineError> {
        let elapsed = self.began.elapsed();
        let mut state = self.state();
        if !state.kept.contains(&(revision.project.clone(), revision.artifact.digest.clone())) {
            return Err(gone(
                revision,
                "was not prepared",
                "Prepare the revision before its instances start.",
            ));
        }
        let behaviour = state.behaviours.get(&revision.artifact.digest).cloned().unwrap_or_default();
        let id =
            InstanceId { service: revision.service.name.value.clone(), revision: revision.id.clone(), slot };
        let key = (revision.project.clone(), id.to_string());
        if let Some(there) = state.instances.get_mut(&key) {
            if there.ended(elapsed) {
                there.start(elapsed, behaviour);
            }
            return Ok(there.show(elapsed));
        }
        let mut made = FakeInstance::new(revision, id, elapsed, behaviour);
        made.give_addresses(revision, &mut state.ports_given);
        let shown = made.show(elapsed);
        state.instances.insert(key, made);
        Ok(shown)
    }

    /// Runs a job as [`crate::Engine::run_once`] says; a dropped call leaves the job running, as a real engine does.
    pub(super) async fn run_job(&self, revision: &Revision, deadline: Duration) -> Result<Exit, EngineError> {
        let slot = Slot::first(1).next().expect("one slot is asked for");
        let id =
            InstanceId { service: revision.service.name.value.clone(), revision: revision.id.clone(), slot };
        let key = (revision.project.clone(), id.to_string());
        let done =
            self.state().instances.get(&key).and_then(|there| {
                there.exit.filter(|exit| exit.success() && there.release == revision.release)
            });
        if let Some(exit) = done {
            return Ok(exit);
        }
        self.make(revision, slot)?;
        let behaviour = self.state().behaviours.get(&revision.artifact.digest).cloned().unwrap_or_default();
        let (takes, code) = behaviour.job;
        let began = self.state().instances.get_mut(&key).map(|there| {
            there.release = revision.release;
            there.started
        });
        let ran = self.began.elapsed().saturating_sub(began.unwrap_or_default());
        let timed_out = takes > deadline;
        tokio::time::sleep(takes.min(deadline).saturating_sub(ran)).await;
        let at = Self::timestamp(self.began.elapsed());
        let ended = exit(if timed_out { TERMINATED } else { code }, at, timed_out);
        if let Some(there) = self.state().instances.get_mut(&key) {
            there.exit = Some(ended);
        }
        Ok(ended)
    }
}

fn exit(code: i32, at: Timestamp, timed_out: bool) -> Exit {
    Exit { code, signal: (code > 128).then(|| code - 128), out_of_memory: false, timed_out, at }
}

/// What a service runs when nothing was set: named as it names it, pinned by that name.
pub(super) fn default_artifact(service: &Service) -> Artifact {
    let program =
        service.settings.process.as_ref().and_then(|process| process.value.command.first().cloned());
    let image = service.image.as_ref().map(|image| image.value.clone());
    let name = program.or(image).unwrap_or_else(|| service.name.value.to_string());
    let digest = format!("sha256:{}", system::hexadecimal(&Sha256::digest(&name)));
    Artifact { name, digest }
}

pub(super) fn gone(revision: &Revision, reason: &str, hint: &str) -> EngineError {
    EngineError::Artifact {
        service: revision.service.name.value.to_string(),
        artifact: revision.artifact.name.clone(),
        reason: reason.to_owned(),
        hint: hint.to_owned(),
        span: Some(revision.service.name.span),
    }
}
