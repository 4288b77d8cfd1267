//! A container is no machine to log in to.

use crate::dockerfile::Keyword;
use crate::package_manager::installs;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "ssh-in-image",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Build,
    summary: "image holds an SSH server",
    why: "It is one more door with keys and passwords of its own, and what is done through it is in no Dockerfile \
          and no record.",
    fix: "Remove it; look into a container with `docker compose exec`.",
    bad: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y openssh-server\n",
    good: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y openssh-client\n",
    more: &[],
    references: &["CIS Docker 1.6, 5.7"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (_, step) in file.steps().filter(|(stage, _)| file.is_shipped(*stage)) {
            let installed = step.commands.iter().filter_map(installs).flat_map(|(_, packages)| packages);
            let is_server = |word: &&crate::dockerfile::Word| {
                let name = word.text.split('=').next().unwrap_or_default();
                matches!(name, "openssh-server" | "dropbear" | "sshd" | "openssh" | "ssh")
            };
            let found = match step.keyword {
                Keyword::Run => installed.into_iter().find(is_server),
                Keyword::Expose => {
                    step.words.iter().find(|word| matches!(word.text.as_str(), "22" | "22/tcp"))
                }
                Keyword::Cmd | Keyword::Entrypoint => step
                    .commands
                    .iter()
                    .find(|command| command.program() == "sshd")
                    .and_then(|command| command.words.first()),
                _ => None,
            };
            if let Some(word) = found {
                let message = match step.keyword {
                    Keyword::Expose => "The image exposes port 22, the one of SSH.".to_owned(),
                    _ => format!("The image holds an SSH server (`{}`).", word.text),
                };
                file.report(findings, word.span, &word.text, message);
            }
        }
    }
}
