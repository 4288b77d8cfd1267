//! What was tested is what the lock file says.

use crate::dockerfile::Keyword;
use crate::shell::Command;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "lock-file-ignored",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Build,
    summary: "packages are installed past the lock file",
    why: "The build takes newer versions than those that were tested, and other ones tomorrow: also one that \
          somebody took over.",
    fix: "Install what the lock file says: `npm ci`, `yarn install --immutable` (`--frozen-lockfile` before \
          version 2), `pnpm install --frozen-lockfile`, `composer install`, `pipenv sync`.",
    bad: "--- compose.yaml\nservices:\n  web:\n    build: .\n--- Dockerfile\nFROM node:22-slim\nCOPY package.json \
          package-lock.json ./\nRUN npm install\n--- package-lock.json\n{}\n",
    good: "--- compose.yaml\nservices:\n  web:\n    build: .\n--- Dockerfile\nFROM node:22-slim\nCOPY package.json \
          package-lock.json ./\nRUN npm ci\n--- package-lock.json\n{}\n",
    more: &[],
    references: &["OWASP Docker Security Cheat Sheet, rule 13"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        let copied: Vec<&str> = file
            .of(Keyword::Copy)
            .chain(file.of(Keyword::Add))
            .flat_map(|(_, step)| step.sources())
            .map(|word| word.text.rsplit('/').next().unwrap_or_default())
            .collect();
        let has =
            |lock: &str| copied.contains(&lock) || file.names.iter().any(|name| name.as_os_str() == lock);
        for (_, command) in file.commands() {
            let Some((lock, instead)) = passed_over(command).filter(|(lock, _)| has(lock)) else { continue };
            let what = format!("{} {}", command.program(), command.verb());
            let message = format!("`{}` may take other versions than `{lock}` says.", what.trim());
            file.report(findings, command.span, what.trim(), message).help(format!("Write `{instead}`."));
        }
    }
}

/// The lock file that a command does not keep to, and the command that does.
fn passed_over(command: &Command) -> Option<(&'static str, &'static str)> {
    let has = |names: &[&str]| {
        command.arguments().iter().any(|word| names.iter().any(|name| word.text.starts_with(name)))
    };
    let alone = command.operands().count() <= 1 && !has(&["-g", "--global", "--package-lock-only"]);
    match (command.program(), command.verb()) {
        ("npm", "install" | "i") if alone => Some(("package-lock.json", "npm ci")),
        ("yarn", "" | "install")
            if alone && !has(&["--frozen-lockfile", "--immutable", "--version", "-v"]) =>
        {
            Some(("yarn.lock", "yarn install --immutable"))
        }
        ("pnpm", "install" | "i") if alone && !has(&["--frozen-lockfile"]) => {
            Some(("pnpm-lock.yaml", "pnpm install --frozen-lockfile"))
        }
        ("composer", "update") => Some(("composer.lock", "composer install")),
        ("bundle", "update") => Some(("Gemfile.lock", "bundle install")),
        ("poetry", "update") => Some(("poetry.lock", "poetry install")),
        ("pipenv", "install") if alone && !has(&["--deploy", "--ignore-pipfile"]) => {
            Some(("Pipfile.lock", "pipenv sync"))
        }
        _ => None,
    }
}
