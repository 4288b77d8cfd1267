//! The report for people: by service, worst first, each finding with its source line.

use annotate_snippets::Level;
use seaworthy_project::{Project, ServiceName};

use super::snippet::{Message, Shown, printable};
use crate::{Confidence, Finding, Findings, Severity};

/// The report: a section for each service, a summary, and what to type next. Nothing is told by colour alone.
pub fn text(findings: &Findings, project: &Project, color: bool) -> String {
    let shown = Shown::new(&project.sources);
    let mut text = String::new();
    let sections = project.services.keys().map(Some).chain([None]);
    for section in sections {
        let of: Vec<&Finding> =
            findings.iter().filter(|finding| finding.place.service.as_ref() == section).collect();
        if of.is_empty() {
            continue;
        }
        text.push_str(&heading(section, color));
        for finding in of {
            text.push_str(&shown.render(&message(finding), color));
            text.push_str("\n\n");
        }
    }
    text.push_str(&summary(findings));
    text.push_str(&next(findings));
    text
}

fn heading(service: Option<&ServiceName>, color: bool) -> String {
    let title = service.map_or("project".to_owned(), |name| format!("service {name}"));
    let title = printable(&title);
    if color { format!("\u{1b}[1m== {title} ==\u{1b}[0m\n\n") } else { format!("== {title} ==\n\n") }
}

fn message(finding: &Finding) -> Message<'_> {
    let level = match finding.severity {
        Severity::Critical | Severity::High => Level::ERROR,
        Severity::Medium => Level::WARNING,
        Severity::Low => Level::NOTE,
        Severity::Info => Level::INFO,
    };
    let mut footer = Vec::new();
    if finding.confidence < Confidence::Certain {
        footer.push((Level::NOTE, format!("this is {}, not certain", finding.confidence.as_str())));
    }
    footer.push((Level::HELP.with_name("fix"), format!("{}{}", finding.help, how(finding))));
    Message {
        level: level.with_name(finding.severity.as_str()),
        id: Some(finding.rule.id),
        title: finding.message.clone(),
        span: Some(finding.span),
        related: &finding.related,
        footer,
    }
}

/// Which command makes the fix, when one does.
fn how(finding: &Finding) -> &'static str {
    let within = |fix: &&crate::Fix| fix.level <= crate::Level::NeedsImageKnowledge;
    let possible = finding.fixes.iter().filter(within).count();
    match (possible, finding.fixes.len(), finding.points.len()) {
        (0, 0, _) => "",
        (0, _, 0 | 1) => " (`seaworthy harden --all` does)",
        (0, _, _) => " (`seaworthy harden --all` does what can be done without you)",
        (possible, _, points) if possible < points => " (`seaworthy harden` does part of it)",
        _ => " (`seaworthy harden` does)",
    }
}

/// One line: how many findings of each severity.
pub(super) fn summary(findings: &Findings) -> String {
    if findings.is_empty() {
        return "Nothing found: fit for production as far as these files show.\n".to_owned();
    }
    let counts: Vec<String> = Severity::ALL
        .into_iter()
        .map(|severity| (findings.count(severity), severity))
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| format!("{count} {severity}"))
        .collect();
    let noun = if findings.len() == 1 { "finding" } else { "findings" };
    format!("{} {noun}: {}.\n", findings.len(), counts.join(", "))
}

fn next(findings: &Findings) -> String {
    let Some(first) = findings.iter().next() else { return String::new() };
    let fixable = findings.iter().any(|finding| !finding.fixes.is_empty());
    let harden = if fixable { "`seaworthy harden --dry-run` shows what can be fixed; " } else { "" };
    format!("Next: {harden}`seaworthy explain {}` says why it matters.\n", first.rule.id)
}
