//! A new volume belongs to whoever the image says.

use seaworthy_project::model::mount::MountKind;

use crate::build_file::is_root;
use crate::dockerfile::Keyword;
use crate::{Build, BuildFile, Confidence, Context, Findings, Group, ImageUser, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "unwritable-volume",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Build,
    summary: "user of the image cannot write to the volume",
    why: "A new volume takes its owner from the folder in the image. Where that folder does not exist, it belongs \
          to root, and a program with a user of its own cannot write: it fails at its first start in production.",
    fix: "Make the folder in the Dockerfile, before `USER`, and give it to the user: `RUN install -d -o 10001 \
          /data`.",
    bad: "--- compose.yaml\nservices:\n  web:\n    build: .\n    volumes: [\"data:/data\"]\nvolumes:\n  data: \
          {}\n--- Dockerfile\nFROM debian:13-slim\nUSER 10001\n",
    good: "--- compose.yaml\nservices:\n  web:\n    build: .\n    volumes: [\"data:/data\"]\nvolumes:\n  data: \
          {}\n--- Dockerfile\nFROM debian:13-slim\nRUN install -d -o 10001 /data\nUSER 10001\n",
    more: &[],
    references: &[],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for build in &file.builds {
            let service = build.subject.service();
            let own = service.user.as_ref().map(|user| user.value.clone());
            let said = match build.user(file) {
                ImageUser::Said(word) => {
                    file.dockerfile.fill_in(&word.text, build.target.unwrap_or(0), &build.arguments)
                }
                _ => None,
            };
            if own.or(said).is_none_or(|user| is_root(&user)) {
                continue;
            }
            for mount in &service.mounts {
                let volume = mount.value.kind == MountKind::Volume && !mount.value.read_only;
                if volume && !is_prepared(file, build, &mount.value.target) {
                    let target = &mount.value.target;
                    let message = format!(
                        "Nothing gives `{target}` to the user that `{}` runs as.",
                        service.name.value
                    );
                    let finding = findings.report(build.subject.place(&["volumes"]), mount.span, message);
                    finding.evidence(target).confidence(Confidence::Likely);
                }
            }
        }
    }
}

/// Whether the Dockerfile gives a folder, or one above it, to a user.
fn is_prepared(file: &BuildFile<'_>, build: &Build<'_>, target: &str) -> bool {
    let mut folder = String::from("/");
    let mut is_user = false;
    build.steps(file).any(|step| {
        let resolve = |path: &str| {
            let path = file
                .dockerfile
                .fill_in(path, build.target.unwrap_or(0), &build.arguments)
                .unwrap_or_else(|| path.to_owned());
            if path.starts_with(['/', '~']) {
                path
            } else {
                format!("{}/{}", folder.trim_end_matches('/'), path.trim_start_matches("./"))
            }
        };
        let covers = |path: &str| {
            let path = resolve(path);
            let path = path.trim_end_matches(['/', '.', '*']);
            target == path
                || target.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
                || path.starts_with(&format!("{target}/"))
        };
        let found = match step.keyword {
            Keyword::Copy | Keyword::Add => {
                step.flag("chown").is_some() && step.words.last().is_some_and(|word| covers(&word.text))
            }
            Keyword::Run => step.commands.iter().any(|command| {
                let gives = matches!(command.program(), "chown" | "chmod" | "chgrp")
                    || (command.program() == "install" && command.has_flag('o', "owner"))
                    || (is_user && matches!(command.program(), "mkdir" | "install"))
                    || matches!(command.program(), "useradd" | "adduser");
                gives && command.arguments().iter().any(|word| covers(&word.text) || word.text.contains('{'))
            }),
            _ => false,
        };
        match (step.keyword, step.words.first()) {
            (Keyword::Workdir, Some(word)) => folder = resolve(&word.text),
            (Keyword::User, Some(word)) => is_user = !is_root(&word.text),
            _ => {}
        }
        found
    })
}
