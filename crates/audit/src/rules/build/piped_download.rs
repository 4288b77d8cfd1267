//! What is run unseen is whatever the other side sends today.

use crate::dockerfile::Keyword;
use crate::download::{address, is_download, shown};
use crate::shell::{Command, Joiner};
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "piped-download",
    severity: Severity::High,
    grades: &[],
    group: Group::Build,
    summary: "download is run by a shell without being looked at",
    why: "Whoever holds that server, its name or the way to it runs commands in the build, and sees what the build \
          sees. A connection that breaks in the middle runs half a script.",
    fix: "Install a package of the distribution or a release with a checksum: `ADD --checksum=sha256:… https://… \
          /tmp/` and then run it.",
    bad: "FROM debian:13-slim\nRUN curl -fsSL https://get.example.com/install.sh | sh\n",
    good: "FROM debian:13-slim\nADD \
          --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d \
          https://get.example.com/install.sh /tmp/\nRUN sh /tmp/install.sh\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.11", "OWASP Docker Security Cheat Sheet, rule 13"],
    check,
};

const SHELLS: [&str; 6] = ["sh", "bash", "ash", "dash", "zsh", "ksh"];
const LANGUAGES: [&str; 7] = ["python", "python3", "perl", "ruby", "node", "php", "lua"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (_, step) in file.of(Keyword::Run) {
            for (at, command) in step.commands.iter().enumerate() {
                if let Some(download) = source(&step.commands, at, command) {
                    let from = address(download).map(|word| shown(&word.text)).unwrap_or_default();
                    let what = if from.is_empty() {
                        "A download".to_owned()
                    } else {
                        format!("What `{from}` sends")
                    };
                    let message =
                        format!("{what} is run by `{}` without being looked at.", command.program());
                    file.report(findings, download.span, &from, message);
                }
            }
        }
    }
}

/// The download that a command runs.
fn source<'step>(all: &'step [Command], at: usize, command: &Command) -> Option<&'step Command> {
    let program = command.program();
    let is_shell = SHELLS.contains(&program);
    let reads_input = if is_shell {
        !command.has_flag('c', "")
            && command.operands().all(|word| word.text.contains('=') || command.has("-s"))
    } else {
        LANGUAGES.contains(&program) && command.arguments().iter().all(|word| word.text == "-")
    };
    let piped = || {
        let mut before = all[..at]
            .iter()
            .filter(|other| other.pipeline == command.pipeline && other.depth == command.depth);
        before.rfind(|other| is_download(other))
    };
    let substitutes = |word: &&crate::dockerfile::Word| {
        ["$(", "<(", "`"].iter().any(|open| {
            word.text.match_indices(open).any(|(at, _)| {
                let inside = word.text[at + open.len()..].trim_start();
                inside.starts_with("curl") || inside.starts_with("wget")
            })
        })
    };
    let runs_text = is_shell || matches!(program, "eval" | "source" | ".");
    let substituted = || {
        command.arguments().iter().find(substitutes)?;
        all[..at].iter().rfind(|other| other.depth > command.depth && is_download(other))
    };
    if reads_input && command.joiner == Joiner::Pipe {
        return piped();
    }
    runs_text.then(substituted).flatten()
}
