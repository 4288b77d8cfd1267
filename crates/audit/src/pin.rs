//! Pinning: writes the digest of an image behind its tag, so that the tag may move and what runs does not.

use seaworthy_project::{Loaded, Project, ServiceName};

use crate::harden::changes;
use crate::{Edit, EditValue, Fix, Level, overlay};

/// What a registry has for the image of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// The service.
    pub service: ServiceName,
    /// `sha256:…`.
    pub digest: String,
}

/// What pinning made of the overlay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// The overlay as it should be; `None` when there is none and nothing to write into one.
    pub text: Option<String>,
    /// The services that are pinned now.
    pub applied: Vec<ServiceName>,
    /// The others, with the reason as a sentence.
    pub refused: Vec<(ServiceName, String)>,
}

/// Writes the digests into the overlay. `reload` loads the project with the overlay it is given; a pin after which anything
/// but the one image differs is not made.
pub fn pin(
    project: &Project,
    overlay_text: Option<&str>,
    reload: &dyn Fn(&str) -> Loaded,
    digests: &[Digest],
) -> Pinned {
    let mut pinned =
        Pinned { text: overlay_text.map(str::to_owned), applied: Vec::new(), refused: Vec::new() };
    let mut project = project.clone();
    for Digest { service, digest } in digests {
        match attempt(&project, pinned.text.as_deref(), reload, service, digest) {
            Ok((text, after)) => {
                (pinned.text, project) = (Some(text), after);
                pinned.applied.push(service.clone());
            }
            Err(reason) => pinned.refused.push((service.clone(), reason)),
        }
    }
    pinned
}

fn attempt(
    project: &Project,
    text: Option<&str>,
    reload: &dyn Fn(&str) -> Loaded,
    service: &ServiceName,
    digest: &str,
) -> Result<(String, Project), String> {
    let image = project.services.get(service).and_then(|service| service.image.as_ref());
    let image = image.ok_or("it has no image.")?;
    let wanted = format!("{}@{digest}", image.value);
    let path = ["services", service.as_str(), "image"].map(str::to_owned).to_vec();
    let fix = Fix::new(Level::Safe, vec![Edit::new(path, EditValue::text(wanted.as_str()))]);
    let text = overlay::apply(text, std::slice::from_ref(&fix)).map_err(|error| error.to_string())?;
    let Some(after) = reload(&text).project else {
        return Err("the project would not load with it.".to_owned());
    };
    let image = after.services.get(service).and_then(|service| service.image.as_ref());
    if image.is_none_or(|image| image.value != wanted) {
        return Err("a later file says which image it is.".to_owned());
    }
    match changes::unintended(&project.node, &after.node, fix.edits.iter()) {
        Some(key) => Err(format!("it would also change `{key}`.")),
        None => Ok((text, after)),
    }
}
