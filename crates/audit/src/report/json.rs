//! The report for programs: JSON with a version number. It holds no line of any file.

use seaworthy_project::{Sources, Span};
use serde::Serialize;

use super::{Checked, Report, Unchecked};
use crate::baseline::fingerprint;
use crate::review::{ABSENT, Reviewed};
use crate::{Edit, EditValue, Fix, Severity, Waiver};

/// The version of the form.
const VERSION: u32 = 1;
/// From how many projects on their findings are written side by side; fewer are written sooner than threads begin.
const MANY: usize = 64;

/// What stands before the findings.
#[derive(Serialize)]
struct Head<'report> {
    version: u32,
    projects: Vec<ProjectItem<'report>>,
    unchecked: Vec<UncheckedItem<'report>>,
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
    /// The same with what is merely absent as one.
    told: usize,
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
    /// What it is told as a part of, where reports for people join it with others.
    within: Option<&'static str>,
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
    let head = Head {
        version: VERSION,
        projects: report.checked.iter().map(project).collect(),
        unchecked: report.unchecked.iter().map(unchecked).collect(),
    };
    let mut text = written(&head, "");
    // The head's closing brace comes last.
    text.truncate(text.len() - "\n}".len());
    let findings = findings(&report.checked);
    text.push_str(",\n  \"findings\": [");
    for (at, finding) in findings.iter().enumerate() {
        text.push_str(if at == 0 { "\n    " } else { ",\n    " });
        text.push_str(finding);
    }
    text.push_str(if findings.is_empty() { "]" } else { "\n  ]" });
    text.push_str(",\n  \"summary\": ");
    text.push_str(&written(&summary(report), "  "));
    text + "\n}\n"
}

/// A value as JSON; all lines but the first begin with `indent`. A line end inside a text is escaped, so each is one of form.
fn written(value: &impl Serialize, indent: &str) -> String {
    let text = serde_json::to_string_pretty(value).expect("texts and numbers can always be written as JSON");
    if indent.is_empty() { text } else { text.replace('\n', &format!("\n{indent}")) }
}

/// Each finding as it stands in the list. Many projects are written on as many threads as there are processors.
fn findings(checked: &[Checked]) -> Vec<String> {
    let of = |part: &[Checked]| -> Vec<String> {
        part.iter().flat_map(|checked| items(checked).map(|item| written(&item, "    "))).collect()
    };
    if checked.len() < MANY {
        return of(checked);
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let parts = checked.chunks(checked.len().div_ceil(threads));
        let running: Vec<_> = parts.map(|part| scope.spawn(move || of(part))).collect();
        let done = running.into_iter().map(|part| part.join().expect("writing JSON does not fail"));
        done.flatten().collect()
    })
}

fn summary(report: &Report) -> Summary {
    let of = |severity: Severity| {
        let all = report.checked.iter().flat_map(|checked| checked.review.counted());
        all.filter(|finding| finding.severity == severity).count()
    };
    let standing = |name: &str| {
        let items = report.checked.iter().flat_map(|checked| &checked.review.items);
        items.filter(|item| item.standing.as_str() == name).count()
    };
    Summary {
        total: report.checked.iter().map(|checked| checked.review.counted().count()).sum(),
        told: report.checked.iter().map(|checked| checked.review.told_counted().count()).sum(),
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

fn items(checked: &Checked) -> impl Iterator<Item = Item<'_>> {
    let joined = checked.review.absent().is_some();
    let within = move |reviewed: &Reviewed| (joined && reviewed.is_absence()).then_some(ABSENT.id);
    checked.review.items.iter().map(move |reviewed| item(checked, reviewed, within(reviewed)))
}

fn item<'report>(
    checked: &'report Checked,
    reviewed: &'report Reviewed,
    within: Option<&'static str>,
) -> Item<'report> {
    let (finding, sources) = (&reviewed.finding, &checked.review.sources);
    Item {
        id: finding.identity(),
        fingerprint: fingerprint(&checked.review.name, finding),
        project: &checked.review.name,
        rule: finding.rule.id,
        group: finding.rule.group.as_str(),
        within,
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
