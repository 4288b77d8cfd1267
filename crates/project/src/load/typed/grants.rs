//! What is mounted into a service: volumes, memory, secrets and configs.

use crate::load::typed::access::{flag, plain_text};
use crate::model::mount::{FileGrant, Mount, MountKind};
use crate::{Node, Spanned};

/// `volumes` and `tmpfs` of a service.
pub(super) fn mounts(service: &Node) -> Vec<Spanned<Mount>> {
    let list = |key: &str| service.get(key).map(Node::items).unwrap_or_default().iter();
    let volumes = list("volumes").filter_map(|item| Some(Spanned::new(mount(item)?, item.span)));
    let memory = list("tmpfs").filter_map(|item| {
        let target = item.text()?.split(':').next()?.to_owned();
        let read_only = item.text()?.split([':', ',']).skip(1).any(|option| option == "ro");
        Some(Spanned::new(Mount { kind: MountKind::Tmpfs, source: None, target, read_only }, item.span))
    });
    volumes.chain(memory).collect()
}

fn mount(item: &Node) -> Option<Mount> {
    let kind = match item.get("type")?.text()? {
        "volume" => MountKind::Volume,
        "bind" => MountKind::Bind,
        "tmpfs" => MountKind::Tmpfs,
        _ => MountKind::Other,
    };
    let source = plain_text(item, "source").filter(|source| !source.is_empty());
    Some(Mount { kind, source, target: plain_text(item, "target")?, read_only: flag(item, "read_only") })
}

/// `secrets` or `configs` of a service; a target that is not absolute lies under `folder`.
pub(super) fn grants(service: &Node, key: &str, folder: &str) -> Vec<Spanned<FileGrant>> {
    let items = service.get(key).map(Node::items).unwrap_or_default();
    items.iter().filter_map(|item| Some(Spanned::new(grant(item, folder)?, item.span))).collect()
}

fn grant(item: &Node, folder: &str) -> Option<FileGrant> {
    let source = plain_text(item, "source")?;
    let target = plain_text(item, "target").unwrap_or_else(|| source.clone());
    let target = if target.starts_with('/') { target } else { format!("{folder}{target}") };
    let mode =
        plain_text(item, "mode").and_then(|mode| u32::from_str_radix(mode.trim_start_matches("0o"), 8).ok());
    Some(FileGrant { source, target, mode, uid: plain_text(item, "uid"), gid: plain_text(item, "gid") })
}
