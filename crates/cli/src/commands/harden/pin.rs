//! `harden --pin`: the digest that a registry has for each image, written behind its tag.

use seaworthy_audit::{Digest, overlay};
use seaworthy_project::{Loaded, Project, ServiceName, load};
use seaworthy_release::StateFolder;

use super::{HardenArgs, Overlaid, overlay_path, read};
use crate::commands::wait;
use crate::context::Context;
use crate::error::{CommandError, Exit, with_causes};
use crate::surroundings::write_file;

/// Services whose image has no digest, with the reason as a sentence.
type Left = Vec<(ServiceName, String)>;

pub(super) fn pin(context: &Context, arguments: &HardenArgs) -> Result<Exit, CommandError> {
    let project = context.project()?;
    let path = overlay_path(&context.globals.files, &context.surroundings.folder, &project)?;
    let old = read(&path)?;
    let request = context.request()?;
    let reload = |text: &str| -> Loaded { load(&request, &Overlaid { path: &path, text }) };
    let (digests, mut left) = asked(context, &project)?;
    let pinned = seaworthy_audit::pin(&project, old.as_deref(), &reload, &digests);
    left.extend(pinned.refused);
    let shown = path.strip_prefix(&project.directory).unwrap_or(&path).display().to_string();
    let (old, new) = (old.unwrap_or_default(), pinned.text.unwrap_or_default());
    let count = pinned.applied.len();
    if arguments.dry_run {
        context.ui.data(&overlay::diff(&old, &new, &shown));
    } else if new != old {
        write_file(&path, &new).map_err(|error| {
            CommandError::new(format!("could not write `{shown}`: {error}"), Some("nothing was changed"))
        })?;
    }
    context.ui.say(&match (count, arguments.dry_run) {
        (0, _) => format!("`{shown}` needs no change."),
        (_, true) => format!("{count} images would be pinned in `{shown}`."),
        (_, false) => format!("{count} images were pinned in `{shown}`."),
    });
    for (service, reason) in &left {
        context.ui.say(&format!("  not pinned: {service} ({reason})"));
    }
    let is_whole = left.iter().all(|(_, reason)| reason == BUILT);
    Ok(if is_whole { Exit::Done } else { Exit::Findings })
}

/// Why a service that is built from a Dockerfile is left alone.
const BUILT: &str = "it is built here; each release keeps the image that it was tested with.";

/// Asks the registries through the engine, for each image that has no digest yet.
fn asked(context: &Context, project: &Project) -> Result<(Vec<Digest>, Left), CommandError> {
    let engine = context.docker(&StateFolder::existing(context.surroundings.state_folder()))?;
    let (mut digests, mut left) = (Vec::new(), Left::new());
    wait(async {
        // Without an engine the reason is one, not one for each image.
        engine.version().await?;
        for service in project.services() {
            let name = service.name.value.clone();
            if service.build.is_some() {
                left.push((name, BUILT.to_owned()));
                continue;
            }
            let Some(image) = service.image.as_ref().filter(|image| !image.value.contains('@')) else {
                continue;
            };
            match engine.pinned(service, &image.value).await {
                Ok(whole) => match whole.split_once('@') {
                    Some((_, digest)) => {
                        digests.push(Digest { service: name, digest: digest.to_owned() });
                    }
                    None => left.push((name, "the registry names no digest.".to_owned())),
                },
                Err(error) => left.push((name, with_causes(&error))),
            }
        }
        Ok((digests, left))
    })
}
