//! The page that tells people which variables there are.

use seaworthy_project::Project;
use seaworthy_project::model::resource::FileResourceSource;

use super::Variable;

const HEAD: &str = "| variable | kind | needed | when not set | used by | about |";
const RULE: &str = "| --- | --- | --- | --- | --- | --- |";

/// The page with every variable; what is there stays as it is.
pub(super) fn write(old: Option<&str>, variables: &[Variable], plain: &Project) -> String {
    let old = old.unwrap_or_default();
    let newline = if old.contains("\r\n") { "\r\n" } else { "\n" };
    let is_there = |variable: &&Variable| old.contains(&format!("`{}`", variable.name));
    let rows: Vec<String> = variables.iter().filter(|variable| !is_there(variable)).map(row).collect();
    if old.is_empty() {
        return begin(&rows, plain);
    }
    if rows.is_empty() {
        return old.to_owned();
    }
    let lines: Vec<&str> = old.split_inclusive('\n').collect();
    let mut added = rows.join(newline);
    added.push_str(newline);
    // Behind the last row of the table of variables, else at the end.
    let head = lines.iter().position(|line| line.starts_with("| variable |"));
    let after = head.map(|head| head + lines[head..].iter().take_while(|line| line.starts_with('|')).count());
    match after {
        Some(after) => {
            let (before, rest) = (lines[..after].concat(), lines[after..].concat());
            let gap = if before.ends_with('\n') { "" } else { newline };
            format!("{before}{gap}{added}{rest}")
        }
        None => {
            let gap = if old.ends_with('\n') { "" } else { newline };
            format!("{old}{gap}{newline}{HEAD}{newline}{RULE}{newline}{added}")
        }
    }
}

fn begin(rows: &[String], plain: &Project) -> String {
    let environment = plain.environment.as_str();
    let mut text = format!(
        "# Environment\n\nWhat this project takes from its environment. Copy `.env.{environment}.template` to \
         `.env.{environment}`, fill it in, and keep that file out of Git.\n`.env` is what development uses; it counts in \
         {environment} too where `.env.{environment}` says nothing.\n\n## Variables\n\n"
    );
    match rows {
        [] => text.push_str("The Compose files use none.\n"),
        rows => text.push_str(&format!("{HEAD}\n{RULE}\n{}\n", rows.join("\n"))),
    }
    let files: Vec<String> = plain
        .secrets
        .iter()
        .filter_map(|(name, secret)| match &secret.source {
            FileResourceSource::File(file) => {
                let path = std::path::Path::new(&file.value);
                let shown = path.strip_prefix(&plain.directory).unwrap_or(path);
                Some(format!("| `{name}` | `{}` |", shown.display()))
            }
            _ => None,
        })
        .collect();
    if !files.is_empty() {
        let head = "| secret | file |\n| --- | --- |";
        text.push_str(&format!(
            "\n## Secrets from files\n\nEach file holds one secret, is readable by its owner alone and is not in Git.\n\n\
             {head}\n{}\n",
            files.join("\n")
        ));
    }
    text
}

fn row(variable: &Variable) -> String {
    let needed = match (variable.is_to_fill_in(), variable.required) {
        (true, _) => "yes".to_owned(),
        (false, true) => format!("{} gives it", code(variable.given_by.as_deref().unwrap_or(".env"))),
        (false, false) => "no".to_owned(),
    };
    let unset =
        variable.sample.as_deref().filter(|_| !variable.is_to_fill_in()).map(code).unwrap_or_default();
    let about = cell(variable.about.as_deref().unwrap_or_default());
    let users = cell(&variable.used_by.join(", "));
    format!("| `{}` | {} | {needed} | {unset} | {users} | {about} |", variable.name, variable.kind)
}

fn code(text: &str) -> String {
    format!("`{}`", cell(text).replace('`', "'"))
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
