//! Encryption to an unknown peer protects nothing.

use crate::dockerfile::{Keyword, Word};
use crate::shell::Command;
use crate::{Context, Example, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "unverified-transfer",
    severity: Severity::High,
    grades: &[],
    group: Group::Build,
    summary: "build fetches from a server that proves nothing",
    why: "Without verification, whoever stands between can put his own program into the image.",
    fix: "Remove the switch; for an authority of your own, add its certificate to the image first.",
    bad: "FROM debian:13-slim\nRUN curl -k -o /tmp/app.tar https://example.com/app.tar\n",
    good: "FROM debian:13-slim\nCOPY ca.crt /usr/local/share/ca-certificates/\nRUN update-ca-certificates\n",
    more: &[
        Example {
            of: "a variable of the image",
            bad: "FROM debian:13-slim\nENV NODE_TLS_REJECT_UNAUTHORIZED=0\n",
            good: "FROM debian:13-slim\nENV NODE_EXTRA_CA_CERTS=/etc/ssl/shop-ca.pem\n",
        },
        Example {
            of: "an index of packages",
            bad: "FROM python:3.13-slim\nRUN pip install --trusted-host pypi.example.com app\n",
            good: "FROM python:3.13-slim\nRUN pip install --index-url https://pypi.example.com/simple app\n",
        },
    ],
    references: &["CIS Docker 1.6, 4.11", "OWASP Top Ten 2021, A02"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (_, command) in file.commands() {
            if let Some(word) = switch(command) {
                let message =
                    format!("`{}` makes `{}` accept any certificate.", word.text, command.program());
                file.report(findings, word.span, &format!("{} {}", command.program(), word.text), message);
            }
            let set = command.assignments.iter().chain(exported(command));
            for word in
                set.filter(|word| word.text.split_once('=').is_some_and(|(name, value)| is_off(name, value)))
            {
                let message = format!("`{}` makes every later transfer accept any certificate.", word.text);
                file.report(findings, word.span, &word.text, message);
            }
        }
        let set = file.of(Keyword::Env).chain(file.of(Keyword::Arg)).flat_map(|(_, step)| &step.pairs);
        for pair in set {
            let value = pair.value.as_ref().map_or("", |value| value.text.as_str());
            if is_off(&pair.name.text, value) {
                let message = format!("`{}={value}` makes programs accept any certificate.", pair.name.text);
                file.report(findings, pair.name.span, &pair.name.text, message);
            }
        }
    }
}

fn exported(command: &Command) -> &[Word] {
    if command.program() == "export" { command.arguments() } else { &[] }
}

/// Whether a variable turns verification off.
pub(in crate::rules) fn is_off(name: &str, value: &str) -> bool {
    match name.to_ascii_uppercase().as_str() {
        "NODE_TLS_REJECT_UNAUTHORIZED" | "PYTHONHTTPSVERIFY" => value == "0",
        "NPM_CONFIG_STRICT_SSL" | "YARN_STRICT_SSL" => value.eq_ignore_ascii_case("false"),
        "GIT_SSL_NO_VERIFY" => super::super::data::authentication_disabled::is_on(value),
        "PIP_TRUSTED_HOST" | "GOINSECURE" | "UV_INSECURE_HOST" => !value.is_empty(),
        _ => false,
    }
}

/// The word of a command that turns verification off.
fn switch(command: &Command) -> Option<&Word> {
    let starts = |begin: &str| {
        command.arguments().iter().find(|word| word.text.to_ascii_lowercase().starts_with(begin))
    };
    let after = |name: &str, value: &str| {
        let words = command.arguments();
        let at = words.iter().position(|word| word.text.eq_ignore_ascii_case(name))?;
        words.get(at + 1).filter(|word| word.text.eq_ignore_ascii_case(value)).map(|_| &words[at])
    };
    match command.program() {
        "curl" => command.flag('k', "insecure"),
        "wget" => starts("--no-check-certificate"),
        "pip" | "pip2" | "pip3" | "python" | "python3" | "uv" => {
            starts("--trusted-host").or_else(|| starts("--allow-insecure-host"))
        }
        "npm" | "yarn" | "pnpm" => after("strict-ssl", "false")
            .or_else(|| starts("strict-ssl=false"))
            .or_else(|| starts("--strict-ssl=false")),
        "git" => after("http.sslverify", "false").or_else(|| starts("http.sslverify=false")),
        "yum" | "dnf" | "microdnf" => {
            starts("--setopt=sslverify=false").or_else(|| starts("--setopt=sslverify=0"))
        }
        "apt-get" | "apt" => starts("acquire::https::verify-peer=false"),
        "conda" | "mamba" => after("ssl_verify", "false"),
        "composer" => after("disable-tls", "true"),
        _ => None,
    }
}
