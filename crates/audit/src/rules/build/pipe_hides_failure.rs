//! Of a pipe, only the last command can fail.

use crate::dockerfile::Keyword;
use crate::download::is_download;
use crate::shell::{Command, Joiner};
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "pipe-hides-failure",
    severity: Severity::Low,
    grades: &[],
    group: Group::Build,
    summary: "failure of a download is not noticed",
    why: "A pipe fails only when its last command does: a download that fails gives an empty or broken file, and \
          the build goes on.",
    fix: "Download to a file first, or set `SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]` where the image \
          has that shell.",
    bad: "FROM debian:13-slim\nRUN curl -fsSL https://example.com/list | sort > /list\n",
    good: "FROM debian:13-slim\nRUN curl -fsSL -o /tmp/list https://example.com/list && sort /tmp/list > /list\n",
    more: &[],
    references: &["Dockerfile reference"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (stage, step) in file.of(Keyword::Run) {
            let chain = file.dockerfile.chain(stage);
            let shells = chain.iter().flat_map(|stage| file.dockerfile.of_stage(*stage));
            let set = shells.filter(|other| other.keyword == Keyword::Shell).flat_map(|other| &other.words);
            let set = set.chain(
                step.commands
                    .iter()
                    .filter(|command| command.program() == "set")
                    .flat_map(|command| &command.words),
            );
            if set.into_iter().any(|word| word.text.contains("pipefail")) {
                continue;
            }
            let piped = |command: &&Command| {
                let next = step.commands.iter().any(|other| {
                    other.pipeline == command.pipeline
                        && other.joiner == Joiner::Pipe
                        && other.span.start > command.span.start
                });
                is_download(command) && command.depth == 0 && next
            };
            if let Some(command) = step.commands.iter().find(piped) {
                let message = format!("Nothing notices when `{}` fails.", command.program());
                file.report(findings, command.span, &command.text(), message);
            }
        }
    }
}
