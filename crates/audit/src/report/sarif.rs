//! SARIF 2.1.0: results with rules, places, fingerprints, fixes as replacements, and suppressions.

mod fixes;

use std::path::Path;

use seaworthy_project::{Sources, Span};
use serde_json::{Map, Value, json};

use super::{Checked, Report, Unchecked, place};
use crate::baseline::fingerprint;
use crate::review::{ABSENT, Reviewed, Standing};
use crate::waiver::Origin;
use crate::{COMPANY_RULES, RULES, Rule, Severity};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The name of our fingerprint. The number rises when what goes into it changes.
const FINGERPRINT: &str = "seaworthyIdentity/v1";

/// One run over all projects.
pub(super) fn render(report: &Report, version: &str) -> String {
    let results: Vec<Value> = report
        .checked
        .iter()
        .flat_map(|checked| checked.review.told().into_iter().map(move |item| result(checked, &item)))
        .collect();
    let notifications: Vec<Value> = report.unchecked.iter().flat_map(notifications).collect();
    let rules: Vec<Value> = all_rules().map(rule).collect();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "seaworthy",
                "semanticVersion": version,
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { "SRCROOT": { "description": { "text": "The folder in which the check was run." } } },
            "invocations": [{
                "executionSuccessful": report.unchecked.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&document).expect("texts and numbers can always be written as JSON") + "\n"
}

fn all_rules() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().chain(COMPANY_RULES).chain([&ABSENT])
}

fn rule(rule: &Rule) -> Value {
    let text = format!("{}\n\n{}", rule.why, rule.fix);
    json!({
        "id": rule.id,
        "name": pascal(rule.id),
        "shortDescription": { "text": sentence(rule.summary) },
        "fullDescription": { "text": rule.why },
        "help": { "text": text, "markdown": text },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": {
            "tags": tags(rule),
            "security-severity": score(rule.severity),
        },
    })
}

/// `missing-limits` as `MissingLimits`, which viewers show as a title.
fn pascal(id: &str) -> String {
    id.split('-')
        .flat_map(|part| {
            let mut chars = part.chars();
            chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars)
        })
        .collect()
}

fn sentence(summary: &str) -> String {
    let mut chars = summary.chars();
    let first: String = chars.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

fn tags(rule: &Rule) -> Vec<&'static str> {
    std::iter::once(rule.group.as_str()).chain(rule.references.iter().copied()).collect()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// What code hosts read as severity, from 0 to 10.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "1.0",
    }
}

fn result(checked: &Checked, item: &Reviewed) -> Value {
    let (finding, review) = (&item.finding, &checked.review);
    let sources = &review.sources;
    let mut location = physical(&finding.span, sources);
    let mut logical = finding.place.key();
    if logical.is_empty() {
        logical.push_str("project");
    }
    location["logicalLocations"] = json!([{ "fullyQualifiedName": logical }]);
    let related: Vec<Value> = finding
        .related
        .iter()
        .enumerate()
        .map(|(at, (span, label))| {
            let mut place = physical(span, sources);
            place["id"] = json!(at + 1);
            place["message"] = json!({ "text": label });
            place
        })
        .collect();
    let mut result = json!({
        "ruleId": finding.rule.id,
        "ruleIndex": all_rules().position(|rule| rule == finding.rule).unwrap_or_default(),
        "level": level(finding.severity),
        "message": { "text": format!("{} {}", finding.message, finding.help) },
        "locations": [location],
        "partialFingerprints": { FINGERPRINT: fingerprint(&review.name, finding) },
        "properties": {
            "severity": finding.severity.as_str(),
            "confidence": finding.confidence.as_str(),
            "security-severity": score(finding.severity),
        },
    });
    let fields = result.as_object_mut().expect("it was made as an object");
    put(fields, "relatedLocations", related);
    put(fields, "suppressions", suppressions(item, sources));
    put(
        fields,
        "fixes",
        checked.overlay.as_ref().map(|overlay| fixes::fixes(finding, overlay)).unwrap_or_default(),
    );
    result
}

fn put(fields: &mut Map<String, Value>, key: &str, values: Vec<Value>) {
    if !values.is_empty() {
        fields.insert(key.to_owned(), values.into());
    }
}

/// Why a result does not count. A waiver whose day is over is under review again.
fn suppressions(item: &Reviewed, sources: &Sources) -> Vec<Value> {
    let of = |waiver: &crate::Waiver, status: &str| {
        let kind = if waiver.origin == Origin::Policy { "external" } else { "inSource" };
        let until = waiver.until.map(|until| format!(" (until {until})")).unwrap_or_default();
        json!({
            "kind": kind,
            "status": status,
            "justification": format!("{}{until}", waiver.reason),
            "location": physical(&waiver.span, sources),
        })
    };
    match &item.standing {
        Standing::Open => Vec::new(),
        Standing::Waived(waiver) => vec![of(waiver, "accepted")],
        Standing::Expired(waiver) => vec![of(waiver, "rejected")],
        Standing::Known => {
            vec![
                json!({ "kind": "external", "status": "accepted", "justification": "Known: it is in the baseline." }),
            ]
        }
    }
}

fn physical(span: &Span, sources: &Sources) -> Value {
    let path = sources.get(span.file).map(|source| source.path.as_path()).unwrap_or(Path::new("-"));
    let mut region = json!({ "startLine": span.start.line, "startColumn": span.start.column });
    // An end that is no further than the start would be an empty region.
    if (span.end.line, span.end.column) > (span.start.line, span.start.column) {
        region["endLine"] = json!(span.end.line);
        region["endColumn"] = json!(span.end.column);
    }
    json!({ "physicalLocation": { "artifactLocation": artifact(path), "region": region } })
}

fn artifact(path: &Path) -> Value {
    let uri = place::uri(path);
    if path.is_absolute() { json!({ "uri": uri }) } else { json!({ "uri": uri, "uriBaseId": "SRCROOT" }) }
}

fn notifications(unchecked: &Unchecked) -> Vec<Value> {
    let of = |problem: &seaworthy_project::Problem| {
        let mut notification = json!({
            "level": "error",
            "message": { "text": format!("{}: {}", unchecked.name, problem.message) },
        });
        if let Some(span) = &problem.span {
            notification["locations"] = json!([physical(span, &unchecked.sources)]);
        }
        notification
    };
    unchecked.problems.iter().map(of).collect()
}
