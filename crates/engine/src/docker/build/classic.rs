//! The classic builder of the daemon. What only BuildKit can do is refused by name, never left out.

use std::collections::HashMap;
use std::path::Path;

use bollard::auth::DockerCredentials;
use bollard::query_parameters::{BuildImageOptions, TagImageOptionsBuilder};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use crate::docker::build::{Recipe, context};
use crate::docker::client::{Client, message, refused};
use crate::docker::options::{DockerOptions, settings};
use crate::docker::{credentials, keys};
use crate::{EngineError, system};

/// The largest Dockerfile that is read.
const LARGEST_DOCKERFILE: u64 = 4 << 20;
/// Keys of `build` that only BuildKit has.
const BUILDKIT_ONLY: [&str; 8] =
    ["additional_contexts", "cache_to", "entitlements", "privileged", "sbom", "secrets", "ssh", "ulimits"];

/// Builds with the daemon's own builder.
pub(super) async fn run(
    client: &Client,
    options: &DockerOptions,
    recipe: &Recipe<'_>,
    output: &mut (dyn for<'line> FnMut(&'line str) + Send),
) -> Result<(), EngineError> {
    can_all(recipe)?;
    let (name, sent) = sources(recipe)?;
    let request = request(recipe, name);
    let known = known_registries(options).await?;
    let api = client.patient(context::PATIENCE);
    let mut progress =
        api.build_image(request, known, sent.map(|sent| bollard::body_try_stream(sent.send())));
    while let Some(step) = progress.next().await {
        let step = step.map_err(|error| recipe.failed(with_hint(&message(&error))))?;
        for line in step.stream.iter().flat_map(|text| text.lines()).filter(|line| !line.trim().is_empty()) {
            output(line.trim_end());
        }
        if let Some(reason) = step.error_detail.and_then(|detail| detail.message) {
            return Err(recipe.failed(with_hint(&reason)));
        }
    }
    for tag in keys::texts(recipe.node, "tags").unwrap_or_default() {
        let (repository, tag) = match tag.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository.to_owned(), tag.to_owned()),
            _ => (tag.clone(), "latest".to_owned()),
        };
        let named = TagImageOptionsBuilder::new().repo(&repository).tag(&tag).build();
        let tagged = client.api.tag_image(&recipe.image, Some(named)).await;
        tagged.map_err(refused(format!("name the image `{repository}:{tag}`")))?;
    }
    Ok(())
}

/// What the builder said, and what is known to help.
fn with_hint(reason: &str) -> String {
    let has = |words: &str| reason.contains(words);
    let help = if has("requires BuildKit") || has("--mount option") {
        "install BuildKit's program (`docker-buildx`) beside `docker`"
    } else if has("no such host") || has("dial tcp") || has("i/o timeout") {
        "see whether this machine reaches the registry of its base image"
    } else if has("pull access denied") || has("unauthorized") {
        "correct the name of its base image, or log in with `docker login`"
    } else if has("no space left on device") {
        "make room: `docker builder prune` and `docker image prune` free some"
    } else {
        return reason.to_owned();
    };
    format!("{reason}; {help}")
}

/// Refuses what this builder cannot do, naming all of it.
fn can_all(recipe: &Recipe<'_>) -> Result<(), EngineError> {
    let node = recipe.node;
    let said = |key: &&str| node.get(key).is_some_and(|said| !said.is_null() && said.text() != Some("false"));
    let mut missing: Vec<String> =
        BUILDKIT_ONLY.iter().filter(|key| said(key)).map(|key| format!("`build.{key}`")).collect();
    if node.get("platforms").is_some_and(|list| list.items().len() > 1) {
        missing.push("several `build.platforms`".to_owned());
    }
    if node.get("extra_hosts").is_some_and(|list| list.items().len() > 1) {
        missing.push("several `build.extra_hosts`".to_owned());
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(EngineError::NotRunnable {
        service: recipe.service.name.value.to_string(),
        reason: format!(
            "is built with {}, which only BuildKit can do, and it is not on this machine",
            missing.join(", ")
        ),
        hint: "install BuildKit's program (`docker-buildx`) beside `docker`".to_owned(),
        span: Some(node.span),
    })
}

/// The name of the Dockerfile within what is sent, and what is sent.
fn sources(recipe: &Recipe<'_>) -> Result<(String, Option<context::Context>), EngineError> {
    let inline = keys::text(recipe.node, "dockerfile_inline");
    let Some(folder) = recipe.folder() else {
        if inline.is_some() {
            return Err(recipe.failed("an inline Dockerfile cannot be used with sources from elsewhere"));
        }
        return Ok((keys::text(recipe.node, "dockerfile").unwrap_or_else(|| "Dockerfile".to_owned()), None));
    };
    if !folder.is_dir() {
        return Err(recipe.failed(format!("there is no folder `{}`", folder.display())));
    }
    let path = recipe.dockerfile();
    let inside = path
        .strip_prefix(&folder)
        .ok()
        .filter(|rest| !rest.components().any(|part| part.as_os_str() == ".."));
    let (name, outside) = match (inline, inside) {
        (Some(text), _) => (outside_name(&text), Some(text)),
        (None, Some(inside)) => {
            let name = inside.display().to_string();
            if !path.is_file() {
                return Err(recipe.failed(format!("there is no file `{}`", path.display())));
            }
            (name, None)
        }
        (None, None) => {
            let text = read(recipe, &path)?;
            (outside_name(&text), Some(text))
        }
    };
    let own_ignore = path
        .with_file_name(format!("{}.dockerignore", path.file_name().unwrap_or_default().to_string_lossy()));
    let ignore = [own_ignore, folder.join(".dockerignore")].into_iter().find(|file| file.is_file());
    let ignore = ignore.map(|file| read(recipe, &file)).transpose()?.unwrap_or_default();
    let sent = context::Context { folder, dockerfile: name.clone(), outside, ignore };
    Ok((name, Some(sent)))
}

/// A name that the user's folder will not have, and that stays the same for the same contents.
fn outside_name(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    format!(".seaworthy-dockerfile-{}", system::hexadecimal(&hash[..6]))
}

fn read(recipe: &Recipe<'_>, path: &Path) -> Result<String, EngineError> {
    match system::read(path, LARGEST_DOCKERFILE) {
        Ok(Some(bytes)) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Ok(None) => Err(recipe.failed(format!("there is no file `{}`", path.display()))),
        Err(error) => Err(recipe.failed(format!("`{}` cannot be read: {error}", path.display()))),
    }
}

fn request(recipe: &Recipe<'_>, dockerfile: String) -> BuildImageOptions {
    let node = recipe.node;
    let platform = keys::texts(node, "platforms").and_then(|list| list.into_iter().next());
    let platform = platform.or_else(|| keys::text(&recipe.service.node, "platform"));
    let arguments: HashMap<String, String> = recipe.arguments().into_iter().collect();
    BuildImageOptions {
        dockerfile,
        t: Some(recipe.image.clone()),
        remote: recipe.is_remote().then(|| keys::text(node, "context")).flatten(),
        extrahosts: keys::texts(node, "extra_hosts")
            .and_then(|list| list.first().map(|line| line.replacen('=', ":", 1))),
        nocache: keys::flag(node, "no_cache") == Some(true),
        pull: (keys::flag(node, "pull") == Some(true)).then(|| "true".to_owned()),
        cachefrom: keys::texts(node, "cache_from"),
        rm: true,
        forcerm: true,
        buildargs: (!arguments.is_empty()).then_some(arguments),
        labels: keys::pairs(node, "labels"),
        shmsize: keys::bytes(node, "shm_size").and_then(|size| i32::try_from(size).ok()),
        networkmode: keys::text(node, "network"),
        platform: platform.unwrap_or_default(),
        target: keys::text(node, "target").unwrap_or_default(),
        ..BuildImageOptions::default()
    }
}

/// The credentials of every registry that the user is logged in at: base images may come from any.
async fn known_registries(
    options: &DockerOptions,
) -> Result<Option<HashMap<String, DockerCredentials>>, EngineError> {
    let Some(folder) = options.configuration.as_deref() else { return Ok(None) };
    let Some(settings) = settings(folder)? else { return Ok(None) };
    let names = ["auths", "credHelpers"]
        .iter()
        .filter_map(|key| settings.get(key)?.as_object())
        .flat_map(|map| map.keys());
    let mut known = HashMap::new();
    for registry in names {
        if let Some(found) = credentials::of_registry(options, registry).await? {
            known.insert(registry.clone(), found);
        }
    }
    Ok((!known.is_empty()).then_some(known))
}

#[cfg(test)]
mod tests {
    use seaworthy_project::fixture::load_yaml;

    use super::*;

    #[test]
    fn what_only_buildkit_can_do_is_named() {
        let project = load_yaml(
            "services:\n  web:\n    build:\n      context: .\n      ssh: [default]\n      platforms: [linux/amd64, linux/arm64]\n      no_cache: true\n",
        );
        let service = project.services().next().unwrap();
        let node = service.node.get("build").unwrap();
        let recipe = Recipe { project: &project, service, node, image: "web".to_owned() };
        let error = can_all(&recipe).unwrap_err().to_string();
        assert!(
            error.contains("`build.ssh`, several `build.platforms`") && !error.contains("no_cache"),
            "{error}"
        );
    }
}
