//! Commands that a GitHub workflow turns into annotations beside the lines.

use super::{Report, place};
use crate::Severity;

/// One command a line; what is waived or known is left out.
pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    for checked in &report.checked {
        for item in checked.review.told_counted() {
            let finding = &item.finding;
            let span = &finding.span;
            let mut properties = vec![
                format!("file={}", property(&place::path(span, &checked.review.sources))),
                format!("line={}", span.start.line),
                format!("endLine={}", span.end.line),
            ];
            // Columns are only understood within one line.
            if span.start.line == span.end.line {
                properties.push(format!("col={}", span.start.column));
                properties.push(format!("endColumn={}", span.end.column));
            }
            properties
                .push(format!("title={}", property(&format!("{}: {}", finding.severity, finding.rule.id))));
            let message = format!("{}\n{}", finding.message, finding.help);
            text.push_str(&command(level(finding.severity), &properties.join(","), &message));
        }
    }
    for unchecked in &report.unchecked {
        for problem in &unchecked.problems {
            let mut properties = vec!["title=not checked".to_owned()];
            if let Some(span) = &problem.span {
                properties.push(format!("file={}", property(&place::path(span, &unchecked.sources))));
                properties.push(format!("line={}", span.start.line));
            }
            let hint = problem.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            let message = format!("{}: {}{hint}", unchecked.name, problem.message);
            text.push_str(&command("error", &properties.join(","), &message));
        }
    }
    text
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "notice",
    }
}

fn command(level: &str, properties: &str, message: &str) -> String {
    format!("::{level} {properties}::{}\n", data(message))
}

/// What stands after `::`: a line end would begin another command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which also ends at `,` and `:`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_file_can_begin_another_command() {
        assert_eq!(data("50%\r\n::error::x"), "50%25%0D%0A::error::x");
        assert_eq!(property("a,b:c%\n"), "a%2Cb%3Ac%25%0A");
        assert_eq!(command("error", "line=1", "a\nb"), "::error line=1::a%0Ab\n");
    }
}
