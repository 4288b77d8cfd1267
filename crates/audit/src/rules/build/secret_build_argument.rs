//! Build arguments stay in the history of the image.

use seaworthy_project::is_credential_name;

use crate::dockerfile::Keyword;
use crate::{Confidence, Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "secret-build-argument",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Build,
    summary: "build argument is meant for a credential",
    why: "The value of a build argument is written into the history of every `RUN` after it, and into the records \
          of the build.",
    fix: "Use `RUN --mount=type=secret,id=…` and give the secret with `build.secrets` in the Compose file.",
    bad: "FROM debian:13-slim\nARG NPM_TOKEN\nRUN ./fetch \"$NPM_TOKEN\"\n",
    good: "FROM debian:13-slim\nRUN --mount=type=secret,id=npm_token ./fetch\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.10"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (stage, step) in file.of(Keyword::Arg) {
            let steps = file.dockerfile.of_stage(stage);
            let used =
                steps.iter().any(|other| other.keyword == Keyword::Run && other.span.start > step.span.start);
            for pair in &step.pairs {
                let name = pair.name.text.as_str();
                let is_empty = pair.value.as_ref().is_none_or(|value| value.text.is_empty());
                let told = file
                    .builds
                    .iter()
                    .any(|build| build.arguments.get(name).is_some_and(|value| !value.is_empty()));
                if used && is_empty && !told && is_credential_name(name) {
                    let message = format!(
                        "The build argument `{name}` is meant for a credential, and stays in the image's history."
                    );
                    file.report(findings, pair.name.span, name, message).confidence(Confidence::Likely);
                }
            }
        }
    }
}
