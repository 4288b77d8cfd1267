//! What is written into an image can be read by all who can pull it.

use seaworthy_project::is_credential_name;

use crate::credential::{looks_like_credential, password_in_url, token_name};
use crate::dockerfile::{Dockerfile, Keyword};
use crate::{Context, Example, Findings, Grade, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "credential-in-image",
    severity: Severity::High,
    grades: &[TOKEN, LEFT_BEHIND],
    group: Group::Build,
    summary: "credential is written into the image",
    why: "`ENV`, `ARG` and `LABEL` are kept in the image and its history: whoever can pull it can read them, and a \
          later layer cannot take them back.",
    fix: "Give it when the container starts, as a variable or a secret; give what the build needs with `RUN \
          --mount=type=secret`. Make a new one: this one is known.",
    bad: "FROM debian:13-slim\nENV API_TOKEN=q8Zk2vNw77Lp\n",
    good: "FROM debian:13-slim\nRUN --mount=type=secret,id=api_token ./fetch\n",
    more: &[
        Example {
            of: "a provider's token",
            bad: "FROM debian:13-slim\nENV AWS_ACCESS_KEY_ID=AKIAA1B2C3D4E5F6G7H8\n",
            good: "FROM debian:13-slim\nRUN --mount=type=secret,id=aws ./fetch\n",
        },
        Example {
            of: "a stage that is left behind",
            bad: "FROM debian:13-slim AS build\nENV API_TOKEN=q8Zk2vNw77Lp\nRUN make\nFROM debian:13-slim\nCOPY \
                  --from=build /app /app\n",
            good: "FROM debian:13-slim AS build\nRUN --mount=type=secret,id=api_token make\nFROM \
                   debian:13-slim\nCOPY --from=build /app /app\n",
        },
    ],
    references: &["CIS Docker 1.6, 4.10", "OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

const TOKEN: Grade =
    Grade::new(Severity::Critical, "for a provider's token, which anybody can use who has it");
const LEFT_BEHIND: Grade = Grade::new(
    Severity::Medium,
    "in a stage that is not part of the image: only the cache of the build keeps it",
);

/// Values that stand in for a credential while something is built that does not use it.
const STAND_INS: [&str; 8] = ["dummy", "none", "unused", "notused", "not-used", "build", "buildtime", "fake"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        let globals = file.dockerfile.instructions.iter().take_while(|step| step.keyword != Keyword::From);
        let steps =
            globals.map(|step| (None, step)).chain(file.steps().map(|(stage, step)| (Some(stage), step)));
        for (stage, step) in steps {
            if !matches!(step.keyword, Keyword::Env | Keyword::Arg | Keyword::Label) {
                continue;
            }
            for pair in &step.pairs {
                let Some(value) = &pair.value else { continue };
                let Some(what) = judge(&pair.name.text, &value.text) else { continue };
                let name = &pair.name.text;
                let message = format!(
                    "`{}` writes {what} into the image: `{name}`.",
                    step.name.text.to_ascii_uppercase()
                );
                let finding =
                    file.report(findings, pair.name.span, &format!("{} {name}", step.name.text), message);
                if token_name(&value.text).is_some() {
                    finding.grade(TOKEN);
                } else if stage.is_some_and(|stage| !file.is_shipped(stage)) {
                    finding.grade(LEFT_BEHIND);
                }
            }
        }
    }
}

/// What a value holds that nobody should read.
fn judge(name: &str, value: &str) -> Option<String> {
    if let Some(whose) = token_name(value) {
        return Some(format!("a {whose}"));
    }
    if password_in_url(value).is_some_and(|password| !password.contains('$')) {
        return Some("an address with its password".to_owned());
    }
    if !is_credential_name(name) {
        return None;
    }
    if let Some((variable, _)) = Dockerfile::variables(value).first() {
        return is_credential_name(variable).then(|| "a build argument's credential".to_owned());
    }
    let stands_in = STAND_INS.contains(&value.to_ascii_lowercase().as_str());
    (looks_like_credential(value) && !stands_in).then(|| "a credential".to_owned())
}
