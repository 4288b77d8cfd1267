//! A download is what the other side sends today.

use crate::dockerfile::Keyword;
use crate::download::{address, is_download, shown};
use crate::shell::Command;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "unchecked-download",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Build,
    summary: "download becomes part of the image and is not checked",
    why: "The address may serve something else tomorrow: another version, or what someone else put there. Nothing \
          in the build would notice.",
    fix: "Name the version and check it: `ADD --checksum=sha256:… https://… /x`, or `echo \"…  file\" | sha256sum \
          -c` in the same `RUN`.",
    bad: "FROM debian:13-slim\nRUN curl -fsSL -o /usr/bin/tool https://example.com/tool\n",
    good: "FROM debian:13-slim\nADD \
          --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d \
          https://example.com/tool /usr/bin/tool\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.11", "OWASP Docker Security Cheat Sheet, rule 13"],
    check,
};

const CHECKS: [&str; 9] =
    ["sha256sum", "sha512sum", "sha384sum", "sha1sum", "shasum", "b2sum", "cosign", "minisign", "gpgv"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (_, step) in file.of(Keyword::Add) {
            let remote = step
                .sources()
                .iter()
                .find(|source| source.text.starts_with("http://") || source.text.starts_with("https://"));
            if let Some(word) = remote.filter(|word| {
                step.flag("checksum").is_none()
                    && !word.text.ends_with(".git")
                    && !word.text.contains(".git#")
            }) {
                let message = format!("Nothing checks what `{}` sends.", shown(&word.text));
                file.report(findings, word.span, &shown(&word.text), message);
            }
        }
        for (_, step) in file.of(Keyword::Run) {
            let verifies = |command: &Command| {
                CHECKS.contains(&command.program())
                    || (command.program() == "gpg"
                        && (command.has("--verify")
                            || command.has("--batch") && command.text().contains("verify")))
                    || (command.program() == "openssl" && matches!(command.verb(), "dgst" | "sha256"))
            };
            if step.commands.iter().any(verifies) {
                continue;
            }
            for command in step.commands.iter().filter(|command| is_download(command)) {
                let Some(word) = address(command) else { continue };
                if keeps(command, &step.commands) && !is_key(command, &step.commands) {
                    let message = format!("Nothing checks what `{}` sends.", shown(&word.text));
                    file.report(findings, word.span, &shown(&word.text), message);
                }
            }
        }
    }
}

/// Whether what a download gives stays: in a file, or unpacked.
fn keeps(command: &Command, all: &[Command]) -> bool {
    let reads = ["tar", "bsdtar", "unzip", "gunzip", "zcat", "unxz", "xz", "bunzip2", "dpkg", "cpio"];
    let unpacked =
        all.iter().any(|other| other.pipeline == command.pipeline && reads.contains(&other.program()));
    let redirected = command.redirects.iter().any(|redirect| {
        redirect.operator.starts_with('>')
            && !redirect.target.text.starts_with("/dev/")
            && !redirect.target.text.starts_with('&')
    });
    if command.program() == "curl" {
        let output = command.has_flag('o', "output")
            || command.has_flag('O', "remote-name")
            || command.has("--remote-name-all");
        return (output && !command.has("/dev/null")) || redirected || unpacked;
    }
    let to_output = command.has("--spider")
        || command.arguments().iter().any(|word| word.text.starts_with('-') && word.text.ends_with("O-"))
        || command.arguments().windows(2).any(|two| two[0].text.ends_with('O') && two[1].text == "-");
    !to_output || unpacked || redirected
}

/// Whether it fetches the key of a repository, which is what later checks rest on.
fn is_key(command: &Command, all: &[Command]) -> bool {
    let names = |text: &str| {
        let lower = text.to_ascii_lowercase();
        ["keyring", ".gpg", ".asc", "gpg.key", ".key"].iter().any(|piece| lower.contains(piece))
    };
    let piped = all
        .iter()
        .any(|other| other.pipeline == command.pipeline && matches!(other.program(), "gpg" | "apt-key"));
    piped
        || command.words.iter().any(|word| names(&word.text))
        || command.redirects.iter().any(|redirect| names(&redirect.target.text))
}
