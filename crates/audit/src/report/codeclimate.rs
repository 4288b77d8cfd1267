//! Code Climate's JSON, which GitLab shows as code quality beside the lines of a merge request.

use serde_json::{Value, json};

use super::{Report, place};
use crate::baseline::fingerprint;
use crate::{Group, Severity};

/// One JSON list; the format knows no suppressions, so what is waived or known is left out.
pub(super) fn render(report: &Report) -> String {
    let mut issues: Vec<Value> = Vec::new();
    for checked in &report.checked {
        let review = &checked.review;
        issues.extend(review.told_counted().map(|item| {
            let finding = &item.finding;
            json!({
                "type": "issue",
                "check_name": finding.rule.id,
                "description": finding.message,
                "content": { "body": format!("{}\n\n{}", finding.rule.why, finding.help) },
                "categories": [category(finding.rule.group)],
                "severity": severity(finding.severity),
                "fingerprint": fingerprint(&review.name, finding),
                "location": {
                    "path": place::path(&finding.span, &review.sources),
                    "lines": { "begin": finding.span.start.line, "end": finding.span.end.line },
                },
            })
        }));
    }
    for unchecked in &report.unchecked {
        issues.extend(unchecked.problems.iter().enumerate().map(|(at, problem)| {
            let span = problem.span.as_ref();
            let path =
                span.map_or_else(|| unchecked.name.clone(), |span| place::path(span, &unchecked.sources));
            let line = span.map_or(1, |span| span.start.line);
            json!({
                "type": "issue",
                "check_name": "not-checked",
                "description": problem.message,
                "categories": ["Bug Risk"],
                "severity": "blocker",
                "fingerprint": format!("not-checked/{}/{at}", unchecked.name),
                "location": { "path": path, "lines": { "begin": line, "end": line } },
            })
        }));
    }
    serde_json::to_string_pretty(&issues).expect("texts and numbers can always be written as JSON") + "\n"
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "blocker",
        Severity::High => "critical",
        Severity::Medium => "major",
        Severity::Low => "minor",
        Severity::Info => "info",
    }
}

fn category(group: Group) -> &'static str {
    match group {
        Group::Security | Group::Secrets | Group::Network | Group::Images | Group::Build => "Security",
        Group::Resources => "Performance",
        Group::Data | Group::Reliability | Group::Delivery => "Bug Risk",
    }
}
