//! The report for people: by service, worst first, each finding with its source line and each service with its patch.

use std::cmp::Reverse;

use annotate_snippets::Level;
use seaworthy_project::ServiceName;

use super::place::counted;
use super::snippet::{Message, Shown, printable};
use super::{Checked, Report, Unchecked, absent, compliance};
use crate::review::{Reviewed, Standing};
use crate::{Confidence, Edit, Finding, Review, Severity, overlay};

/// A project or service, and what was found about it.
type Section<'review> = (Option<&'review ServiceName>, Vec<(&'review Finding, &'review Standing)>);

/// The report: a section for each service, a summary, and what to type next. Nothing is told by colour alone.
pub(super) fn render(report: &Report, color: bool) -> String {
    if let Some(standard) = report.by {
        return compliance::text(report, standard);
    }
    let mut text = String::new();
    let missed = report.unchecked.iter().filter(|unchecked| !unchecked.partly).count();
    let many = report.checked.len() + missed > 1;
    for checked in &report.checked {
        if many && !is_quiet(&checked.review) {
            text.push_str(&format!("{}\n\n", strong(&format!("=== {} ===", checked.review.name), color)));
        }
        project(checked, color, &mut text);
        if !many || !is_quiet(&checked.review) {
            text.push_str(&summary(&checked.review));
            folded(&checked.review, &mut text);
            text.push_str(if many { "\n" } else { "" });
        }
    }
    text.push_str(&match report.checked.as_slice() {
        [one] if !many => not_checked(report) + &next(&one.review),
        _ => total(report),
    });
    text
}

/// Whether there is nothing to say about a project among others.
fn is_quiet(review: &Review) -> bool {
    review.items.is_empty() && review.unused.is_empty() && review.gone == 0
}

fn project(checked: &Checked, color: bool, text: &mut String) {
    let review = &checked.review;
    let shown = Shown::new(&review.sources);
    for (service, findings) in sections(review) {
        let title = service.map_or("project".to_owned(), |name| format!("service {name}"));
        text.push_str(&format!("{}\n\n", strong(&format!("== {} ==", printable(&title)), color)));
        let (loud, quiet): (Vec<_>, Vec<_>) =
            findings.iter().partition(|(finding, _)| finding.severity > Severity::Low);
        for (finding, standing) in loud {
            text.push_str(&shown.render(&message(finding, standing), color));
            text.push_str("\n\n");
        }
        hygiene(&quiet, review, text);
        text.push_str(&patch(checked, findings.iter().map(|(finding, _)| *finding)));
    }
    if let Some(absent) = review.absent() {
        text.push_str(&format!("{}\n\n", strong("== what is not there ==", color)));
        text.push_str(&absent::lines(&absent, review));
        text.push_str(&patch(checked, std::iter::once(&absent.whole.finding)));
    }
}

/// What is only hygiene: one line each, so that it does not bury the rest.
fn hygiene(findings: &[(&Finding, &Standing)], review: &Review, text: &mut String) {
    for (finding, standing) in findings {
        let place = review.sources.place(&finding.span);
        let ended = ended(standing).map_or(String::new(), |ended| format!(" ({ended})"));
        let line = format!("{}[{}]: {place}: {}{ended}", finding.severity, finding.rule.id, finding.message);
        text.push_str(&format!("{}\n", printable(&line).replace('\n', " ")));
    }
    if !findings.is_empty() {
        text.push('\n');
    }
}

fn strong(text: &str, color: bool) -> String {
    if color { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// What counts and is told by itself, by service: the one with the worst finding first, what is about the project last
/// among equals.
fn sections(review: &Review) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> =
        review.services.iter().map(Some).chain([None]).map(|service| (service, Vec::new())).collect();
    let joined = review.absent().is_some();
    let alone = |item: &&Reviewed| item.counts() && !(joined && item.is_absence());
    for item in review.items.iter().filter(alone) {
        let service = item.finding.place.service.as_ref();
        let at = sections.iter().position(|(section, _)| *section == service).unwrap_or(sections.len() - 1);
        sections[at].1.push((&item.finding, &item.standing));
    }
    sections.retain(|(_, findings)| !findings.is_empty());
    sections.sort_by_key(|(_, findings)| Reverse(findings.first().map(|(finding, _)| finding.severity)));
    sections
}

fn message<'finding>(finding: &'finding Finding, standing: &Standing) -> Message<'finding> {
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
    footer.extend(ended(standing).map(|ended| (Level::NOTE, ended)));
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

/// Whose waiver is over, and since when.
fn ended(standing: &Standing) -> Option<String> {
    let Standing::Expired(waiver) = standing else { return None };
    waiver.until.map(|until| format!("its waiver ended on {until}: {}", waiver.reason))
}

/// Which command makes the fix, when one does.
fn how(finding: &Finding) -> &'static str {
    let possible = finding.fixes.iter().filter(|fix| is_ready(fix)).count();
    match (possible, finding.fixes.len(), finding.points.len()) {
        (0, 0, _) => "",
        (0, _, 0 | 1) => " (`seaworthy harden --all` does)",
        (0, _, _) => " (`seaworthy harden --all` does what can be done without you)",
        (possible, _, points) if possible < points => " (`seaworthy harden` does part of it)",
        _ => " (`seaworthy harden` does)",
    }
}

/// Whether `harden` makes a fix unasked.
fn is_ready(fix: &crate::Fix) -> bool {
    fix.level <= crate::Level::NeedsImageKnowledge
}

/// What `harden` would write for these findings, to read or to paste.
pub(super) fn ready<'finding>(findings: impl Iterator<Item = &'finding Finding>) -> Option<String> {
    let fixes = findings.flat_map(|finding| &finding.fixes).filter(|fix| is_ready(fix));
    let edits: Vec<Edit> = fixes.flat_map(|fix| fix.edits.iter().cloned()).collect();
    (!edits.is_empty()).then(|| overlay::snippet(&edits))
}

fn patch<'finding>(checked: &Checked, findings: impl Iterator<Item = &'finding Finding>) -> String {
    let Some(snippet) = ready(findings) else { return String::new() };
    let file = checked.overlay.as_ref().map_or_else(
        || "an overlay".to_owned(),
        |overlay| format!("`{}`", printable(&overlay.path.display().to_string())),
    );
    let lines: String = snippet.lines().map(|line| format!("    {}\n", printable(line))).collect();
    format!("patch for {file}, which `seaworthy harden` makes:\n\n{lines}\n")
}

/// One line: how many findings of each severity count.
pub(super) fn summary(review: &Review) -> String {
    if review.items.is_empty() {
        return "Nothing found: fit for production as far as these files show.\n".to_owned();
    }
    let counts: Vec<(usize, Severity)> =
        Severity::ALL.into_iter().map(|severity| (review.count(severity), severity)).collect();
    let total = counts.iter().map(|(count, _)| count).sum();
    if total == 0 {
        return "Nothing is left open: all that was found is waived or known.\n".to_owned();
    }
    let shown: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| format!("{count} {severity}"))
        .collect();
    format!("{}: {}.\n", counted(total, "finding"), shown.join(", "))
}

/// One line for each thing that does not count, or was not needed.
fn folded(review: &Review, text: &mut String) {
    let mut known = 0;
    for item in &review.items {
        match &item.standing {
            Standing::Waived(waiver) => {
                let until = waiver.until.map(|until| format!(", until {until}")).unwrap_or_default();
                let line = format!(
                    "  waived: {} {} at {} ({}: {}{until})\n",
                    item.finding.severity,
                    item.finding.rule.id,
                    review.sources.place(&item.finding.span),
                    waiver.origin.as_str(),
                    waiver.reason,
                );
                text.push_str(&printable(&line));
            }
            Standing::Known => known += 1,
            Standing::Open | Standing::Expired(_) => {}
        }
    }
    if known > 0 {
        text.push_str(&format!("  known: {} of the baseline\n", counted(known, "finding")));
    }
    if review.gone > 0 {
        let gone = counted(review.gone, "finding");
        text.push_str(&format!("  gone: {gone} of the baseline; write it anew with `--write-baseline`\n"));
    }
    for waiver in &review.unused {
        let line = format!(
            "  unused: the waiver of {} at {} waives nothing; remove it\n",
            waiver.rules.join(", "),
            review.sources.place(&waiver.span)
        );
        text.push_str(&printable(&line));
    }
}

fn next(review: &Review) -> String {
    let Some(first) = review.told_counted().next() else { return String::new() };
    let fixable = review.counted().any(|finding| !finding.fixes.is_empty());
    let harden = if fixable { "`seaworthy harden --dry-run` shows what can be fixed; " } else { "" };
    format!("Next: {harden}`seaworthy explain {}` says why it matters.\n", first.finding.rule.id)
}

/// A line for each thing that could not be checked.
fn not_checked(report: &Report) -> String {
    let line = |unchecked: &Unchecked| {
        let reason = unchecked.problems.first().map_or("", |problem| problem.message.as_str());
        printable(&format!("not checked: {}: {reason}\n", unchecked.name))
    };
    report.unchecked.iter().map(line).collect()
}

/// The last lines of a run over several projects.
fn total(report: &Report) -> String {
    let text = not_checked(report);
    let of = |severity: Severity| {
        report.checked.iter().map(|checked| checked.review.count(severity)).sum::<usize>()
    };
    let counts: Vec<String> = Severity::ALL
        .into_iter()
        .map(|severity| (of(severity), severity))
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| format!("{count} {severity}"))
        .collect();
    let projects = counted(report.checked.len(), "project");
    let found = if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") };
    let missed = match report.unchecked.len() {
        0 => String::new(),
        count => format!("; {count} could not be checked"),
    };
    format!("{text}{projects} checked: {found}{missed}.\n")
}
