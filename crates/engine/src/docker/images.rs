//! Images: found, pinned by digest, kept under a name of ours so that a rollback has them.

use std::time::Duration;

use bollard::models::{HealthConfig, ImageInspect};
use bollard::query_parameters::{ListImagesOptionsBuilder, RemoveImageOptions, TagImageOptionsBuilder};
use seaworthy_project::model::healthcheck::{HealthTest, Healthcheck};
use seaworthy_project::{Loss, Project, ProjectName, Service};

use crate::docker::client::{Client, is_status, refused};
use crate::docker::{keys, labels, observe};
use crate::{Artifact, EngineError, ImageOrigin, Inspection, Revision};

/// Where kept images are named: `<this>:<project>.<digest>`.
const KEPT: &str = "seaworthy-kept";
/// Digits of the digest in that name; the whole would not fit beside a long name of a project.
const DIGITS: usize = 24;

/// When an image is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PullPolicy {
    /// At every deploy.
    Always,
    /// When it is not there.
    Missing,
    /// Not at all.
    Never,
}

impl PullPolicy {
    /// `pull_policy` of a service that is not built.
    pub(super) fn of(service: &Service) -> Self {
        match keys::text(&service.node, "pull_policy").as_deref() {
            Some("never") => Self::Never,
            None | Some("missing" | "if_not_present" | "build") => Self::Missing,
            Some(_) => Self::Always,
        }
    }
}

/// The name of the image that a service runs: what it says, else the name that its build is given.
pub(super) fn name(project: &ProjectName, service: &Service) -> Result<String, EngineError> {
    match (&service.image, &service.build) {
        (Some(image), _) => Ok(image.value.clone()),
        (None, Some(_)) => Ok(format!("{project}-{}", service.name.value)),
        (None, None) => Err(EngineError::NotRunnable {
            service: service.name.value.to_string(),
            reason: "has neither `image` nor `build`".to_owned(),
            hint: "say which image it runs".to_owned(),
            span: Some(service.name.span),
        }),
    }
}

/// What a service would run now. `builds` is true for what `deploy` builds or fetches first.
pub(super) async fn inspect(
    client: &Client,
    project: &Project,
    service: &Service,
) -> Result<Inspection, EngineError> {
    let name = name(&project.name, service)?;
    let seen = find(client, &name).await?;
    let policy = PullPolicy::of(service);
    let builds = service.build.is_some() || policy == PullPolicy::Always || seen.is_none();
    if seen.is_none() && service.build.is_none() && policy == PullPolicy::Never {
        return Err(EngineError::Artifact {
            service: service.name.value.to_string(),
            artifact: name,
            reason: "is not on this machine, and `pull_policy` is `never`".to_owned(),
            hint: "load it with `docker load`, or take `pull_policy` away".to_owned(),
            span: service.image.as_ref().map(|image| image.span),
        });
    }
    let health = seen.as_ref().and_then(|seen| seen.config.as_ref()?.healthcheck.as_ref()).and_then(health);
    let artifact = seen.as_ref().and_then(|seen| pin(&name, seen, service.build.is_some()));
    let image = seen.as_ref().map(|seen| origin(seen, artifact.as_ref()));
    Ok(Inspection { artifact, builds, health, losses: bound(service), image })
}

/// Where an image comes from: its pin is a registry's digest, or its own id.
fn origin(seen: &ImageInspect, artifact: Option<&Artifact>) -> ImageOrigin {
    let pin = artifact.map(|artifact| artifact.digest.clone());
    let config = seen.config.as_ref();
    let labels = config.and_then(|config| config.labels.as_ref());
    ImageOrigin {
        registry_digest: pin.filter(|pin| seen.id.as_ref() != Some(pin)),
        stands_in: labels.is_some_and(|labels| labels.contains_key(labels::STAND_IN)),
        user: config.and_then(|config| config.user.clone()).filter(|user| !user.is_empty()),
    }
}

/// The health check of an image; `None` when it says that there is none.
fn health(said: &HealthConfig) -> Option<Healthcheck> {
    let (first, rest) = said.test.as_ref()?.split_first()?;
    let test = match first.as_str() {
        "CMD" => HealthTest::Command(rest.to_vec()),
        "CMD-SHELL" => HealthTest::Shell(rest.join(" ")),
        _ => return None,
    };
    let time = |nanoseconds: Option<i64>| {
        u64::try_from(nanoseconds?).ok().filter(|time| *time > 0).map(Duration::from_nanos)
    };
    Some(Healthcheck {
        test: Some(test),
        interval: time(said.interval),
        timeout: time(said.timeout),
        retries: said.retries.and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0),
        start_period: time(said.start_period),
        start_interval: None,
    })
}

/// What a release cannot keep: folders and files of this machine.
fn bound(service: &Service) -> Vec<Loss> {
    let bind = service
        .mounts
        .iter()
        .find(|mount| mount.value.kind == seaworthy_project::model::mount::MountKind::Bind);
    let loss = |mount: &seaworthy_project::Spanned<seaworthy_project::model::mount::Mount>| Loss {
        key: format!("services.{}.volumes", service.name.value),
        span: Some(mount.span),
        instead: "a bind mount is used in place and not kept with the release".to_owned(),
    };
    bind.map(loss).into_iter().collect()
}

/// The pin of an image: the digest that its registry knows it by, else its own id.
fn pin(name: &str, image: &ImageInspect, built: bool) -> Option<Artifact> {
    let repository = repository(name);
    let digests = image.repo_digests.iter().flatten().filter(|_| !built);
    let known =
        digests.filter_map(|digest| digest.split_once('@')).find(|(of, _)| same_repository(of, &repository));
    let digest = known.map(|(_, digest)| digest.to_owned()).or_else(|| image.id.clone())?;
    Some(Artifact { name: name.to_owned(), digest })
}

/// A name without its tag and digest.
fn repository(name: &str) -> String {
    let name = name.split('@').next().unwrap_or(name);
    match name.rsplit_once(':') {
        Some((before, tag)) if !tag.contains('/') => before.to_owned(),
        _ => name.to_owned(),
    }
}

fn same_repository(one: &str, other: &str) -> bool {
    let short = |name: &str| {
        let name = name.strip_prefix("docker.io/").or(name.strip_prefix("index.docker.io/")).unwrap_or(name);
        name.strip_prefix("library/").unwrap_or(name).to_owned()
    };
    short(one) == short(other)
}

/// An image by any name; `None` when it is not there.
pub(super) async fn find(client: &Client, name: &str) -> Result<Option<ImageInspect>, EngineError> {
    match client.api.inspect_image(name).await {
        Ok(seen) => Ok(Some(seen)),
        Err(error) if is_status(&error, 404) => Ok(None),
        Err(error) => Err(refused(format!("look at image `{name}`"))(error)),
    }
}

/// The name under which an artifact is kept for a project.
pub(super) fn kept_name(project: &ProjectName, artifact: &Artifact) -> String {
    let digits = artifact.digest.rsplit(':').next().unwrap_or_default();
    let digits: String = digits.chars().take(DIGITS).collect();
    format!("{KEPT}:{project}.{digits}")
}

/// Keeps the image of a revision: it is given a name of ours, so that it stays when the user's name moves on.
pub(super) async fn keep(client: &Client, revision: &Revision) -> Result<ImageInspect, EngineError> {
    let artifact = &revision.artifact;
    let kept = kept_name(&revision.project, artifact);
    if let Some(seen) = find(client, &kept).await? {
        return suits(revision, seen);
    }
    let by_digest = format!("{}@{}", repository(&artifact.name), artifact.digest);
    let seen = match find(client, &artifact.digest).await? {
        Some(seen) => Some(seen),
        None => find(client, &by_digest).await?,
    };
    let Some(seen) = seen else {
        return Err(EngineError::Artifact {
            service: revision.service.name.value.to_string(),
            artifact: artifact.name.clone(),
            reason: "is neither kept nor on this machine as this release knew it".to_owned(),
            hint: "deploy again, or roll back to another release".to_owned(),
            span: revision.service.image.as_ref().map(|image| image.span),
        });
    };
    let seen = suits(revision, seen)?;
    let (repository, tag) = kept.split_once(':').unwrap_or((KEPT, "latest"));
    let options = TagImageOptionsBuilder::new().repo(repository).tag(tag).build();
    let id = seen.id.clone().unwrap_or_default();
    let tagged = client.api.tag_image(&id, Some(options)).await;
    tagged.map_err(refused(format!("keep image `{}`", artifact.name)))?;
    Ok(seen)
}

/// An image of another platform than the one asked for would fail at its first instruction.
fn suits(revision: &Revision, seen: ImageInspect) -> Result<ImageInspect, EngineError> {
    let Some(wished) = keys::text(&revision.service.node, "platform") else { return Ok(seen) };
    let mut parts = wished.split('/');
    let (system, processor) = (parts.next().unwrap_or_default(), parts.next());
    let same = seen.os.as_deref().is_none_or(|os| os == system)
        && processor.is_none_or(|wished| seen.architecture.as_deref().is_none_or(|is| is == wished));
    if same {
        return Ok(seen);
    }
    let is = format!("{}/{}", seen.os.unwrap_or_default(), seen.architecture.unwrap_or_default());
    Err(EngineError::Artifact {
        service: revision.service.name.value.to_string(),
        artifact: revision.artifact.name.clone(),
        reason: format!("is for `{is}`, and the service asks for `{wished}`"),
        hint: "correct `platform`, or build the image for it".to_owned(),
        span: revision.service.node.get("platform").map(|node| node.span),
    })
}

/// The image of a prepared revision, and a name for it that people know, if that name still means it.
pub(super) async fn prepared(
    client: &Client,
    revision: &Revision,
) -> Result<(ImageInspect, String), EngineError> {
    let seen = keep(client, revision).await?;
    let id = seen.id.clone().unwrap_or_default();
    let known = find(client, &revision.artifact.name).await?;
    let same = known.is_some_and(|known| known.id.as_deref() == Some(id.as_str()));
    let name = if same { revision.artifact.name.clone() } else { id };
    Ok((seen, name))
}

/// Drops kept images that none of `keep` names and no instance runs.
pub(super) async fn prune(
    client: &Client,
    project: &ProjectName,
    keep: &[Artifact],
) -> Result<(), EngineError> {
    let wanted: Vec<String> = keep.iter().map(|artifact| kept_name(project, artifact)).collect();
    let running = observe::images(client, project).await?;
    let options = ListImagesOptionsBuilder::new().all(false).build();
    let images = client.api.list_images(Some(options)).await.map_err(refused("list the kept images"))?;
    let ours = format!("{KEPT}:{project}.");
    for image in images.into_iter().filter(|image| !running.contains(&image.id)) {
        for tag in image.repo_tags.iter().filter(|tag| tag.starts_with(&ours) && !wanted.contains(tag)) {
            match client.api.remove_image(tag, None::<RemoveImageOptions>, None).await {
                // Somebody else's container runs it, or it is gone: the name of ours is gone or goes next time.
                Err(error) if is_status(&error, 404) || is_status(&error, 409) => {}
                other => {
                    other.map_err(refused(format!("drop the kept image `{tag}`")))?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_its_own_repository_is_the_pin() {
        let image = ImageInspect {
            id: Some("sha256:own".to_owned()),
            repo_digests: Some(vec!["other@sha256:1".to_owned(), "nginx@sha256:2".to_owned()]),
            ..ImageInspect::default()
        };
        let pinned = |name: &str, built| pin(name, &image, built).unwrap().digest;
        assert_eq!(pinned("nginx:1.26", false), "sha256:2");
        assert_eq!(pinned("docker.io/library/nginx", false), "sha256:2");
        assert_eq!(pinned("registry.example:5000/nginx:1.26", false), "sha256:own");
        assert_eq!(pinned("nginx:1.26", true), "sha256:own");
    }

    #[test]
    fn a_name_loses_its_tag_and_digest_only() {
        for (name, expected) in [
            ("nginx", "nginx"),
            ("nginx:1.26@sha256:abc", "nginx"),
            ("registry.example:5000/shop/web", "registry.example:5000/shop/web"),
            ("registry.example:5000/shop/web:2", "registry.example:5000/shop/web"),
        ] {
            assert_eq!(repository(name), expected);
        }
    }
}
