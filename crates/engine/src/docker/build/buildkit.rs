//! BuildKit, through `docker buildx build`. No value is put among the words of its command line, where every user of
//! the machine could read it: arguments and secrets go through its environment.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use seaworthy_project::Node;
use seaworthy_project::model::resource::FileResourceSource;
use tokio::process::Command;
use tokio::time::timeout;

use crate::docker::build::Recipe;
use crate::docker::keys;
use crate::docker::options::DockerOptions;
use crate::docker::place::DockerPlace;
use crate::{EngineError, lines, system};

/// How long the program may take to say its version.
const VERSION: Duration = Duration::from_secs(10);
/// Variables that the program itself reads: an argument of such a name is told in another way.
const ITS_OWN: [&str; 3] = ["PATH", "HOME", "PWD"];

/// Whether the `docker` program is there, with BuildKit.
pub(super) async fn is_there(options: &DockerOptions) -> bool {
    let mut command = docker(options);
    command.args(["buildx", "version"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    matches!(timeout(VERSION, command.kill_on_drop(true).status()).await, Ok(Ok(status)) if status.success())
}

fn docker(options: &DockerOptions) -> Command {
    let mut command = Command::new("docker");
    command.env_clear().env("PATH", &options.search_path);
    if let Some(home) = &options.home {
        command.env("HOME", home);
    }
    if let Some(configuration) = &options.configuration {
        command.env("DOCKER_CONFIG", configuration);
    }
    command.env("DOCKER_HOST", options.place.to_string());
    match &options.place {
        DockerPlace::Ssh(place) => {
            command.envs(place.agent.iter().map(|agent| ("SSH_AUTH_SOCK", agent)));
        }
        DockerPlace::Tls(place) => {
            command.env("DOCKER_TLS_VERIFY", "1").env("DOCKER_CERT_PATH", &place.certificates);
        }
        DockerPlace::Socket(_) | DockerPlace::Tcp(_) => {}
    }
    command
}

/// Builds, and loads the image into the daemon.
pub(super) async fn run(
    options: &DockerOptions,
    recipe: &Recipe<'_>,
    output: &mut (dyn for<'line> FnMut(&'line str) + Send),
) -> Result<(), EngineError> {
    let mut command = docker(options);
    command.args(["buildx", "build", "--load", "--progress=plain", "--tag", &recipe.image]);
    // The file of an inline Dockerfile lives as long as the build.
    let inline = inline(options, recipe)?;
    match (&inline, recipe.is_remote()) {
        (Some(file), _) => command.arg("--file").arg(&file.0),
        (None, true) => command
            .arg("--file")
            .arg(keys::text(recipe.node, "dockerfile").unwrap_or_else(|| "Dockerfile".to_owned())),
        (None, false) => command.arg("--file").arg(recipe.dockerfile()),
    };
    say(&mut command, recipe);
    for (name, value) in recipe.arguments() {
        let own =
            ITS_OWN.contains(&name.as_str()) || name.starts_with("DOCKER_") || name.starts_with("BUILDX_");
        if own {
            command.arg("--build-arg").arg(format!("{name}={value}"));
        } else {
            command.arg("--build-arg").arg(&name).env(&name, value);
        }
    }
    secrets(&mut command, recipe)?;
    match recipe.folder() {
        Some(folder) => command.arg(folder),
        None => command.arg(keys::text(recipe.node, "context").unwrap_or_default()),
    };
    let ran = lines::run(command, output).await;
    let (status, last) = ran.map_err(|error| recipe.failed(format!("`docker` could not be run: {error}")))?;
    if status.success() { Ok(()) } else { Err(recipe.failed(last)) }
}

/// An inline Dockerfile as a file, which is deleted when this is dropped.
struct Inline(PathBuf);

impl Drop for Inline {
    fn drop(&mut self) {
        let _ = system::remove_tree(&self.0);
    }
}

fn inline(options: &DockerOptions, recipe: &Recipe<'_>) -> Result<Option<Inline>, EngineError> {
    let Some(text) = keys::text(recipe.node, "dockerfile_inline") else { return Ok(None) };
    let folder = options.state.join("dockerfiles");
    system::private_folder(&folder)?;
    let file = Inline(folder.join(system::random_hexadecimal()));
    let written = system::write_whole(&file.0, text.as_bytes(), 0o600);
    system::attempt(written, || "write the inline Dockerfile".to_owned())?;
    Ok(Some(file))
}

/// What `build` says, in the words of the program.
fn say(command: &mut Command, recipe: &Recipe<'_>) {
    let node = recipe.node;
    let platform = || keys::text(&recipe.service.node, "platform").into_iter().collect();
    let platforms = keys::texts(node, "platforms").unwrap_or_else(platform);
    if !platforms.is_empty() {
        command.arg("--platform").arg(platforms.join(","));
    }
    for (key, flag) in [
        ("target", "--target"),
        ("network", "--network"),
        ("shm_size", "--shm-size"),
        ("provenance", "--provenance"),
        ("sbom", "--sbom"),
    ] {
        if let Some(value) = keys::text(node, key) {
            command.arg(format!("{flag}={value}"));
        }
    }
    for (key, flag) in [("no_cache", "--no-cache"), ("pull", "--pull")] {
        if keys::flag(node, key) == Some(true) {
            command.arg(flag);
        }
    }
    for (key, flag) in [
        ("tags", "--tag"),
        ("cache_from", "--cache-from"),
        ("cache_to", "--cache-to"),
        ("entitlements", "--allow"),
        ("ssh", "--ssh"),
    ] {
        for value in keys::texts(node, key).unwrap_or_default() {
            command.arg(flag).arg(value);
        }
    }
    for value in keys::texts(node, "extra_hosts").unwrap_or_default() {
        command.arg("--add-host").arg(value.replacen('=', ":", 1));
    }
    for entry in node.get("ulimits").map(Node::entries).unwrap_or_default() {
        let both =
            || Some(format!("{}:{}", keys::text(&entry.node, "soft")?, keys::text(&entry.node, "hard")?));
        if let Some(value) = entry.node.text().map(str::to_owned).or_else(both) {
            command.arg("--ulimit").arg(format!("{}={value}", entry.key.value));
        }
    }
    let mut labels: Vec<_> = keys::pairs(node, "labels").unwrap_or_default().into_iter().collect();
    labels.sort();
    for (key, value) in labels {
        command.arg("--label").arg(format!("{key}={value}"));
    }
    let mut contexts: Vec<_> =
        keys::pairs(node, "additional_contexts").unwrap_or_default().into_iter().collect();
    contexts.sort();
    for (name, place) in contexts {
        let place = match place.strip_prefix("service:") {
            Some(service) => format!("docker-image://{}", image_of(recipe, service)),
            None => place,
        };
        command.arg("--build-context").arg(format!("{name}={place}"));
    }
}

fn image_of(recipe: &Recipe<'_>, service: &str) -> String {
    let found = recipe.project.services().find(|other| other.name.value.as_str() == service);
    let image = found.and_then(|other| other.image.as_ref().map(|image| image.value.clone()));
    image.unwrap_or_else(|| format!("{}-{service}", recipe.project.name))
}

/// Secrets by file where they are files, else through a variable of the program.
fn secrets(command: &mut Command, recipe: &Recipe<'_>) -> Result<(), EngineError> {
    for (number, grant) in recipe.node.get("secrets").map(Node::items).unwrap_or_default().iter().enumerate()
    {
        let source = keys::text(grant, "source").unwrap_or_default();
        let id = keys::text(grant, "target").unwrap_or_else(|| source.clone());
        let resource = recipe.project.secrets.get(&source);
        let value = match resource.map(|resource| &resource.source) {
            Some(FileResourceSource::File(path)) => {
                command.arg("--secret").arg(format!("id={id},src={}", path.value));
                continue;
            }
            Some(FileResourceSource::Environment(_, Some(value))) => value.clone(),
            Some(FileResourceSource::Content(content)) => content.value.clone(),
            _ => return Err(recipe.failed(format!("its secret `{source}` has no value"))),
        };
        let variable = format!("SEAWORTHY_BUILD_SECRET_{number}");
        command.arg("--secret").arg(format!("id={id},env={variable}")).env(variable, value.reveal());
    }
    Ok(())
}
