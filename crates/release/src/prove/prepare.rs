//! What is known of a service before it is tried: its image, how its health is told, what its files hold.

use std::time::Duration;

use indexmap::IndexMap;
use seaworthy_catalog::lookup;
use seaworthy_engine::{Artifact, ImageOrigin, InstanceKind, Probe};
use seaworthy_project::model::healthcheck::HealthTest;
use seaworthy_project::{Sensitive, Service};

use super::throwaway::ThrowAway;
use super::world::{self, Health};
use super::{ProveError, Prover};
use crate::controller::question;
use crate::needs::job_time;
use crate::rolling::Way;
use crate::{Event, Timers, freeze};

/// How long one run of a health test from the catalog may take.
const TEST_TIMEOUT: Duration = Duration::from_secs(5);

/// What is known of an image before it is tried.
pub(super) struct Known {
    pub(super) artifact: Artifact,
    pub(super) origin: ImageOrigin,
    pub(super) service: Service,
}

impl Prover<'_> {
    /// Looks at the image of a service; what is not there is built or fetched first.
    pub(super) async fn look(&self, service: &Service) -> Result<Known, ProveError> {
        let name = &service.name.value;
        let mut seen = self.engine.inspect(self.project, service).await?;
        if seen.builds {
            self.progress.tell(Event::Note(format!("{name}  is built or fetched")));
            let mut tell = |line: &str| {
                self.progress.tell(Event::Build { service: name.to_string(), line: line.to_owned() });
            };
            self.engine.build(self.project, service, &mut tell).await?;
            seen = self.engine.inspect(self.project, service).await?;
        }
        let Some(artifact) = seen.artifact else {
            return Err(ProveError::NoImage { service: name.to_string() });
        };
        let health = seen.health.and_then(|health| freeze::counts(self.project, service, &health));
        let whole = health.map(|health| self.project.clone().with_healthcheck(name, health));
        let service =
            whole.and_then(|mut whole| whole.services.swap_remove(name)).unwrap_or_else(|| service.clone());
        Ok(Known { artifact, origin: seen.image.unwrap_or_default(), service })
    }

    /// How the health of a service is told: as in a deploy, else by the test that is known of its image.
    pub(super) fn health(&self, service: &Service, throwaway: &ThrowAway<'_>) -> Health {
        let timers = Timers::of(self.project, service, Way::Forward);
        let job = job_time(self.project, service).is_some();
        let said = self.exercises.get(&service.name.value).cloned();
        let exercise =
            said.or_else(|| service.settings.prove.command.as_ref().map(|said| said.value.clone()));
        let volumes = world::own_volumes(self.project, service);
        let mut probe = question(service);
        let image = service.image.as_ref().and_then(|image| lookup(&image.value));
        if let (Probe::Running, Some(test)) = (&probe, image.and_then(|image| image.health.as_ref())) {
            probe = Probe::Test { test: test_of(&test.test), timeout: TEST_TIMEOUT };
        }
        Health {
            probe,
            kind: if job { InstanceKind::Job } else { InstanceKind::Replica },
            deadline: if job { timers.job_deadline } else { timers.ready_deadline },
            stay: timers.min_healthy,
            exercise: exercise.map(|words| words.iter().map(|word| throwaway.in_text(word)).collect()),
            starts_twice: !job
                && service.mounts.iter().any(|mount| mount.value.source.is_some() && !mount.value.read_only),
            volumes,
            stops: true,
        }
    }

    /// What the secrets and configs of the project hold while it is tried.
    pub(super) fn contents(&self, throwaway: &ThrowAway<'_>) -> IndexMap<String, Sensitive> {
        let mut contents = IndexMap::new();
        for (key, secret) in &self.project.secrets {
            contents.insert(format!("secret {key}"), throwaway.secret(secret, self.files));
        }
        for (key, config) in &self.project.configs {
            if let Ok(text) = freeze::read("config", key, config, self.files) {
                contents.insert(format!("config {key}"), Sensitive::new(throwaway.in_text(text.reveal())));
            }
        }
        contents
    }
}

/// How the health of a service is told, in words.
pub(super) fn asked(health: &Health) -> String {
    let by = match (&health.probe, health.kind) {
        (_, InstanceKind::Job) => "it ends with exit code 0".to_owned(),
        (Probe::Http { path, port, .. }, _) => format!("GET {path} on port {port}"),
        (Probe::Grpc { port, .. }, _) => format!("gRPC's health protocol on port {port}"),
        (Probe::Tcp { port, .. }, _) => format!("a connection to port {port}"),
        (Probe::Test { .. }, _) => "its health check".to_owned(),
        (Probe::Running, _) => format!("it runs for {} s", health.stay.as_secs_f64()),
    };
    if health.exercise.is_some() { format!("{by}, and its exercise") } else { by }
}

fn test_of(words: &[String]) -> HealthTest {
    match words.split_first() {
        Some((kind, rest)) if kind == "CMD-SHELL" => HealthTest::Shell(rest.join(" ")),
        Some((_, rest)) => HealthTest::Command(rest.to_vec()),
        None => HealthTest::Disabled,
    }
}
