//! The digest that a registry has for an image, asked through the daemon.

use seaworthy_project::Service;

use crate::EngineError;
use crate::docker::client::Client;
use crate::docker::options::DockerOptions;
use crate::docker::{credentials, pull};

/// The registry that a name without one means.
const HUB: &str = "docker.io";

/// The image with its registry, tag and digest: `docker.io/library/nginx:1.27@sha256:…`. One with a digest stays as it
/// is.
pub(super) async fn pinned(
    client: &Client,
    options: &DockerOptions,
    service: &Service,
    image: &str,
) -> Result<String, EngineError> {
    if image.contains('@') {
        return Ok(image.to_owned());
    }
    let whole = whole(image);
    let refused = |reason: String| EngineError::Refused {
        attempt: format!("ask the registry about image `{image}`"),
        reason,
        hint: Some(format!("see `docker login {}`", credentials::shown(image))),
    };
    let login = credentials::of(options, image).await.map_err(|error| refused(error.to_string()))?;
    match client.api.inspect_registry_image(&whole, login).await {
        Ok(found) => match found.descriptor.digest {
            Some(digest) => Ok(format!("{whole}@{digest}")),
            None => Err(refused("it names no digest".to_owned())),
        },
        Err(error) => Err(pull::told(service, image, error)),
    }
}

/// The name of an image with everything that is implied.
fn whole(image: &str) -> String {
    let (first, rest) = image.split_once('/').unwrap_or((HUB, image));
    let has_registry = first.contains(['.', ':']) || first == "localhost";
    let (registry, path) = match (image.contains('/'), has_registry) {
        (true, true) => (first, rest.to_owned()),
        (true, false) => (HUB, image.to_owned()),
        (false, _) => (HUB, format!("library/{image}")),
    };
    let tagged = path.rsplit_once(':').is_some_and(|(_, tag)| !tag.contains('/'));
    format!("{registry}/{path}{}", if tagged { "" } else { ":latest" })
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn what_a_name_implies_is_written_out() {
        for (image, wanted) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("nginx:1.27", "docker.io/library/nginx:1.27"),
            ("shop/web", "docker.io/shop/web:latest"),
            ("localhost:5000/web:2", "localhost:5000/web:2"),
            ("registry.example/a/b", "registry.example/a/b:latest"),
        ] {
            assert_eq!(whole(image), wanted);
        }
    }
}
