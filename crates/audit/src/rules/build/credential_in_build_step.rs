//! A command that is written down is kept in the history of the image.

use seaworthy_project::is_credential_name;

use crate::credential::{looks_like_credential, password_in_url, token_name};
use crate::dockerfile::Word;
use crate::shell::Command;
use crate::{Context, Example, Findings, Grade, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "credential-in-build-step",
    severity: Severity::High,
    grades: &[TOKEN],
    group: Group::Build,
    summary: "command of the image holds a credential",
    why: "The text of each `RUN`, `CMD` and `HEALTHCHECK` is kept in the image: whoever can pull it can read it, \
          and so can who reads the repository.",
    fix: "Mount the credential for the one command that needs it: `RUN --mount=type=secret,id=…`. Make a new one: \
          this one is known.",
    bad: "FROM debian:13-slim\nRUN git clone https://bot:q8Zk2vNw77Lp@git.example.com/app.git\n",
    good: "FROM debian:13-slim\nRUN --mount=type=secret,id=netrc,target=/app/.netrc git clone \
          https://git.example.com/app.git\n",
    more: &[
        Example {
            of: "a provider's token",
            bad: "FROM debian:13-slim\nRUN aws configure set aws_access_key_id AKIAA1B2C3D4E5F6G7H8\n",
            good: "FROM debian:13-slim\nRUN --mount=type=secret,id=aws ./fetch\n",
        },
        Example {
            of: "the header of a request",
            bad: "FROM debian:13-slim\nRUN curl -fsS -H \"Authorization: Bearer q8Zk2vNw77Lp\" -o /app/data \
                  https://example.com/data\n",
            good: "FROM debian:13-slim\nRUN --mount=type=secret,id=header curl -fsS -H @/run/secrets/header -o \
                   /app/data https://example.com/data\n",
        },
        Example {
            of: "a name with its password",
            bad: "FROM debian:13-slim\nRUN curl -fsS -u bot:q8Zk2vNw77Lp -o /app/data https://example.com/data\n",
            good: "FROM debian:13-slim\nRUN --mount=type=secret,id=netrc curl -fsS --netrc-file \
                   /run/secrets/netrc -o /app/data https://example.com/data\n",
        },
    ],
    references: &["CIS Docker 1.6, 4.10", "OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

const TOKEN: Grade =
    Grade::new(Severity::Critical, "for a provider's token, which anybody can use who has it");

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (_, step) in file.steps() {
            let inner = step.inner.iter().flat_map(|inner| &inner.commands);
            for command in step.commands.iter().chain(inner) {
                if let Some((what, word)) = judge(command) {
                    let program = command.program();
                    let message = format!("`{program}` is given {what} in the text of the image.");
                    let finding = file.report(findings, word.span, &format!("{program}: {what}"), message);
                    if token_name(&word.text).is_some() {
                        finding.grade(TOKEN);
                    }
                }
            }
            for document in &step.heredocs {
                if let Some(whose) = token_name(&document.body).filter(|_| step.commands.is_empty()) {
                    let message = format!("A document of the image holds a {whose}.");
                    file.report(findings, document.span, whose, message).grade(TOKEN);
                }
            }
        }
    }
}

/// What a command holds that nobody should read, and the word that holds it.
fn judge(command: &Command) -> Option<(String, &Word)> {
    let words = || command.assignments.iter().chain(&command.words);
    if let Some((word, whose)) = words().find_map(|word| Some((word, token_name(&word.text)?))) {
        return Some((format!("a {whose}"), word));
    }
    let in_address =
        |word: &&Word| password_in_url(&word.text).is_some_and(|password| !password.contains('$'));
    if let Some(word) = words().find(in_address) {
        return Some(("an address with its password".to_owned(), word));
    }
    if let Some((header, word)) = words().find_map(|word| Some((header(&word.text)?, word))) {
        return Some((format!("the header `{header}`"), word));
    }
    let sets = command.program() == "export" || command.program() == "set";
    let assigned = command.assignments.iter().chain(command.arguments().iter().filter(|_| sets));
    if let Some(word) = assigned.into_iter().find(|word| is_assigned(&word.text)) {
        let name = word.text.split('=').next().unwrap_or_default();
        return Some((format!("the credential `{name}`"), word));
    }
    let arguments = command.arguments();
    arguments.iter().enumerate().find_map(|(at, word)| {
        let (name, value) = match word.text.split_once('=') {
            Some((name, value)) => (name, Some((value, word))),
            None => (word.text.as_str(), arguments.get(at + 1).map(|next| (next.text.as_str(), next))),
        };
        let flag = name.strip_prefix("--").filter(|name| is_secret_flag(name));
        let basic = matches!(command.program(), "curl") && matches!(name, "-u" | "--user");
        let npm = name.ends_with(":_authToken") || name.ends_with("_auth");
        let (value, holder) = value?;
        let written =
            is_written(value) && (!basic || value.split_once(':').is_some_and(|(_, rest)| is_written(rest)));
        ((flag.is_some() || basic || npm) && written).then(|| (format!("the value of `{name}`"), holder))
    })
}

/// Headers in whose value a credential stands.
const HEADERS: [&str; 5] =
    ["Authorization", "Proxy-Authorization", "X-Api-Key", "Private-Token", "X-Auth-Token"];

/// The header of a request that is made in somebody's name: `Authorization: Bearer …`.
fn header(text: &str) -> Option<&'static str> {
    let text = text.strip_prefix("--header=").or_else(|| text.strip_prefix("-H")).unwrap_or(text);
    let (name, value) = text.split_once(':')?;
    let header = HEADERS.into_iter().find(|header| header.eq_ignore_ascii_case(name.trim()))?;
    // Behind the scheme, where there is one.
    let credential = value.split_whitespace().next_back()?;
    is_written(credential).then_some(header)
}

/// Whether `NAME=value` sets a credential to a text.
fn is_assigned(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, value)| {
        is_credential_name(name) && is_written(value) && looks_like_credential(value)
    })
}

fn is_secret_flag(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let about =
        ["file", "stdin", "path", "url", "policy", "disabled", "no-"].iter().any(|word| lower.contains(word));
    ["password", "passwd", "token", "secret", "api-key", "apikey", "requirepass", "passphrase"]
        .iter()
        .any(|word| lower.ends_with(word))
        && !about
}

fn is_written(value: &str) -> bool {
    !value.is_empty() && !value.contains('$') && !value.starts_with(['-', '/', '`', '<'])
}
