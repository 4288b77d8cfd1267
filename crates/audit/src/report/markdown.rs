//! Markdown, for a comment on a merge request or the summary of a job.

use super::place::{self, counted};
use super::{Checked, Report, compliance, text};
use crate::review::Standing;
use crate::{Finding, Severity};

/// A section for each project: what counts as a table, what does not folded away, and the ready patch.
pub(super) fn render(report: &Report) -> String {
    let mut page = String::from("# Fit for production?\n");
    for unchecked in &report.unchecked {
        page.push_str(&format!("\n**Not checked: {}**\n\n", escaped(&unchecked.name)));
        for problem in &unchecked.problems {
            let place =
                place::of_problem(problem, &unchecked.sources).map(|place| format!("{} ", code(&place)));
            page.push_str(&format!("- {}{}\n", place.unwrap_or_default(), escaped(&problem.message)));
        }
    }
    if let Some(standard) = report.by {
        page.push_str(&compliance::markdown(report, standard));
        return page;
    }
    for checked in &report.checked {
        project(checked, &mut page);
    }
    page
}

fn project(checked: &Checked, page: &mut String) {
    let review = &checked.review;
    if !review.name.is_empty() {
        page.push_str(&format!("\n## {}\n", escaped(&review.name)));
    }
    page.push_str(&format!("\n{}", text::summary(review)));
    if review.counted().next().is_some() {
        page.push_str("\n| severity | where | what | rule |\n| --- | --- | --- | --- |\n");
    }
    for item in review.told_counted() {
        let finding = &item.finding;
        let ended = match &item.standing {
            Standing::Expired(waiver) => waiver.until.map(|until| format!(" (its waiver ended on {until})")),
            _ => None,
        };
        page.push_str(&format!(
            "| {} | {} | {}{} | {} |\n",
            severity(finding),
            code(&review.sources.place(&finding.span)),
            escaped(&finding.message),
            ended.unwrap_or_default(),
            code(finding.rule.id),
        ));
    }
    if let Some(patch) = text::ready(review.counted()) {
        let fence = fence(&patch);
        page.push_str(&format!(
            "\n<details><summary>The patch that <code>seaworthy harden</code> makes</summary>\n\n{fence}yaml\n{patch}{fence}\n\n</details>\n"
        ));
    }
    aside(checked, page);
}

/// What does not count, folded away.
fn aside(checked: &Checked, page: &mut String) {
    let review = &checked.review;
    let waived: Vec<_> =
        review.items.iter().filter(|item| matches!(item.standing, Standing::Waived(_))).collect();
    let known = review.items.iter().filter(|item| item.standing == Standing::Known).count();
    if !waived.is_empty() {
        page.push_str(&format!(
            "\n<details><summary>{} waived</summary>\n\n",
            counted(waived.len(), "finding")
        ));
        for item in waived {
            let Standing::Waived(waiver) = &item.standing else { continue };
            let until = waiver.until.map(|until| format!(", until {until}")).unwrap_or_default();
            page.push_str(&format!(
                "- {} {} {}: {}{until}\n",
                severity(&item.finding),
                code(item.finding.rule.id),
                code(&review.sources.place(&item.finding.span)),
                escaped(&waiver.reason),
            ));
        }
        page.push_str("\n</details>\n");
    }
    if known > 0 {
        page.push_str(&format!("\n{} of the baseline not counted.\n", counted(known, "finding")));
    }
    for waiver in &review.unused {
        page.push_str(&format!(
            "\nThe waiver of {} at {} waives nothing.\n",
            code(&waiver.rules.join(", ")),
            code(&review.sources.place(&waiver.span))
        ));
    }
}

fn severity(finding: &Finding) -> String {
    match finding.severity {
        Severity::Critical | Severity::High => format!("**{}**", finding.severity),
        _ => finding.severity.to_string(),
    }
}

/// Text that is shown as it stands; code in it stays code.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut in_code = false;
    for c in text.chars() {
        match c {
            '`' => {
                in_code = !in_code;
                safe.push('`');
            }
            '|' => safe.push_str("\\|"),
            '<' if !in_code => safe.push_str("&lt;"),
            '\\' | '*' | '_' | '[' | ']' | '!' | '#' | '@' if !in_code => {
                safe.push('\\');
                safe.push(c);
            }
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    // An odd mark would turn all that follows into code.
    if in_code { safe.replace('`', "\\`").replace('<', "&lt;") } else { safe }
}

/// Text as code, whatever marks it holds.
pub(super) fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = text.replace('|', "\\|");
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

/// A fence longer than any in the text.
fn fence(text: &str) -> &'static str {
    if text.contains("```") { "``````" } else { "```" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_file_becomes_markup() {
        assert_eq!(escaped("a | b <img> *x*\n"), "a \\| b &lt;img> \\*x\\* ");
        assert_eq!(escaped("`a_b <c>` d_e"), "`a_b <c>` d\\_e");
        assert_eq!(escaped("odd ` <b>"), "odd \\` &lt;b>");
        assert_eq!(code("a`b|"), "`` a`b\\| ``");
    }
}
