//! The report for programs: JSON with a version number. It holds no line of any file.

use seaworthy_project::{Sources, Span};
use serde::Serialize;

use super::{Checked, Report, Unchecked};
use crate::baseline::fingerprint;
use crate::review::Reviewed;
use crate::{Edit, EditValue, Fix, Severity, Waiver};

/// The version of the form.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'report> {
    version: u32,
    projects: Vec<ProjectItem<'report>>,
    unchecked: Vec<UncheckedItem<'report>>,
    findings: Vec<Item<'report>>,
    summary: Summary,
}

#[derive(Serialize)]
struct ProjectItem<'report> {
    name: &'report str,
    environment: &'report str,
    fails: bool,
    unused_waivers: Vec<WaiverItem<'report>>,
    gone_from_baseline: usize,
}

#[derive(Serialize)]
struct UncheckedItem<'report> {
    name: &'report str,
    problems: Vec<ProblemItem<'report>>,
}

#[derive(Serialize)]
struct ProblemItem<'report> {
    message: &'report str,
    place: Option<PlaceItem>,
    hint: Option<&'report str>,
}

/// How many findings count, and how many do not.
#[derive(Serialize, Default)]
struct Summary {
    total: usize,
    critical: usize,
    high: usize,
    medium: usize,
    low: usize,
    info: usize,
    waived: usize,
    known: usize,
    unchecked: usize,
}

#[derive(Serialize)]
struct Item<'finding> {
    id: String,
    fingerprint: String,
    project: &'finding str,
    rule: &'static str,
    group: &'static str,
    severity: &'static str,
    confidence: &'static str,
    standing: &'static str,
    waiver: Option<WaiverItem<'finding>>,
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
struct WaiverItem<'waiver> {
    rules: &'waiver [&'static str],
    origin: &'static str,
    reason: &'waiver str,
    until: Option<String>,
    place: PlaceItem,
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

/// One JSON document, with a line end.
pub(super) fn render(report: &Report) -> String {
    let document = Document {
        version: VERSION,
        projects: report.checked.iter().map(project).collect(),
        unchecked: report.unchecked.iter().map(unchecked).collect(),
        findings: report
            .checked
            .iter()
            .flat_map(|checked| checked.review.items.iter().map(move |reviewed| item(checked, reviewed)))
            .collect(),
        summary: summary(report),
    };
    let text =
        serde_json::to_string_pretty(&document).expect("texts and numbers can always be written as JSON");
    text + "\n"
}

fn summary(report: &Report) -> Summary {
    let of = |severity: Severity| report.checked.iter().map(|checked| checked.review.count(severity)).sum();
    let standing = |name: &str| {
        let items = report.checked.iter().flat_map(|checked| &checked.review.items);
        items.filter(|item| item.standing.as_str() == name).count()
    };
    Summary {
        total: report.checked.iter().map(|checked| checked.review.counted().count()).sum(),
        critical: of(Severity::Critical),
        high: of(Severity::High),
        medium: of(Severity::Medium),
        low: of(Severity::Low),
        info: of(Severity::Info),
        waived: standing("waived"),
        known: standing("known"),
        unchecked: report.unchecked.len(),
    }
}

fn project(checked: &Checked) -> ProjectItem<'_> {
    let review = &checked.review;
    ProjectItem {
        name: &review.name,
        environment: &review.environment,
        fails: review.fails(checked.threshold),
        unused_waivers: review.unused.iter().map(|unused| waiver(unused, &review.sources)).collect(),
        gone_from_baseline: review.gone,
    }
}

fn unchecked(unchecked: &Unchecked) -> UncheckedItem<'_> {
    let problems = unchecked.problems.iter().map(|problem| ProblemItem {
        message: &problem.message,
        place: problem.span.as_ref().map(|span| place(span, &unchecked.sources)),
        hint: problem.hint.as_deref(),
    });
    UncheckedItem { name: &unchecked.name, problems: problems.collect() }
}

fn item<'report>(checked: &'report Checked, reviewed: &'report Reviewed) -> Item<'report> {
    let (finding, sources) = (&reviewed.finding, &checked.review.sources);
    Item {
        id: finding.identity(),
        fingerprint: fingerprint(&checked.review.name, finding),
        project: &checked.review.name,
        rule: finding.rule.id,
        group: finding.rule.group.as_str(),
        severity: finding.severity.as_str(),
        confidence: finding.confidence.as_str(),
        standing: reviewed.standing.as_str(),
        waiver: reviewed.standing.waiver().map(|found| waiver(found, sources)),
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

fn waiver<'waiver>(waiver: &'waiver Waiver, sources: &Sources) -> WaiverItem<'waiver> {
    WaiverItem {
        rules: &waiver.rules,
        origin: waiver.origin.as_str(),
        reason: &waiver.reason,
        until: waiver.until.map(|until| until.to_string()),
        place: place(&waiver.span, sources),
    }
}

fn place(span: &Span, sources: &Sources) -> PlaceItem {
    PlaceItem {
        path: super::place::path(span, sources),
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
