//! A plan while it is being made: the steps so far, and what they will have done.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use seaworthy_engine::{Instance, InstanceId, InstanceKind, InstanceState};
use seaworthy_gateway::route::Protocol;
use seaworthy_project::ServiceName;

use crate::routes::serving_now;
use crate::{Action, Change, Gap, Plan, Readiness, Step, Target, Wanted, World};

/// Instances of a service that start in the same breath as others.
pub(super) struct Start<'s> {
    pub(super) wanted: &'s Wanted,
    pub(super) instances: &'s [InstanceId],
    pub(super) cause: &'s str,
}

/// The steps so far, and what they will have done to the world.
pub(super) struct Draft<'a> {
    pub(super) target: &'a Target,
    pub(super) world: &'a World,
    /// Who gets requests after the steps so far.
    pub(super) serving: BTreeMap<ServiceName, Vec<InstanceId>>,
    started: BTreeSet<InstanceId>,
    removed: BTreeSet<InstanceId>,
    /// Instances that got requests at some time and no longer do, until they were drained.
    undrained: BTreeSet<InstanceId>,
    prepared: BTreeSet<ServiceName>,
    changes: Vec<Change>,
    steps: Vec<Step>,
    notes: Vec<String>,
    admits: usize,
}

impl<'a> Draft<'a> {
    pub(super) fn new(target: &'a Target, world: &'a World) -> Self {
        Self {
            target,
            world,
            serving: serving_now(world.serving.as_ref()),
            started: BTreeSet::new(),
            removed: BTreeSet::new(),
            undrained: BTreeSet::new(),
            prepared: BTreeSet::new(),
            changes: Vec::new(),
            steps: Vec::new(),
            notes: Vec::new(),
            admits: 0,
        }
    }

    pub(super) fn finish(self) -> Plan {
        let mut notes = if self.steps.is_empty() { Vec::new() } else { self.notes() };
        notes.extend(self.notes);
        // All that could be missing is looked for before anything starts or stops.
        let mut steps = self.steps;
        steps.sort_by_key(|step| !matches!(step.action, Action::Prepare { .. }));
        let mut changes = self.changes;
        let place = |change: &Change| {
            let mut services = self.target.services.iter();
            services.position(|wanted| wanted.service == change.service).unwrap_or(usize::MAX)
        };
        changes.sort_by_key(place);
        Plan { release: self.target.release, changes, steps, notes }
    }

    /// What the reader should know: of the release, and of each service that changes.
    fn notes(&self) -> Vec<String> {
        let mut notes = self.target.notes.clone();
        for change in &self.changes {
            let service = &change.service;
            let Some(about) = self.target.service_notes.get(service) else { continue };
            notes.extend(about.plain.iter().cloned());
            let beside = self.started.iter().any(|id| &id.service == service)
                && self.world.observed.of(service).any(|one| one.kind == InstanceKind::Replica);
            if beside && change.gap == Gap::None {
                notes.extend(about.of_callers(service));
            }
        }
        for step in &self.steps {
            if let Action::Drain { instances, limit } = &step.action
                && let Some(service) =
                    instances.first().map(|id| &id.service).filter(|service| self.passes_tcp(service))
            {
                let limit = limit.as_secs_f64();
                let note = format!(
                    "TCP connections to what `{service}` replaces are closed when they are still open after {limit} s"
                );
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        }
        notes
    }

    /// Whether connections to a service are passed through now.
    fn passes_tcp(&self, service: &ServiceName) -> bool {
        let now = self.world.serving.iter().flat_map(|set| &set.routes);
        let mut now = now.filter(|route| route.protocol == Protocol::Tcp);
        now.any(|route| route.name.split('@').next() == Some(service.as_str()))
    }

    /// Instances that exist and no step so far removes.
    pub(super) fn present(&self) -> impl Iterator<Item = &Instance> {
        self.world.observed.instances.iter().filter(|instance| !self.removed.contains(&instance.id))
    }

    /// Whether an instance runs and was seen ready for its whole minimum time.
    pub(super) fn is_proven(&self, id: &InstanceId) -> bool {
        self.world.proven.contains(id) && self.runs(id)
    }

    /// Whether an instance runs now.
    pub(super) fn runs(&self, id: &InstanceId) -> bool {
        self.present().any(|instance| &instance.id == id && instance.state == InstanceState::Running)
    }

    /// Whether a step so far starts any of these instances.
    pub(super) fn started_any<'b>(&self, mut instances: impl Iterator<Item = &'b InstanceId>) -> bool {
        instances.any(|id| self.started.contains(id))
    }

    /// Whether the last `Admit` of this plan gave exactly this set.
    pub(super) fn admitted_as_wished(&self, wished: &BTreeMap<ServiceName, Vec<InstanceId>>) -> bool {
        self.steps.iter().rev().find_map(|step| match &step.action {
            Action::Admit { serving } => Some(serving == wished),
            _ => None,
        }) == Some(true)
    }

    pub(super) fn step(&mut self, action: Action, cause: impl Into<String>, gap: Gap, reversal: &str) {
        self.steps.push(Step { action, cause: cause.into(), gap, reversal: reversal.to_owned() });
    }

    pub(super) fn change(&mut self, wanted: &Wanted, cause: String, gap: Gap) {
        self.changes.push(Change { service: wanted.service.clone(), cause, gap });
    }

    /// Tells of a service that the target does not have.
    pub(super) fn gone(&mut self, service: &ServiceName, cause: String, gap: Gap) {
        self.changes.push(Change { service: service.clone(), cause, gap });
    }

    /// Tells something beside the target's own notes.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Adds a cause and a gap to what changes for a service.
    pub(super) fn widen(&mut self, wanted: &Wanted, cause: &str, gap: Gap) {
        match self.changes.iter_mut().find(|change| change.service == wanted.service) {
            Some(change) => {
                if !change.cause.contains(cause) {
                    change.cause = format!("{}, {cause}", change.cause);
                }
                if change.gap == Gap::None {
                    change.gap = gap;
                }
            }
            None => self.change(wanted, cause.to_owned(), gap),
        }
    }

    pub(super) fn prepare(&mut self, wanted: &Wanted, cause: &str) {
        if self.prepared.insert(wanted.service.clone()) {
            let action =
                Action::Prepare { service: wanted.service.clone(), revision: wanted.revision.clone() };
            self.step(action, cause, Gap::None, "nothing to take back: nothing runs of it yet");
        }
    }

    /// Starts instances of several services one after the other, and then waits for all of them together.
    pub(super) fn start(&mut self, starts: &[Start<'_>]) {
        for start in starts {
            for instance in start.instances.iter().filter(|id| !self.runs(id)).cloned().collect::<Vec<_>>() {
                self.step(Action::Ensure { instance }, start.cause, Gap::None, "stop it");
            }
        }
        let mut waits: Vec<Readiness> = Vec::new();
        for start in starts.iter().filter(|start| !start.instances.is_empty()) {
            self.started.extend(start.instances.iter().cloned());
            let timers = &start.wanted.timers;
            let same = waits.iter_mut().find(|wait| {
                (wait.ready_deadline, wait.min_healthy) == (timers.ready_deadline, timers.min_healthy)
            });
            match same {
                Some(wait) => wait.instances.extend(start.instances.iter().cloned()),
                None => waits.push(Readiness {
                    instances: start.instances.to_vec(),
                    ready_deadline: timers.ready_deadline,
                    min_healthy: timers.min_healthy,
                }),
            }
        }
        if !waits.is_empty() {
            let cause = "no request goes to what is not ready";
            self.step(Action::AwaitReady { waits }, cause, Gap::None, "nothing to take back");
        }
    }

    /// Lets the wished time pass before the next group.
    pub(super) fn wait(&mut self, wanted: &Wanted, time: Duration) {
        let action = Action::Wait { service: wanted.service.clone(), time };
        self.step(action, "the service wishes a delay between groups", Gap::None, "nothing to take back");
    }

    pub(super) fn admit(&mut self, serving: BTreeMap<ServiceName, Vec<InstanceId>>, cause: &str) {
        let kept: BTreeSet<&InstanceId> = serving.values().flatten().collect();
        let gone: Vec<InstanceId> =
            self.serving.values().flatten().filter(|id| !kept.contains(id)).cloned().collect();
        self.undrained.extend(gone);
        let emptied = serving.iter().find(|(service, instances)| {
            instances.is_empty() && self.serving.get(*service).is_some_and(|before| !before.is_empty())
        });
        let gap = match emptied {
            Some((service, _)) => {
                let patience = self.target.get(service).map(Wanted::patience).unwrap_or_default();
                Gap::Expected(format!("{service} has no instance until the new one is ready{patience}"))
            }
            None => Gap::None,
        };
        self.serving = serving.clone();
        self.admits += 1;
        self.step(Action::Admit { serving }, cause, gap, "give the gateway the set it had before");
    }

    /// Waits for requests in flight, for those of `instances` that got any.
    pub(super) fn drain(&mut self, instances: &[InstanceId]) {
        let mut by_service: BTreeMap<ServiceName, Vec<InstanceId>> = BTreeMap::new();
        for id in instances.iter().filter(|id| self.undrained.contains(id)) {
            by_service.entry(id.service.clone()).or_default().push(id.clone());
        }
        for (service, instances) in by_service {
            for id in &instances {
                self.undrained.remove(id);
            }
            let limit = self.drain_limit(&service);
            let action = Action::Drain { instances, limit };
            self.step(action, "requests and connections in flight may finish", Gap::None, "admit them again");
        }
    }

    pub(super) fn remove(&mut self, instance: InstanceId, cause: String) {
        self.removed.insert(instance.clone());
        self.step(Action::Remove { instance }, cause, Gap::None, "start it again");
    }

    /// Why an instance goes.
    pub(super) fn why_gone(&self, id: &InstanceId) -> String {
        match self.target.get(&id.service) {
            None if self.target.release.is_none() => "the project goes down".to_owned(),
            None => format!("the release has no service `{}`", id.service),
            Some(wanted) if wanted.revision == id.revision => {
                format!("{} replicas are enough", wanted.replicas)
            }
            Some(_) => "another revision takes its place".to_owned(),
        }
    }

    fn drain_limit(&self, service: &ServiceName) -> Duration {
        const WITHOUT_A_WISH: Duration = Duration::from_secs(30);
        let wish = |target: &Target| target.get(service).map(|wanted| wanted.timers.drain);
        wish(self.target).or_else(|| wish(self.world.current.as_ref()?)).unwrap_or(WITHOUT_A_WISH)
    }
}
