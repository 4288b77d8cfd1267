//! Data must outlive its container.

use seaworthy_catalog::Kind;
use seaworthy_project::model::mount::MountKind;

use crate::{Context, EditValue, Example, Findings, Fix, Group, Level, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "stateful-without-volume",
    severity: Severity::High,
    grades: &[],
    group: Group::Data,
    summary: "data is lost when the container is replaced",
    why: "What is written outside a named volume belongs to the container: the next deploy makes a new one, and the data stays \
          behind in an unnamed volume that the next clean-up deletes.",
    fix: "Mount a named volume where the image keeps its data.",
    bad: "services:\n  db:\n    image: postgres:17\n",
    good: "services:\n  db:\n    image: postgres:17\n    volumes: [\"db-data:/var/lib/postgresql/data\"]\nvolumes:\n  db-data: {}\n",
    more: &[Example {
        of: "the folder of another version",
        bad: "services:\n  db:\n    image: postgres:18\n    volumes: \
                  [\"db-data:/var/lib/postgresql/data\"]\nvolumes:\n  db-data: {}\n",
        good: "services:\n  db:\n    image: postgres:18\n    volumes: \
                   [\"db-data:/var/lib/postgresql\"]\nvolumes:\n  db-data: {}\n",
    }],
    references: &["Docker documentation, volumes"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.running() {
        let (Some(known), Some(reference)) = (service.known, service.reference()) else { continue };
        let paths = known.data_paths(&reference);
        // The folder of another version lies beside or above the right one; the image puts a volume of its own between.
        let mut other =
            known.volumes.iter().map(|volume| volume.path.as_str()).filter(|path| !paths.contains(path));
        let is_wrong = other.any(|path| is_mounted(&service, path))
            && !paths.iter().any(|path| is_mounted(&service, path));
        let kept = paths.iter().any(|path| is_kept(&service, path)) && !is_wrong;
        if paths.is_empty() || known.kind == Kind::Cache || kept {
            continue;
        }
        if moved_elsewhere(&service) {
            continue;
        }
        let name = &service.name.value;
        let elsewhere = known
            .volumes
            .iter()
            .find(|volume| !paths.contains(&volume.path.as_str()) && is_kept(&service, &volume.path));
        let message = match (elsewhere, paths.as_slice()) {
            (Some(volume), [path, ..]) => {
                format!("`{name}` mounts `{}`, but this version keeps its data in `{path}`.", volume.path)
            }
            _ => format!("The data of `{name}` is lost when its container is replaced."),
        };
        let finding = findings.report(service.place(&["volumes"]), service.span_of(&["volumes"]), message);
        if let ([path], None) = (paths.as_slice(), elsewhere) {
            finding.help(format!("Mount a named volume at `{path}`.")).fix(fix(context, &service, path));
        }
    }
}

/// Whether something that outlives the container is mounted at exactly that folder.
fn is_mounted(service: &Subject<'_>, path: &str) -> bool {
    service.mounts.iter().any(|mount| {
        let lasts = matches!(mount.value.kind, MountKind::Volume | MountKind::Bind | MountKind::Other);
        lasts && mount.value.source.is_some() && mount.value.target.trim_end_matches('/') == path
    })
}

/// Whether a folder lies in something that outlives the container.
fn is_kept(service: &Subject<'_>, path: &str) -> bool {
    service.mounts.iter().any(|mount| {
        let target = mount.value.target.trim_end_matches('/');
        let covers = path == target || below(path, target) || below(target, path);
        covers
            && mount.value.source.is_some()
            && matches!(mount.value.kind, MountKind::Volume | MountKind::Bind | MountKind::Other)
    })
}

fn below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether the service is told to keep its data in another folder that is mounted.
fn moved_elsewhere(service: &Subject<'_>) -> bool {
    let told = |path: &str| {
        let path = path.split_once('=').map_or(path, |(_, value)| value);
        path.len() > 1 && path.starts_with('/') && is_kept(service, path)
    };
    service.variable("PGDATA").is_some_and(told) || service.words().any(told)
}

fn fix(context: &Context<'_>, service: &Subject<'_>, path: &str) -> Option<Fix> {
    let volume = format!("{}-data", service.name.value);
    if context.project.volumes.contains_key(&volume) {
        return None;
    }
    let edits = vec![
        service.edit(&["volumes"], EditValue::list([format!("{volume}:{path}")])),
        crate::Edit::new(vec!["volumes".to_owned(), volume], EditValue::plain("{}")),
    ];
    Some(
        Fix::new(Level::NeedsImageKnowledge, edits)
            .may_break("Data that the container holds now is not moved."),
    )
}
