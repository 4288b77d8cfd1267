//! What is in the repository is known to all who ever had it.

use seaworthy_project::is_credential_name;

use crate::credential::{looks_like_credential, password_in_url, token_name};
use crate::environment_file::Role;
use crate::glob::Ignore;
use crate::{Context, Findings, Group, Place, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "environment-file-in-git",
    severity: Severity::High,
    grades: &[],
    group: Group::Secrets,
    summary: "environment file with credentials is not kept out of Git",
    why: "The next `git add .` takes it in, and from then on it is in every copy and in the history, whatever is \
          deleted later.",
    fix: "Add the file to `.gitignore`; if it was ever committed, make new credentials. Commit an example without \
          values instead.",
    bad: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env\nDB_PASSWORD=vT4-mm2Lw-Q9\n--- .git/HEAD\nref: refs/heads/main\n",
    good: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env\nDB_PASSWORD=vT4-mm2Lw-Q9\n--- .git/HEAD\nref: refs/heads/main\n--- .gitignore\n.env\n",
    more: &[],
    references: &["OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let beside = &context.project.beside;
    if !beside.in_git {
        return;
    }
    let sources = &context.project.sources;
    let ignores: Vec<_> = beside
        .git_ignores
        .iter()
        .filter_map(|(folder, id)| Some((folder, Ignore::of_git(&sources.get(*id)?.text))))
        .collect();
    for file in context.environment_files.iter().filter(|file| file.role != Role::Example) {
        let path = context.project.directory.join(&file.name);
        let out = ignores.iter().any(|(folder, ignore)| {
            path.strip_prefix(folder)
                .ok()
                .and_then(|path| path.to_str())
                .is_some_and(|path| ignore.excludes(path))
        });
        let holds = file.variables.iter().find(|variable| {
            let credential = is_credential_name(variable.name)
                && looks_like_credential(variable.value)
                && !variable.value.starts_with('$');
            credential || password_in_url(variable.value).is_some() || token_name(variable.value).is_some()
        });
        if let Some(variable) = holds.filter(|_| !out) {
            let message = format!("`{}` holds credentials, and nothing keeps it out of Git.", file.name);
            findings.report(Place::project(&[&file.name]), variable.name_span, message);
        }
    }
}
