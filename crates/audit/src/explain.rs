//! What a rule is for: its page, the list of all, and the reference.

use crate::{ABSENT, COMPANY_RULES, Group, PROMISES, Promise, RULES, Rule, Severity};

/// The page of one rule or promise, as Markdown; `None` when there is none of that name.
pub fn explain(id: &str) -> Option<String> {
    let rule = every().find(|rule| rule.id == id).map(page);
    rule.or_else(|| PROMISES.iter().find(|promise| promise.id == id).map(promise_page))
}

/// All rules, those that need a policy and what joins others last.
fn every() -> impl Iterator<Item = &'static Rule> + Clone {
    RULES.iter().chain(COMPANY_RULES).chain([&ABSENT])
}

/// All rules, then all promises, one a line: name, what severities it can have, and summary.
pub fn list() -> String {
    let of_rule = |rule: &Rule| (rule.id, joined(&rule.severities(), "/"), rule.summary);
    let of_promise = |promise: &Promise| (promise.id, promise.severity.to_string(), promise.summary);
    let lines: Vec<_> = every().map(of_rule).chain(PROMISES.iter().map(of_promise)).collect();
    let width = lines.iter().map(|(id, ..)| id.len()).max().unwrap_or(0);
    let column = lines.iter().map(|(_, severities, _)| severities.len()).max().unwrap_or(0);
    let line = |(id, severities, summary)| format!("{id:width$}  {severities:column$}  {summary}\n");
    lines.into_iter().map(line).collect()
}

fn joined(severities: &[Severity], by: &str) -> String {
    severities.iter().map(|severity| severity.as_str()).collect::<Vec<_>>().join(by)
}

/// The reference of all rules, as Markdown, by group.
pub fn reference_markdown() -> String {
    let mut text = String::from(
        "# Rules\n\nWhat `seaworthy check` looks for. Each page is also printed by `seaworthy explain RULE`.\n\n\
         Severities go by an attacker who can reach a published port, and by a rootful engine at its defaults. Where a page \
         names several, it says what decides.\n",
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
        "# {}\n\n{}. Severity {}, group {}.\n",
        rule.id,
        capitalized(rule.summary),
        joined(&rule.severities(), " or "),
        rule.group.as_str(),
    );
    if !rule.grades.is_empty() {
        text.push_str(&grades(rule));
    }
    text.push_str(&format!("\n## Why\n\n{}\n\n## What to do\n\n{}\n", rule.why, rule.fix));
    for (title, files) in [("Flagged", rule.bad), ("Fine", rule.good)] {
        text.push_str(&format!("\n## {title}\n{}", example(files)));
    }
    for more in rule.more {
        text.push_str(&format!("\n## Also flagged: {}\n{}", more.of, example(more.bad)));
        text.push_str(&format!("\nFine is:\n{}", example(more.good)));
    }
    if !rule.references.is_empty() {
        text.push_str("\n## References\n\n");
        text.extend(rule.references.iter().map(|reference| format!("- {reference}\n")));
    }
    text
}

/// What decides how much it matters, worst first.
fn grades(rule: &Rule) -> String {
    let mut cases: Vec<(Severity, &str)> =
        rule.grades.iter().map(|grade| (grade.severity, grade.when)).collect();
    cases.push((rule.severity, "otherwise"));
    cases.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    let lines = cases.iter().map(|(severity, when)| format!("- {severity} {when}\n"));
    format!("\n## Severity\n\n{}", lines.collect::<String>())
}

/// An example as it is printed: each of its files as a block.
fn example(text: &str) -> String {
    let files = example_files(text);
    let block = |(name, content): &(String, String)| {
        let language = match name.as_str() {
            "Dockerfile" => "dockerfile",
            "compose.yaml" => "yaml",
            _ => "sh",
        };
        let named = if files.len() > 1 { format!("`{name}`:\n\n") } else { String::new() };
        format!("\n{named}```{language}\n{}\n```\n", content.trim())
    };
    files.iter().map(block).collect()
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
