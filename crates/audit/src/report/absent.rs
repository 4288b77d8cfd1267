//! What is merely absent, for people: under each service one line for each thing that it lacks.

use super::snippet::printable;
use crate::review::{Absent, by_service, lacking};
use crate::{Finding, Review};

/// The lines, with a line end and an empty line behind them.
pub(super) fn lines(absent: &Absent<'_>, review: &Review) -> String {
    let whole = &absent.whole.finding;
    let services = by_service(&absent.parts);
    let who = match services.len() {
        1 => "1 service lacks".to_owned(),
        count => format!("{count} services lack"),
    };
    let mut text = format!("{}[{}]: {who} what production asks for.\n", whole.severity, whole.rule.id);
    let width = absent.parts.iter().map(|part| part.finding.rule.id.len()).max().unwrap_or(0);
    for (service, findings) in services {
        text.push_str(&format!("  {service}\n"));
        for finding in findings {
            text.push_str(&line(finding, width, review));
        }
    }
    text.push_str(&format!("  = fix: {}\n\n", whole.help));
    printable(&text)
}

fn line(finding: &Finding, width: usize, review: &Review) -> String {
    let place = review.sources.place(&finding.span);
    format!("    {:8}  {:width$}  {} ({place})\n", finding.severity, finding.rule.id, lacking(finding))
}
