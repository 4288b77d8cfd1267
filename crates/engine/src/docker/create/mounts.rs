//! What is mounted into a container: volumes, binds, memory, granted files.

use std::collections::HashMap;

use bollard::models::{
    Mount, MountBindOptions, MountBindOptionsPropagationEnum as Propagation, MountImageOptions,
    MountTmpfsOptions, MountType, MountVolumeOptions,
};
use seaworthy_project::Node;

use crate::docker::client::Version;
use crate::docker::create::{Given, networking};
use crate::docker::keys;
use crate::{EngineError, Revision};

/// A folder inside a volume can be mounted from this API on.
const SUBPATH: Version = Version(1, 45);
/// An image can be mounted from this API on.
const IMAGE: Version = Version(1, 48);

/// Mounts in the shapes the Engine API has for them.
pub(super) struct Mounted {
    pub(super) binds: Option<Vec<String>>,
    pub(super) mounts: Option<Vec<Mount>>,
    pub(super) tmpfs: Option<HashMap<String, String>>,
    pub(super) from: Option<Vec<String>>,
}

/// The mounts of a service, and the files it is granted.
pub(super) fn of(revision: &Revision, given: &Given) -> Result<Mounted, EngineError> {
    let node = &revision.service.node;
    let (mut binds, mut mounts) = (Vec::new(), Vec::new());
    for item in node.get("volumes").map(Node::items).unwrap_or_default() {
        match bind_line(item) {
            Some(line) => binds.push(line),
            None => mounts.push(mount(item, revision, given)?),
        }
    }
    for (file, target) in &given.files {
        mounts.push(Mount {
            typ: Some(MountType::BIND),
            source: Some(file.display().to_string()),
            target: Some(target.clone()),
            read_only: Some(true),
            ..Mount::default()
        });
    }
    let tmpfs: HashMap<String, String> = keys::texts(node, "tmpfs")
        .unwrap_or_default()
        .iter()
        .map(|line| line.split_once(':').unwrap_or((line, "")))
        .map(|(target, options)| (target.to_owned(), options.to_owned()))
        .collect();
    let mut from = Vec::new();
    for line in keys::texts(node, "volumes_from").unwrap_or_default() {
        let (source, mode) = match line.strip_prefix("container:") {
            Some(rest) => {
                rest.split_once(':').map_or((rest.to_owned(), ""), |(name, mode)| (name.to_owned(), mode))
            }
            None => {
                let (service, mode) = line.split_once(':').unwrap_or((&line, ""));
                (networking::container_of(service, "volumes_from", revision, given)?, mode)
            }
        };
        from.push(if mode.is_empty() { source } else { format!("{source}:{mode}") });
    }
    Ok(Mounted {
        binds: some(binds),
        mounts: some(mounts),
        tmpfs: (!tmpfs.is_empty()).then_some(tmpfs),
        from: some(from),
    })
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// A bind whose source the daemon shall make, or label, in the only form in which every API can say so.
fn bind_line(item: &Node) -> Option<String> {
    let bind = item.get("bind")?;
    let (source, target) = (keys::text(item, "source")?, keys::text(item, "target")?);
    let made = keys::flag(bind, "create_host_path") == Some(true);
    let selinux = keys::text(bind, "selinux");
    if keys::text(item, "type").as_deref() != Some("bind")
        || !(made || selinux.is_some())
        || keys::text(bind, "recursive").is_some()
        || source.contains(':')
        || target.contains(':')
    {
        return None;
    }
    let access = if keys::flag(item, "read_only") == Some(true) { "ro" } else { "rw" };
    let options: Vec<String> =
        [Some(access.to_owned()), selinux, keys::text(bind, "propagation")].into_iter().flatten().collect();
    Some(format!("{source}:{target}:{}", options.join(",")))
}

fn mount(item: &Node, revision: &Revision, given: &Given) -> Result<Mount, EngineError> {
    let base = Mount {
        target: keys::text(item, "target"),
        source: keys::text(item, "source"),
        read_only: keys::flag(item, "read_only"),
        consistency: keys::text(item, "consistency"),
        ..Mount::default()
    };
    Ok(match keys::text(item, "type").as_deref() {
        Some("bind") => {
            Mount { typ: Some(MountType::BIND), bind_options: item.get("bind").map(bind_options), ..base }
        }
        Some("tmpfs") => {
            Mount { typ: Some(MountType::TMPFS), tmpfs_options: item.get("tmpfs").map(tmpfs_options), ..base }
        }
        Some("image") => {
            since(IMAGE, "an image", item, revision, given)?;
            let subpath = item.get("image").and_then(|image| keys::text(image, "subpath"));
            let options = subpath.map(|subpath| MountImageOptions { subpath: Some(subpath) });
            Mount { typ: Some(MountType::IMAGE), image_options: options, ..base }
        }
        _ => {
            let volume = item.get("volume");
            let subpath = volume.and_then(|volume| keys::text(volume, "subpath"));
            if subpath.is_some() {
                since(SUBPATH, "a folder inside a volume", item, revision, given)?;
            }
            let options = MountVolumeOptions {
                no_copy: volume.and_then(|volume| keys::flag(volume, "nocopy")),
                labels: volume.and_then(|volume| keys::pairs(volume, "labels")),
                subpath,
                ..MountVolumeOptions::default()
            };
            let source = base.source.clone().map(|key| volume_name(&key, revision));
            Mount { typ: Some(MountType::VOLUME), source, volume_options: Some(options), ..base }
        }
    })
}

/// Refuses what an older engine would leave out without a word.
fn since(
    version: Version,
    what: &str,
    item: &Node,
    revision: &Revision,
    given: &Given,
) -> Result<(), EngineError> {
    if given.version >= version {
        return Ok(());
    }
    Err(EngineError::NotRunnable {
        service: revision.service.name.value.to_string(),
        reason: format!("mounts {what}, which needs API {version}, and this engine speaks {}", given.version),
        hint: "update Docker, or mount it in another way".to_owned(),
        span: Some(item.span),
    })
}

/// The name that the engine knows a volume by.
fn volume_name(key: &str, revision: &Revision) -> String {
    let known = revision.volumes.iter().find(|volume| volume.key.value == key);
    known.map_or_else(|| key.to_owned(), |volume| volume.name.clone())
}

fn tmpfs_options(tmpfs: &Node) -> MountTmpfsOptions {
    let octal = |mode: String| i64::from_str_radix(mode.trim_start_matches("0o"), 8).ok();
    MountTmpfsOptions {
        size_bytes: keys::bytes(tmpfs, "size"),
        mode: keys::text(tmpfs, "mode").and_then(octal),
        ..MountTmpfsOptions::default()
    }
}

fn bind_options(bind: &Node) -> MountBindOptions {
    let propagation = keys::text(bind, "propagation").and_then(|word| match word.as_str() {
        "private" => Some(Propagation::PRIVATE),
        "rprivate" => Some(Propagation::RPRIVATE),
        "shared" => Some(Propagation::SHARED),
        "rshared" => Some(Propagation::RSHARED),
        "slave" => Some(Propagation::SLAVE),
        "rslave" => Some(Propagation::RSLAVE),
        _ => None,
    });
    let recursive = keys::text(bind, "recursive");
    let is = |word: &str| (recursive.as_deref() == Some(word)).then_some(true);
    MountBindOptions {
        propagation,
        non_recursive: is("disabled"),
        read_only_non_recursive: is("writable"),
        read_only_force_recursive: is("readonly"),
        ..MountBindOptions::default()
    }
}
