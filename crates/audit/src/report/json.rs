//! The report for programs: JSON with a version number. It holds no line of any file.

use seaworthy_project::{Project, Sources, Span};
use serde::Serialize;

use crate::{Edit, EditValue, Finding, Findings, Fix, Severity};

/// The version of the form.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report<'findings> {
    version: u32,
    findings: Vec<Item<'findings>>,
    summary: Summary,
}

#[derive(Serialize)]
struct Summary {
    total: usize,
    critical: usize,
    high: usize,
    medium: usize,
    low: usize,
    info: usize,
}

#[derive(Serialize)]
struct Item<'finding> {
    id: String,
    rule: &'static str,
    group: &'static str,
    severity: &'static str,
    confidence: &'static str,
    service: Option<&'finding str>,
    key: String,
    place: PlaceItem,
    message: &'finding str,
    points: &'finding [&'static str],
    help: &'finding str,
    related: Vec<RelatedItem<'finding>>,
    fixes: Vec<FixItem<'finding>>,
    snippet: Option<&'finding str>,
    references: &'static [&'static str],
}

#[derive(Serialize)]
struct PlaceItem {
    path: String,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize)]
struct RelatedItem<'finding> {
    label: &'finding str,
    place: PlaceItem,
}

#[derive(Serialize)]
struct FixItem<'fix> {
    level: &'static str,
    point: Option<&'static str>,
    may_break: Option<&'fix str>,
    unproven: bool,
    edits: Vec<EditItem<'fix>>,
}

#[derive(Serialize)]
struct EditItem<'edit> {
    path: &'edit [String],
    action: &'static str,
    value: serde_json::Value,
}

/// The findings as one JSON document, with a line end.
pub fn json(findings: &Findings, project: &Project) -> String {
    let report = Report {
        version: VERSION,
        findings: findings.iter().map(|finding| item(finding, &project.sources)).collect(),
        summary: Summary {
            total: findings.len(),
            critical: findings.count(Severity::Critical),
            high: findings.count(Severity::High),
            medium: findings.count(Severity::Medium),
            low: findings.count(Severity::Low),
            info: findings.count(Severity::Info),
        },
    };
    let text =
        serde_json::to_string_pretty(&report).expect("texts and numbers can always be written as JSON");
    text + "\n"
}

fn item<'finding>(finding: &'finding Finding, sources: &Sources) -> Item<'finding> {
    Item {
        id: finding.identity(),
        rule: finding.rule.id,
        group: finding.rule.group.as_str(),
        severity: finding.severity.as_str(),
        confidence: finding.confidence.as_str(),
        service: finding.place.service.as_ref().map(|name| name.as_str()),
        key: finding.place.key(),
        place: place(&finding.span, sources),
        message: &finding.message,
        points: &finding.points,
        help: &finding.help,
        related: finding
            .related
            .iter()
            .map(|(span, label)| RelatedItem { label, place: place(span, sources) })
            .collect(),
        fixes: finding.fixes.iter().map(fix).collect(),
        snippet: finding.snippet.as_deref(),
        references: finding.rule.references,
    }
}

fn place(span: &Span, sources: &Sources) -> PlaceItem {
    PlaceItem {
        path: sources.get(span.file).map(|source| source.path.display().to_string()).unwrap_or_default(),
        line: span.start.line,
        column: span.start.column,
        end_line: span.end.line,
        end_column: span.end.column,
    }
}

fn fix(fix: &Fix) -> FixItem<'_> {
    FixItem {
        level: fix.level.as_str(),
        point: fix.point,
        may_break: fix.may_break.as_deref(),
        unproven: fix.unproven,
        edits: fix.edits.iter().map(edit).collect(),
    }
}

fn edit(edit: &Edit) -> EditItem<'_> {
    let (action, value) = match &edit.value {
        EditValue::Plain(text) | EditValue::Text(text) => ("set", text.as_str().into()),
        EditValue::List(items) => ("add", items.as_slice().into()),
        EditValue::Override(items) => ("override", items.as_slice().into()),
        EditValue::Reset => ("reset", serde_json::Value::Null),
    };
    EditItem { path: &edit.path, action, value }
}
