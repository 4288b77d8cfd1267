//! Fetching images from registries, again after what may pass.

use std::time::Duration;

use bollard::auth::DockerCredentials;
use bollard::errors::Error;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt;
use seaworthy_project::{Project, Service};
use tokio::time::{sleep, timeout};

use crate::EngineError;
use crate::docker::client::{Client, message, refused};
use crate::docker::options::DockerOptions;
use crate::docker::{credentials, images, keys};

/// How often it is tried, and the pause after the first time; each pause is twice the one before.
const TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// How long a fetch may go without a word.
const SILENCE: Duration = Duration::from_secs(120);

/// Fetches the image of a service, when its policy says so.
pub(super) async fn run(
    client: &Client,
    options: &DockerOptions,
    project: &Project,
    service: &Service,
    output: &mut (dyn for<'line> FnMut(&'line str) + Send),
) -> Result<(), EngineError> {
    let name = images::name(&project.name, service)?;
    let policy = images::PullPolicy::of(service);
    let there = images::find(client, &name).await?.is_some();
    if policy == images::PullPolicy::Never || (there && policy == images::PullPolicy::Missing) {
        return Ok(());
    }
    let login = credentials::of(options, &name).await?;
    let mut pause = FIRST_PAUSE;
    for left in (0..TRIES).rev() {
        match once(client, login.clone(), &name, service, output).await {
            Ok(()) => return Ok(()),
            Err(error) if left > 0 && may_pass(&error) => {
                output(&format!("{}; again in {} s", message(&error), pause.as_secs()));
                sleep(pause).await;
                pause *= 2;
            }
            Err(error) => return Err(told(service, &name, error)),
        }
    }
    Ok(())
}

async fn once(
    client: &Client,
    login: Option<DockerCredentials>,
    name: &str,
    service: &Service,
    output: &mut (dyn for<'line> FnMut(&'line str) + Send),
) -> Result<(), Error> {
    let platform = keys::text(&service.node, "platform").unwrap_or_default();
    let from = if name.contains('@') || has_tag(name) { name.to_owned() } else { format!("{name}:latest") };
    let request = CreateImageOptionsBuilder::new().from_image(&from).platform(&platform).build();
    let mut progress = client.api.create_image(Some(request), None, login);
    loop {
        match timeout(SILENCE, progress.next()).await {
            Err(_) => return Err(Error::RequestTimeoutError),
            Ok(None) => return Ok(()),
            Ok(Some(step)) => {
                let step = step?;
                if let Some(message) = step.error_detail.and_then(|detail| detail.message) {
                    return Err(Error::DockerStreamError { error: message });
                }
                // Layers that move would give a line for every few kilobytes.
                let moving = matches!(step.status.as_deref(), Some("Downloading" | "Extracting" | "Waiting"));
                if let Some(status) = step.status.filter(|_| !moving) {
                    let layer = step.id.map(|id| format!("{id}: ")).unwrap_or_default();
                    output(&format!("{layer}{status}"));
                }
            }
        }
    }
}

fn has_tag(name: &str) -> bool {
    name.rsplit_once(':').is_some_and(|(_, tag)| !tag.contains('/'))
}

/// Whether it may go well the next time: the network, or a registry that is busy.
fn may_pass(error: &Error) -> bool {
    let text = message(error).to_ascii_lowercase();
    let passing = [
        "timeout",
        "timed out",
        "connection reset",
        "unexpected eof",
        "toomanyrequests",
        "too many requests",
        "bad gateway",
        "service unavailable",
        "tls handshake",
        "temporary failure",
        "did not answer",
    ];
    passing.iter().any(|words| text.contains(words))
}

/// Why an image cannot be had.
pub(super) fn told(service: &Service, name: &str, error: Error) -> EngineError {
    let text = message(&error);
    let has = |words: &str| text.to_ascii_lowercase().contains(words);
    let registry = credentials::shown(name);
    let hint = if has("unauthorized")
        || has("access denied")
        || has("authentication required")
        || has("no basic auth")
    {
        format!("correct the name, or log in with `docker login {registry}` as the user who deploys")
    } else if has("not found") || has("manifest unknown") {
        "correct the name and the tag of `image`".to_owned()
    } else if has("no matching manifest") {
        "the image is not there for this platform: choose another `image` or `platform`".to_owned()
    } else if has("no such host") || has("dial tcp") || has("i/o timeout") || has("connection refused") {
        format!("see whether this machine reaches `{registry}`, or load the image with `docker load`")
    } else {
        return match refused(format!("fetch image `{name}`"))(error) {
            EngineError::Refused { attempt, reason, hint } => EngineError::Refused { attempt, reason, hint },
            other => other,
        };
    };
    EngineError::Artifact {
        service: service.name.value.to_string(),
        artifact: name.to_owned(),
        reason: format!("cannot be fetched: {text}"),
        hint,
        span: service.image.as_ref().map(|image| image.span),
    }
}
