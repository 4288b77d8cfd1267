//! Nothing that serves requests needs to be root.

use seaworthy_catalog::{Image, RunsAs};

use crate::build_file::is_root;
use crate::dockerfile::{Instruction, Keyword};
use crate::mend::insert_line;
use crate::{
    Build, BuildFile, Context, Example, Findings, Grade, Group, ImageUser, Level, Mend, Rule, Severity,
};

pub(crate) const RULE: Rule = Rule {
    id: "root-in-image",
    severity: Severity::Medium,
    grades: &[SAID],
    group: Group::Build,
    summary: "image runs as root",
    why: "A process that is root inside needs one mistake of the kernel or one careless mount to be root outside.",
    fix: "Make a user in the Dockerfile, give it the folders that are written, and end with `USER 10001`.",
    bad: "FROM python:3.13-slim\nCMD [\"python\", \"-m\", \"shop\"]\n",
    good: "FROM python:3.13-slim\nUSER 10001\nCMD [\"python\", \"-m\", \"shop\"]\n",
    more: &[Example {
        of: "an image that is told to",
        bad: "FROM python:3.13-slim\nUSER root\n",
        good: "FROM python:3.13-slim\nUSER 10001\n",
    }],
    references: &["CIS Docker 1.6, 4.1", "OWASP Docker Security Cheat Sheet, rule 2"],
    check,
};

const SAID: Grade = Grade::new(Severity::High, "where `USER` names root");

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for build in file.images(|build| build.subject.user.is_none()) {
            let service = &build.subject.name.value;
            match build.user(file) {
                ImageUser::Said(word) => {
                    let user =
                        file.dockerfile.fill_in(&word.text, build.target.unwrap_or(0), &build.arguments);
                    if user.is_some_and(|user| is_root(&user)) {
                        let message = format!("The image of `{service}` is told to run as root.");
                        file.report(findings, word.span, service.as_str(), message).grade(SAID);
                    }
                }
                ImageUser::Base(image, RunsAs::Root) => {
                    let Some(from) = build.from(file) else { continue };
                    let message = format!(
                        "The image of `{service}` runs as root, as {} does: nothing names another user.",
                        image.title
                    );
                    let mend = other_user(context, file, build, image);
                    let finding = file.report(findings, from.span, service.as_str(), message).mend(mend);
                    finding.absent("a user in its image");
                }
                ImageUser::Base(..) | ImageUser::Unknown => {}
            }
        }
    }
}

/// The user that the base image has made, from the last step on that needs to be root. A user is never made up.
fn other_user(context: &Context<'_>, file: &BuildFile<'_>, build: &Build<'_>, image: &Image) -> Option<Mend> {
    let uid = image.user.as_ref()?.uid?;
    let needs_root = |step: &&Instruction| {
        matches!(
            step.keyword,
            Keyword::From | Keyword::Run | Keyword::Copy | Keyword::Add | Keyword::Workdir | Keyword::Shell
        )
    };
    let last = file.dockerfile.of_stage(build.target?).iter().rev().find(needs_root)?;
    let source = context.project.sources.get(last.span.file)?;
    let edit = insert_line(last, &source.text, &format!("USER {uid}"))?;
    let breaks = "A folder that the program writes must belong to that user: `COPY --chown`.";
    Some(Mend::new(Level::NeedsImageKnowledge, edit).may_break(breaks))
}

/// Whether this rule speaks for a service, so that no other needs to.
pub(in crate::rules) fn speaks_for(file: &BuildFile<'_>, build: &Build<'_>) -> bool {
    matches!(build.user(file), ImageUser::Said(_) | ImageUser::Base(_, RunsAs::Root))
}
