//! Production runs what was built, not what lies in a folder.

use std::path::Path;

use seaworthy_project::model::mount::MountKind;
use seaworthy_project::{Node, Span};

use crate::{Context, EditValue, Example, Findings, Fix, Group, Level, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "source-bind-mount",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Delivery,
    summary: "source code is mounted over what was built",
    why: "The mounted folder hides the program inside the image: what runs is whatever the folder holds at that moment, cannot \
          be rolled back, and is missing on every other machine.",
    fix: "Drop the mount in production: list the mounts that stay with `volumes: !override [...]`, or `!reset null` for none.",
    bad: "services:\n  web:\n    build: .\n    volumes: [\".:/app\"]\n",
    good: "services:\n  web:\n    build: .\n    volumes: [\"uploads:/app/uploads\"]\nvolumes:\n  uploads: {}\n",
    more: &[Example {
        of: "a folder with code",
        bad: "services:\n  web:\n    image: shop:1.4\n    volumes: [\"./src:/app/src\"]\n",
        good: "services:\n  web:\n    image: shop:1.4\n    volumes: [\"uploads:/app/uploads\"]\nvolumes:\n  \
                   uploads: {}\n",
    }],
    references: &["The Twelve-Factor App, V"],
    check,
};

/// Folders in which images keep the program.
const PROGRAM_FOLDERS: [&str; 9] =
    ["/app", "/code", "/src", "/srv", "/usr/src", "/var/www", "/workspace", "/opt/app", "/work"];
/// Names of folders that hold source.
const SOURCE_FOLDERS: [&str; 8] = ["src", "app", "lib", "code", "source", "backend", "frontend", "server"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let sources: Vec<_> = service
            .service()
            .mounts
            .iter()
            .filter(|mount| is_source(context, &service, &mount.value))
            .collect();
        let targets: Vec<&str> = sources.iter().map(|mount| mount.value.target.as_str()).collect();
        let fix = fix(context, &service, &targets);
        for mount in &sources {
            let target = &mount.value.target;
            let message = format!("`{}` runs source code mounted at `{target}`.", service.name.value);
            let finding = findings.report(service.place(&["volumes"]), mount.span, message).evidence(target);
            finding.fix(fix.clone());
        }
    }
}

fn is_source(
    context: &Context<'_>,
    service: &Subject<'_>,
    mount: &seaworthy_project::model::mount::Mount,
) -> bool {
    let (MountKind::Bind, Some(source)) = (mount.kind, mount.source.as_deref()) else { return false };
    let source = Path::new(source);
    let Ok(inside) = source.strip_prefix(&context.project.directory) else { return false };
    let file = source.extension().is_some() || Path::new(&mount.target).extension().is_some();
    if file {
        return false;
    }
    let context_folder = service.build.as_ref().and_then(|build| build.value.context.as_deref());
    let whole =
        inside.as_os_str().is_empty() || context_folder.is_some_and(|folder| Path::new(folder) == source);
    let named =
        inside.file_name().and_then(|name| name.to_str()).is_some_and(|name| SOURCE_FOLDERS.contains(&name));
    let program = PROGRAM_FOLDERS.iter().any(|folder| Path::new(&mount.target) == Path::new(folder));
    whole || (named && !mount.read_only) || (program && service.is_own())
}

/// Lists the mounts that stay; none when one of them cannot be written in one line.
fn fix(context: &Context<'_>, service: &Subject<'_>, dropped: &[&str]) -> Option<Fix> {
    let volumes = service.node.get("volumes")?.items();
    let mut kept = Vec::new();
    for volume in volumes {
        let target = volume.get("target").and_then(Node::text)?;
        if dropped.contains(&target.trim_end_matches('/')) || dropped.contains(&target) {
            continue;
        }
        kept.push(one_line(context, &volume.span)?);
    }
    let value = if kept.is_empty() { EditValue::Reset } else { EditValue::Override(kept) };
    let fix = Fix::new(Level::BehaviourChanging, vec![service.edit(&["volumes"], value)]);
    Some(fix.may_break("A service whose image does not hold its own program does not start."))
}

/// A mount as it was written, when that is one line of short syntax without variables.
fn one_line(context: &Context<'_>, span: &Span) -> Option<String> {
    let raw = context.raw(span)?.trim();
    let bare = raw.trim_matches(['"', '\'']);
    let simple = bare.contains(':') && !bare.contains(['\n', '{', '}', '$', '"', '\'', '#', '*', '&', ' ']);
    simple.then(|| bare.to_owned())
}
