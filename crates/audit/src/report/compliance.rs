//! What was found by the items of a public standard: passed, failed, waived, or not checkable from files.

mod items;

use super::html::{escaped, prose};
use super::place::counted;
use super::{Report, markdown};
use crate::review::{Reviewed, Standing};
use crate::{COMPANY_RULES, Finding, RULES, Review, Rule};

/// A public standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standard {
    /// The CIS Docker Benchmark 1.6, sections 4 (images) and 5 (containers).
    Cis,
    /// The OWASP Docker Security Cheat Sheet.
    Owasp,
}

/// One item of a standard, in our own words.
struct Item {
    number: &'static str,
    title: &'static str,
    /// Whether it holds when nothing is found: the rest of it may lie outside all files.
    is_whole: bool,
}

/// How a project stands on one item.
struct Verdict<'review> {
    item: &'static Item,
    state: State,
    rules: Vec<&'static Rule>,
    findings: Vec<&'review Reviewed>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Passed,
    Failed,
    Waived,
    Unseen,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Waived => "waived",
            Self::Unseen => "not checkable statically",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Waived => "waived-item",
            Self::Unseen => "unseen",
        }
    }
}

impl Standard {
    fn title(self) -> &'static str {
        match self {
            Self::Cis => "CIS Docker Benchmark 1.6, sections 4 and 5",
            Self::Owasp => "OWASP Docker Security Cheat Sheet",
        }
    }

    fn items(self) -> &'static [Item] {
        match self {
            Self::Cis => items::CIS,
            Self::Owasp => items::OWASP,
        }
    }

    /// The items that a reference names: `CIS Docker 1.6, 4.1, 5.4` or `OWASP …, rules 2, 3`.
    fn numbers(self, reference: &str) -> Vec<&str> {
        let rest = match self {
            Self::Cis => reference.strip_prefix("CIS Docker 1.6,"),
            Self::Owasp => reference.strip_prefix("OWASP Docker Security Cheat Sheet, rule"),
        };
        let words = rest.unwrap_or_default().trim_start_matches('s').split([',', ' ']);
        words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).collect()
    }

    fn is_about(self, rule: &Rule, item: &Item) -> bool {
        rule.references.iter().any(|reference| self.numbers(reference).contains(&item.number))
    }
}

/// Whether a finding speaks against an item: one that groups several points only for the points it has.
fn speaks_against(finding: &Finding, standard: Standard, item: &Item) -> bool {
    if !standard.is_about(finding.rule, item) {
        return false;
    }
    let parts = items::parts(finding.rule.id, standard);
    let Some(parts) = parts else { return true };
    let has = |part: &str| {
        let in_fixes = || {
            finding
                .fixes
                .iter()
                .flat_map(|fix| &fix.edits)
                .any(|edit| edit.path.last().is_some_and(|key| key == part))
        };
        finding.points.contains(&part) || (finding.points.is_empty() && in_fixes())
    };
    parts.iter().any(|(part, numbers)| numbers.contains(&item.number) && has(part))
        || parts.iter().all(|(_, numbers)| !numbers.contains(&item.number))
}

fn verdicts(review: &Review, standard: Standard) -> Vec<Verdict<'_>> {
    let of = |item: &'static Item| {
        let rules: Vec<&'static Rule> =
            RULES.iter().chain(asked(review)).filter(|rule| standard.is_about(rule, item)).collect();
        let findings: Vec<&Reviewed> =
            review.items.iter().filter(|found| speaks_against(&found.finding, standard, item)).collect();
        let fails = |found: &&Reviewed| !matches!(found.standing, Standing::Waived(_));
        let state = match (rules.is_empty(), findings.is_empty()) {
            (true, _) => State::Unseen,
            (false, true) if item.is_whole => State::Passed,
            (false, true) => State::Unseen,
            // What is in the baseline is known, and still there.
            (false, false) if findings.iter().any(fails) => State::Failed,
            (false, false) => State::Waived,
        };
        Verdict { item, state, rules, findings }
    };
    standard.items().iter().map(of).collect()
}

/// The company's rules, as far as its policy asks for something.
fn asked(review: &Review) -> impl Iterator<Item = &'static Rule> {
    let (labels, registries) = (!review.policy.labels.is_empty(), !review.policy.registries.is_empty());
    COMPANY_RULES.iter().filter(move |rule| match rule.id {
        "missing-label" => labels,
        _ => registries,
    })
}

/// What shows that the state is as said.
fn evidence(verdict: &Verdict<'_>, review: &Review) -> Vec<String> {
    match verdict.state {
        State::Unseen if verdict.rules.is_empty() => vec!["no rule sees this in files".to_owned()],
        State::Unseen => vec![format!("{}, which see only a part of it", nothing(verdict, review))],
        State::Passed => vec![nothing(verdict, review)],
        State::Failed | State::Waived => verdict.findings.iter().map(|found| one(found, review)).collect(),
    }
}

fn nothing(verdict: &Verdict<'_>, review: &Review) -> String {
    let rules: Vec<String> = verdict.rules.iter().map(|rule| format!("`{}`", rule.id)).collect();
    format!("{}: nothing found by {}", counted(review.services.len(), "service"), rules.join(", "))
}

fn one(found: &Reviewed, review: &Review) -> String {
    let place = review.sources.place(&found.finding.span);
    let standing = match &found.standing {
        Standing::Waived(waiver) => format!(" (waived: {})", waiver.reason),
        Standing::Known => " (known)".to_owned(),
        Standing::Open | Standing::Expired(_) => String::new(),
    };
    let service =
        found.finding.place.service.as_ref().map(|name| format!(" of `{name}`")).unwrap_or_default();
    format!("{place}: `{}`{service}{standing}", found.finding.rule.id)
}

fn totals(verdicts: &[Verdict<'_>]) -> String {
    let count = |state: State| verdicts.iter().filter(|verdict| verdict.state == state).count();
    let states = [State::Failed, State::Waived, State::Passed, State::Unseen];
    let told: Vec<String> =
        states.iter().map(|state| format!("{} {}", count(*state), state.as_str())).collect();
    format!("{} items: {}.", verdicts.len(), told.join(", "))
}

/// For a terminal.
pub(super) fn text(report: &Report, standard: Standard) -> String {
    let mut text = format!("{}\n", standard.title());
    for checked in &report.checked {
        let verdicts = verdicts(&checked.review, standard);
        if !checked.review.name.is_empty() {
            text.push_str(&format!("\n== {} ==\n", super::snippet::printable(&checked.review.name)));
        }
        text.push('\n');
        for verdict in &verdicts {
            text.push_str(&format!(
                "{:<5} {:<25} {}\n",
                verdict.item.number,
                verdict.state.as_str(),
                verdict.item.title
            ));
            for line in evidence(verdict, &checked.review) {
                text.push_str(&super::snippet::printable(&format!("      - {line}\n")));
            }
        }
        text.push_str(&format!("\n{}\n", totals(&verdicts)));
    }
    for unchecked in &report.unchecked {
        text.push_str(&super::snippet::printable(&format!("\nnot checked: {}\n", unchecked.name)));
    }
    text
}

/// For a comment or a job's summary.
pub(super) fn markdown(report: &Report, standard: Standard) -> String {
    let mut page = format!("\n## {}\n", standard.title());
    for checked in &report.checked {
        let verdicts = verdicts(&checked.review, standard);
        if !checked.review.name.is_empty() {
            page.push_str(&format!("\n### {}\n", markdown::escaped(&checked.review.name)));
        }
        page.push_str(&format!(
            "\n{}\n\n| item | what | state | evidence |\n| --- | --- | --- | --- |\n",
            totals(&verdicts)
        ));
        for verdict in &verdicts {
            let evidence = evidence(verdict, &checked.review);
            let evidence: Vec<String> = evidence.iter().map(|line| markdown::escaped(line)).collect();
            page.push_str(&format!(
                "| {} | {} | {} | {} |\n",
                verdict.item.number,
                verdict.item.title,
                verdict.state.as_str(),
                evidence.join("<br>")
            ));
        }
    }
    page
}

/// For the page.
pub(super) fn html(report: &Report, standard: Standard) -> String {
    let mut page = format!("<h2>{}</h2>\n", escaped(standard.title()));
    for checked in &report.checked {
        let verdicts = verdicts(&checked.review, standard);
        page.push_str(&format!(
            "<section><h3>{}</h3><p>{}</p>\n<table><thead><tr><th>item</th><th>what</th><th>state</th><th>evidence</th></tr></thead><tbody>\n",
            escaped(&checked.review.name),
            totals(&verdicts)
        ));
        for verdict in &verdicts {
            let evidence: Vec<String> =
                evidence(verdict, &checked.review).iter().map(|line| prose(line)).collect();
            page.push_str(&format!(
                "<tr class=\"{}\"><td>{}</td><td>{}</td><td class=\"state\">{}</td><td>{}</td></tr>\n",
                verdict.state.class(),
                verdict.item.number,
                escaped(verdict.item.title),
                verdict.state.as_str(),
                evidence.join("<br>")
            ));
        }
        page.push_str("</tbody></table></section>\n");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_names_items_that_are_there() {
        for rule in RULES.iter().chain(COMPANY_RULES) {
            for reference in rule.references {
                for (prefix, standard) in [("CIS Docker", Standard::Cis), ("OWASP Docker", Standard::Owasp)] {
                    if !reference.starts_with(prefix) {
                        continue;
                    }
                    let numbers = standard.numbers(reference);
                    assert!(!numbers.is_empty(), "`{}`: `{reference}`", rule.id);
                    for number in numbers {
                        let there = standard.items().iter().any(|item| item.number == number);
                        assert!(there, "`{}`: `{reference}` names {number}", rule.id);
                    }
                }
            }
        }
    }

    #[test]
    fn parts_are_items_of_their_rule() {
        for rule in RULES {
            for standard in [Standard::Cis, Standard::Owasp] {
                for (part, numbers) in items::parts(rule.id, standard).unwrap_or_default() {
                    let item =
                        |number: &str| standard.items().iter().find(|item| item.number == number).unwrap();
                    let wrong = numbers.iter().find(|number| !standard.is_about(rule, item(number)));
                    assert_eq!(wrong, None, "`{}` {part}", rule.id);
                }
            }
        }
    }
}
