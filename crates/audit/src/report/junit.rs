//! JUnit's XML: a suite for each project, a failed test for each finding, a passed one for each rule that found nothing.

use std::collections::BTreeSet;

use super::{Checked, Report, Unchecked, place};
use crate::review::{Reviewed, Standing};
use crate::{COMPANY_RULES, RULES, Rule};

/// One document.
pub(super) fn render(report: &Report) -> String {
    let suites: Vec<Suite> =
        report.checked.iter().map(checked).chain(report.unchecked.iter().map(unchecked)).collect();
    let sum = |of: fn(&Suite) -> usize| suites.iter().map(of).sum::<usize>();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    text.push_str(&format!(
        "<testsuites name=\"seaworthy check\" tests=\"{}\" failures=\"{}\" errors=\"{}\">\n",
        sum(|suite| suite.cases.len()),
        sum(|suite| suite.failures),
        sum(|suite| suite.errors),
    ));
    for suite in &suites {
        text.push_str(&format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">\n",
            escaped(&suite.name),
            suite.cases.len(),
            suite.failures,
            suite.errors,
            suite.skipped,
        ));
        suite.cases.iter().for_each(|case| text.push_str(case));
        text.push_str("  </testsuite>\n");
    }
    text + "</testsuites>\n"
}

#[derive(Default)]
struct Suite {
    name: String,
    cases: Vec<String>,
    failures: usize,
    errors: usize,
    skipped: usize,
}

fn checked(checked: &Checked) -> Suite {
    let review = &checked.review;
    let name = if review.name.is_empty() { "project" } else { &review.name };
    let mut suite = Suite { name: name.to_owned(), ..Suite::default() };
    let found: BTreeSet<&str> = review.items.iter().map(|item| item.finding.rule.id).collect();
    for item in &review.told() {
        finding(checked, item, &mut suite);
    }
    for rule in RULES.iter().chain(COMPANY_RULES).filter(|rule| !found.contains(rule.id)) {
        suite.cases.push(case(rule, rule.id, "", ""));
    }
    suite
}

fn finding(checked: &Checked, item: &Reviewed, suite: &mut Suite) {
    let finding = &item.finding;
    let path = place::path(&finding.span, &checked.review.sources);
    let attributes = format!(" file=\"{}\" line=\"{}\"", escaped(&path), finding.span.start.line);
    let place = checked.review.sources.place(&finding.span);
    let text = format!("{place}: {}\n{}", finding.message, finding.help);
    let body = match &item.standing {
        Standing::Waived(waiver) => {
            suite.skipped += 1;
            format!("<skipped message=\"{}\"/>", escaped(&format!("waived: {}", waiver.reason)))
        }
        Standing::Known => {
            suite.skipped += 1;
            "<skipped message=\"known: in the baseline\"/>".to_owned()
        }
        _ if checked.threshold.is_reached(finding.severity) => {
            suite.failures += 1;
            let (message, severity) = (escaped(&finding.message), finding.severity);
            format!("<failure message=\"{message}\" type=\"{severity}\">{}</failure>", escaped(&text))
        }
        _ => format!("<system-out>{}</system-out>", escaped(&format!("{}: {text}", finding.severity))),
    };
    suite.cases.push(case(finding.rule, &finding.identity(), &attributes, &body));
}

fn unchecked(unchecked: &Unchecked) -> Suite {
    let cases = unchecked.problems.iter().map(|problem| {
        let place = place::of_problem(problem, &unchecked.sources).map(|place| format!("{place}: "));
        let text = format!("{}{}", place.unwrap_or_default(), problem.message);
        format!(
            "    <testcase classname=\"load\" name=\"not checked\">\n      <error message=\"{}\">{}</error>\n    </testcase>\n",
            escaped(&problem.message),
            escaped(&text)
        )
    });
    let cases: Vec<String> = cases.collect();
    Suite { name: unchecked.name.clone(), errors: cases.len(), cases, ..Suite::default() }
}

fn case(rule: &Rule, name: &str, attributes: &str, body: &str) -> String {
    let open =
        format!("    <testcase classname=\"{}\" name=\"{}\"{attributes}", rule.group.as_str(), escaped(name));
    if body.is_empty() { format!("{open}/>\n") } else { format!("{open}>\n      {body}\n    </testcase>\n") }
}

/// Text for XML; characters that XML cannot hold, escaped or not, are replaced.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push_str("&#10;"),
            '\t' => safe.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(
            super::escaped("<a b=\"c\">&\u{1b}\u{0}\n]]>"),
            "&lt;a b=&quot;c&quot;&gt;&amp;\u{fffd}\u{fffd}&#10;]]&gt;"
        );
    }
}
