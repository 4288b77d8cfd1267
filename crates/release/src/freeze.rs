//! From a project to a release: everything it needs is looked at, read and pinned.

pub(crate) mod certificates;
pub(crate) mod site;

use std::path::Path;

use indexmap::IndexMap;
use jiff::Timestamp;
use seaworthy_engine::{Artifact, Engine, ReleaseNumber};
use seaworthy_project::model::healthcheck::{HealthTest, Healthcheck};
use seaworthy_project::model::port::Protocol;
use seaworthy_project::model::resource::{FileResource, FileResourceSource};
use seaworthy_project::{Files, Loss, Project, Sensitive, Service, ServiceName};
use serde::{Deserialize, Serialize};

use crate::needs::job_time;
use crate::{Event, Progress, Release, ReleaseError, parts};

/// The largest secret or config file that a release keeps.
const LARGEST_FILE: u64 = 1 << 20;

/// Where the project folder stood when a release was made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Origin {
    /// The commit, if the folder is under git.
    pub commit: Option<String>,
    /// Whether the folder differed from it.
    pub dirty: bool,
}

/// A release that has no number yet.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The resolved project.
    pub project: Project,
    /// What each service would run.
    pub artifacts: IndexMap<ServiceName, Artifact>,
    /// Contents of the secrets and configs.
    pub files: IndexMap<String, Sensitive>,
    /// What it cannot keep and what the engine cannot express.
    pub losses: Vec<String>,
    /// Where the project folder stood.
    pub origin: Origin,
    /// Whether what another tool made under the project's name goes when the release is there.
    pub remove_orphans: bool,
}

impl Draft {
    /// The release with this number. From here on it is immutable.
    pub fn freeze(self, number: ReleaseNumber, created_at: Timestamp) -> Release {
        Release {
            number,
            created_at,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            origin: self.origin,
            project: self.project,
            artifacts: self.artifacts,
            files: self.files,
            losses: self.losses,
        }
    }
}

/// Looks at everything a release of `project` needs. With `build`, what is made from source is built first, so that
/// the plan is exact; without, nothing is changed, and what is not built yet is noted.
///
/// # Errors
/// All that stands in the way, not only the first.
pub async fn draft(
    project: &Project,
    engine: &dyn Engine,
    files: &dyn Files,
    origin: Origin,
    build: bool,
    progress: &dyn Progress,
) -> Result<Draft, Vec<ReleaseError>> {
    let mut errors: Vec<ReleaseError> =
        project.services().filter_map(|service| not_carried(service, engine.name())).collect();
    let mut losses = grouped(engine.losses(project));
    let mut artifacts = IndexMap::new();
    let mut whole = project.clone();
    for service in project.services() {
        match artifact(project, service, engine, build, progress, &mut losses).await {
            Ok((artifact, health)) => {
                artifacts.insert(service.name.value.clone(), artifact);
                if let Some(health) = health.and_then(|health| counts(project, service, &health)) {
                    losses.push(told(service, &health));
                    whole = whole.with_healthcheck(&service.name.value, health);
                }
            }
            Err(error) => errors.push(error),
        }
    }
    let mut contents = IndexMap::new();
    let granted = |what: &str, name: &String| {
        project.services().any(|service| {
            let grants = if what == "secret" { &service.secrets } else { &service.configs };
            grants.iter().any(|grant| &grant.value.source == name)
                || (what == "secret" && site::users(service) == Some(name))
        })
    };
    for (what, resources) in [("secret", &project.secrets), ("config", &project.configs)] {
        for (name, resource) in resources.iter().filter(|(name, _)| granted(what, name)) {
            match read(what, name, resource, files) {
                Ok(text) => {
                    contents.insert(format!("{what} {name}"), text);
                }
                Err(error) => errors.push(error),
            }
        }
    }
    for path in project.services().flat_map(parts::bound_files) {
        if let Some(text) = bound(path, files) {
            contents.insert(parts::file_key(path), text);
        }
    }
    errors.extend(site::read(project, files, &mut contents));
    if errors.is_empty() {
        Ok(Draft { project: whole, artifacts, files: contents, losses, origin, remove_orphans: false })
    } else {
        Err(errors)
    }
}

async fn artifact(
    project: &Project,
    service: &Service,
    engine: &dyn Engine,
    build: bool,
    progress: &dyn Progress,
    losses: &mut Vec<String>,
) -> Result<(Artifact, Option<Healthcheck>), ReleaseError> {
    let mut seen = engine.inspect(project, service).await;
    // A build may make what looking for it did not find.
    let process = service.settings.process.as_ref();
    let builds = seen
        .as_ref()
        .map_or_else(|_| process.is_some_and(|process| process.value.build.is_some()), |seen| seen.builds);
    if build && builds {
        let name = service.name.value.to_string();
        let mut tell =
            |line: &str| progress.tell(Event::Build { service: name.clone(), line: line.to_owned() });
        engine.build(project, service, &mut tell).await?;
        seen = engine.inspect(project, service).await;
    }
    let seen = seen?;
    if seen.builds && !build {
        losses.push(format!(
            "`{}` is built or fetched by `deploy`: the plan holds if that gives what is there now",
            service.name.value
        ));
    }
    losses.extend(seen.losses.into_iter().map(|loss| format!("`{}`: {}", loss.key, loss.instead)));
    let not_built = || Artifact { name: "not built yet".to_owned(), digest: "unbuilt".to_owned() };
    Ok((seen.artifact.unwrap_or_else(not_built), seen.health))
}

/// The image's own health check, where it tells whether the service is ready: a probe goes before it, and a test of the
/// service's own.
pub(crate) fn counts(project: &Project, service: &Service, health: &Healthcheck) -> Option<Healthcheck> {
    let asked = service.settings.probe.ready.is_some() || job_time(project, service).is_some();
    if asked { None } else { health.under(service.healthcheck.as_ref().map(|own| &own.value)) }
}

fn told(service: &Service, health: &Healthcheck) -> String {
    let test = match &health.test {
        Some(HealthTest::Command(words)) => words.join(" "),
        Some(HealthTest::Shell(line)) => line.clone(),
        _ => String::new(),
    };
    format!("`{}` is ready when the health check of its image says so: `{test}`", service.name.value)
}

/// One sentence for services that lose the same: `cap_drop` (web, worker): …
fn grouped(losses: Vec<Loss>) -> Vec<String> {
    let mut groups: IndexMap<(String, String), Vec<String>> = IndexMap::new();
    for loss in losses {
        let key = loss.key.strip_prefix("services.").and_then(|rest| rest.split_once('.'));
        let (service, key) = key.map_or((None, loss.key.as_str()), |(service, key)| (Some(service), key));
        groups.entry((key.to_owned(), loss.instead.clone())).or_default().extend(service.map(str::to_owned));
    }
    let sentence = |((key, instead), services): ((String, String), Vec<String>)| match services.as_slice() {
        [] => format!("`{key}`: {instead}"),
        services => format!("`{key}` ({}): {instead}", services.join(", ")),
    };
    groups.into_iter().map(sentence).collect()
}

/// A published port that neither the gateway nor the engine can carry: the gateway carries TCP alone, and only Docker
/// publishes others.
fn not_carried(service: &Service, engine: &str) -> Option<ReleaseError> {
    let port = service.ports.iter().find(|port| {
        port.value.published.is_some() && port.value.protocol != Protocol::Tcp && engine != "docker"
    })?;
    let (name, number) = (&service.name.value, port.value.published.unwrap_or(port.value.target));
    Some(ReleaseError::Unsupported {
        message: format!("port {number}/{} of service `{name}` is not TCP", port.value.protocol),
        hint: "only the docker engine publishes it".to_owned(),
        span: Some(port.span),
    })
}

/// The content of a file that is mounted in place, so that a change of it is seen. Folders, devices and what is large
/// are data, not configuration.
fn bound(path: &str, files: &dyn Files) -> Option<Sensitive> {
    let path = Path::new(path);
    if !files.is_file(path) {
        return None;
    }
    let bytes = files.read(path, LARGEST_FILE).ok()?;
    let hexadecimal =
        |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    Some(Sensitive::new(String::from_utf8(bytes).unwrap_or_else(|error| hexadecimal(error.into_bytes()))))
}

pub(crate) fn read(
    what: &'static str,
    name: &str,
    resource: &FileResource,
    files: &dyn Files,
) -> Result<Sensitive, ReleaseError> {
    match &resource.source {
        FileResourceSource::File(path) => {
            let failed = |reason: String| ReleaseError::File {
                what,
                name: name.to_owned(),
                path: Path::new(&path.value).to_owned(),
                reason,
                span: path.span,
            };
            let bytes = files
                .read(Path::new(&path.value), LARGEST_FILE)
                .map_err(|error| failed(error.to_string()))?;
            String::from_utf8(bytes).map(Sensitive::new).map_err(|_| failed("it is not text".to_owned()))
        }
        FileResourceSource::Environment(variable, value) => {
            value.clone().ok_or_else(|| ReleaseError::Variable {
                what,
                name: name.to_owned(),
                variable: variable.value.clone(),
                span: variable.span,
            })
        }
        FileResourceSource::Content(content) => Ok(content.value.clone()),
        FileResourceSource::External => Err(ReleaseError::Unsupported {
            message: format!("{what} `{name}` is external"),
            hint: "give it a `file:` or an `environment:` variable".to_owned(),
            span: Some(resource.key.span),
        }),
    }
}
