//! Holds what really runs against what the release promised. Pure: looking is the operator's part.

mod capabilities;
mod instance;
mod promise;
mod traffic;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use indexmap::IndexMap;
use seaworthy_engine::{
    Facts, InstanceId, InstanceState, Observed, ProbeOutcome, ReleaseNumber, Revision, Seen,
};
use seaworthy_gateway::route::RouteSet;
use seaworthy_project::{Sensitive, Service, ServiceName, is_credential_name};
use serde::Serialize;

use crate::{Target, WantedKind};

pub use promise::Promise;

/// What holds of what was promised.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Verification {
    /// The release that made the promises; `None` when nothing should run.
    pub release: Option<ReleaseNumber>,
    /// How many promises were seen kept.
    pub kept: usize,
    /// Promises that do not hold.
    pub broken: Vec<Broken>,
    /// Promises of which nothing could be seen.
    pub unseen: Vec<Unseen>,
    /// Keys that this engine does not carry, as its losses said; promised by nobody.
    pub not_carried: Vec<String>,
    /// Variables by which services are given credentials, without the values: nothing is broken by it, and whoever may
    /// inspect a container reads them. A file below `/run/secrets` is read by its service alone.
    pub credentials_in_variables: BTreeMap<ServiceName, Vec<String>>,
}

/// A promise that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// Which promise, by the name of what breaks it.
    pub rule: Promise,
    /// The service.
    pub service: ServiceName,
    /// The instance, where it is about one.
    pub instance: Option<String>,
    /// The key that makes the promise: `services.web.user`.
    pub key: String,
    /// What was promised.
    pub promised: String,
    /// What was seen. Never holds a secret.
    pub seen: String,
}

/// A promise of which nothing could be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unseen {
    /// Which promise, by the name of what would break it.
    pub rule: Promise,
    /// The service.
    pub service: ServiceName,
    /// The instance, where it is about one.
    pub instance: Option<String>,
    /// The key that makes the promise.
    pub key: String,
    /// Why it could not be seen.
    pub why: String,
}

/// Everything that was looked at.
pub struct Evidence<'a> {
    /// What should run.
    pub target: &'a Target,
    /// What the engine was given for it.
    pub revisions: &'a IndexMap<ServiceName, Revision>,
    /// What runs.
    pub observed: &'a Observed,
    /// What holds for each instance that should run, or why it could not be looked at.
    pub facts: BTreeMap<InstanceId, Result<Facts, String>>,
    /// What each answered when it was asked whether it is ready, or why it could not be asked.
    pub answers: BTreeMap<InstanceId, Result<ProbeOutcome, String>>,
    /// What the gateway serves, or why it could not be asked.
    pub serving: Result<Option<RouteSet>, String>,
    /// The addresses on which this machine takes TCP connections; `None` when it does not tell.
    pub listening: Option<Vec<SocketAddr>>,
}

/// What holds of what was promised.
pub fn verify(evidence: &Evidence<'_>) -> Verification {
    let mut told = Verification { release: evidence.target.release, ..Verification::default() };
    for wanted in evidence.target.services.iter().filter(|wanted| wanted.kind == WantedKind::Replica) {
        let Some(revision) = evidence.revisions.get(&wanted.service) else { continue };
        let mut ledger = Ledger { told: &mut told, service: &revision.service, instance: None };
        ledger.count(evidence, wanted);
        for id in wanted.instances() {
            ledger.instance = Some(id.clone());
            // One that does not run is counted as missing already.
            let state = evidence.observed.instances.iter().find(|one| one.id == id).map(|one| one.state);
            if state == Some(InstanceState::Running) {
                ledger.ready(evidence, &id);
                match evidence.facts.get(&id) {
                    Some(Ok(facts)) => instance::hold(&mut ledger, revision, facts),
                    Some(Err(why)) => instance::hold(&mut ledger, revision, &Facts::unseen(why)),
                    None => instance::hold(&mut ledger, revision, &Facts::unseen("it was not looked at")),
                }
            }
        }
        ledger.instance = None;
        traffic::hold(&mut ledger, evidence, wanted);
    }
    told.not_carried.sort();
    told.not_carried.dedup();
    for wanted in &evidence.target.services {
        let given = evidence.revisions.get(&wanted.service).map(|one| credentials(&one.service));
        if let Some(names) = given.filter(|names| !names.is_empty()) {
            told.credentials_in_variables.insert(wanted.service.clone(), names);
        }
    }
    told
}

/// The variables of a service that hold credentials, as their names tell.
fn credentials(service: &Service) -> Vec<String> {
    let is_set = |value: &Option<Sensitive>| value.as_ref().is_some_and(|value| !value.reveal().is_empty());
    let given =
        service.environment.iter().filter(|(name, value)| is_credential_name(name) && is_set(&value.value));
    given.map(|(name, _)| name.clone()).collect()
}

/// Where findings about one service are entered.
struct Ledger<'a> {
    told: &'a mut Verification,
    service: &'a Service,
    instance: Option<InstanceId>,
}

impl Ledger<'_> {
    /// Enters a promise: `holds` gives `None` where it is kept, else what was seen.
    fn hold<T>(
        &mut self,
        rule: Promise,
        keys: &[&str],
        promised: impl Into<String>,
        seen: &Seen<T>,
        holds: impl FnOnce(&T) -> Option<String>,
    ) {
        let key = self.key(keys);
        match seen {
            Seen::Is(value) => match holds(value) {
                None => self.told.kept += 1,
                Some(seen) => self.broken(rule, key, promised.into(), seen),
            },
            Seen::Unseen(why) => self.told.unseen.push(Unseen {
                rule,
                service: self.service.name.value.clone(),
                instance: self.instance.as_ref().map(ToString::to_string),
                key,
                why: why.clone(),
            }),
            // What nobody wrote was not lost either.
            Seen::NotCarried if key == self.key(&[""]) => {}
            Seen::NotCarried => self.told.not_carried.push(key),
        }
    }

    fn broken(&mut self, rule: Promise, key: String, promised: String, seen: String) {
        self.told.broken.push(Broken {
            rule,
            service: self.service.name.value.clone(),
            instance: self.instance.as_ref().map(ToString::to_string),
            key,
            promised,
            seen,
        });
    }

    /// The first of the keys that the file says, else the last; an empty one is the service itself.
    fn key(&self, keys: &[&str]) -> String {
        let said = |key: &&&str| self.service.node.at(&key.split('.').collect::<Vec<_>>()).is_some();
        let key = keys.iter().find(said).or(keys.last()).copied().unwrap_or_default();
        let name = &self.service.name.value;
        if key.is_empty() { format!("services.{name}") } else { format!("services.{name}.{key}") }
    }

    /// As many as were promised run, and no others.
    fn count(&mut self, evidence: &Evidence<'_>, wanted: &crate::Wanted) {
        let wished: Vec<InstanceId> = wanted.instances().collect();
        let runs: Vec<&InstanceId> = evidence
            .observed
            .of(&wanted.service)
            .filter(|one| {
                one.state == InstanceState::Running && one.kind == seaworthy_engine::InstanceKind::Replica
            })
            .map(|one| &one.id)
            .collect();
        let count = runs.iter().filter(|id| wished.contains(id)).count();
        let keys = ["deploy.replicas", "scale", ""];
        self.hold(
            Promise::ReplicaMissing,
            &keys,
            format!("{} run", wished.len()),
            &Seen::Is(count),
            |count| (*count < wished.len()).then(|| format!("{count} run")),
        );
        let strays: Vec<String> =
            runs.iter().filter(|id| !wished.contains(id)).map(ToString::to_string).collect();
        self.hold(Promise::StrayInstance, &keys, "no others run", &Seen::Is(strays), |strays| {
            (!strays.is_empty()).then(|| format!("{} runs too", strays.join(", ")))
        });
    }

    fn ready(&mut self, evidence: &Evidence<'_>, id: &InstanceId) {
        let seen = match evidence.answers.get(id) {
            Some(Ok(outcome)) => Seen::Is(outcome),
            Some(Err(why)) => Seen::Unseen(why.clone()),
            None => Seen::Unseen("it was not asked".to_owned()),
        };
        let keys = ["x-seaworthy.probe.ready", "healthcheck", ""];
        self.hold(Promise::UnhealthyInstance, &keys, "ready", &seen, |outcome| {
            (!outcome.ready).then(|| outcome.detail.clone())
        });
    }
}
