//! What a rule is for: its page, the list of all, and the reference.

use crate::{ABSENT, COMPANY_RULES, Group, PROMISES, Promise, RULES, Rule};

/// The page of one rule or promise, as Markdown; `None` when there is none of that name.
pub fn explain(id: &str) -> Option<String> {
    let rule = every().find(|rule| rule.id == id).map(page);
    rule.or_else(|| PROMISES.iter().find(|promise| promise.id == id).map(promise_page))
}

/// All rules, those that need a policy and what joins others last.
fn every() -> impl Iterator<Item = &'static Rule> + Clone {
    RULES.iter().chain(COMPANY_RULES).chain([&ABSENT])
}

/// All rules, then all promises, one a line: name, severity and summary.
pub fn list() -> String {
    let rules = every().map(|rule| (rule.id, rule.severity, rule.summary));
    let promises = PROMISES.iter().map(|promise| (promise.id, promise.severity, promise.summary));
    let width = rules.clone().chain(promises.clone()).map(|(id, ..)| id.len()).max().unwrap_or(0);
    rules
        .chain(promises)
        .map(|(id, severity, summary)| format!("{id:width$}  {severity:8}  {summary}\n"))
        .collect()
}

/// The reference of all rules, as Markdown, by group.
pub fn reference_markdown() -> String {
    let mut text = String::from(
        "# Rules\n\nWhat `seaworthy check` looks for. Each page is also printed by `seaworthy explain RULE`.\n",
    );
    let mut groups: Vec<Group> = RULES.iter().map(|rule| rule.group).collect();
    groups.dedup();
    for group in groups {
        text.push_str(&format!("\n## {}\n", group.as_str()));
        for rule in every().filter(|rule| rule.group == group) {
            text.push('\n');
            text.push_str(&page(rule).replacen("# ", "### ", 1).replace("\n## ", "\n#### "));
        }
    }
    text.push_str("\n## promises\n\nWhat `seaworthy verify` holds against what really runs; each is named for what breaks it.\n");
    for promise in PROMISES {
        text.push('\n');
        text.push_str(&promise_page(promise).replacen("# ", "### ", 1).replace("\n## ", "\n#### "));
    }
    text
}

/// The files of an example: each begins with `--- name`. Without such a line it is one Compose file, or one Dockerfile
/// where it begins with `FROM`.
pub fn example_files(example: &str) -> Vec<(String, String)> {
    if !example.starts_with("--- ") {
        let is_dockerfile = example.starts_with("FROM") || example.starts_with("ARG");
        let name = if is_dockerfile { "Dockerfile" } else { "compose.yaml" };
        return vec![(name.to_owned(), example.to_owned())];
    }
    let mut files: Vec<(String, String)> = Vec::new();
    for line in example.split_inclusive('\n') {
        match (line.strip_prefix("--- "), files.last_mut()) {
            (Some(name), _) => files.push((name.trim().to_owned(), String::new())),
            (None, Some((_, text))) => text.push_str(line),
            (None, None) => {}
        }
    }
    files
}

fn promise_page(promise: &Promise) -> String {
    format!(
        "# {}\n\n{}. Severity {}, a promise that `seaworthy verify` looks at.\n\n## Why\n\n{}\n\n## What to do\n\n{}\n",
        promise.id,
        capitalized(promise.summary),
        promise.severity,
        promise.why,
        promise.fix,
    )
}

fn page(rule: &Rule) -> String {
    let mut text = format!(
        "# {}\n\n{}. Severity {}, group {}.\n\n## Why\n\n{}\n\n## What to do\n\n{}\n",
        rule.id,
        capitalized(rule.summary),
        rule.severity,
        rule.group.as_str(),
        rule.why,
        rule.fix,
    );
    for (title, example) in [("Flagged", rule.bad), ("Fine", rule.good)] {
        text.push_str(&format!("\n## {title}\n"));
        let files = example_files(example);
        for (name, content) in &files {
            let language = match name.as_str() {
                "Dockerfile" => "dockerfile",
                "compose.yaml" => "yaml",
                _ => "sh",
            };
            let named = if files.len() > 1 { format!("`{name}`:\n\n") } else { String::new() };
            text.push_str(&format!("\n{named}```{language}\n{}\n```\n", content.trim()));
        }
    }
    if !rule.references.is_empty() {
        text.push_str("\n## References\n\n");
        text.extend(rule.references.iter().map(|reference| format!("- {reference}\n")));
    }
    text
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
