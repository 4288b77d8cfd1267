//! One HTML page that needs nothing else: no script, font or picture from outside.

use super::place::counted;
use super::snippet::{Message, Shown};
use super::{Checked, Report, compliance, place, text};
use crate::review::{Reviewed, Standing};
use crate::{Review, Severity};

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/filter.js");

/// Nothing may be loaded, even if something in a file got past the escapes.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// The page.
pub(super) fn render(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>seaworthy check</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<h1>Fit for production?</h1>\n"
    );
    for unchecked in &report.unchecked {
        page.push_str(&format!(
            "<section class=\"missed\"><h2>Not checked: {}</h2><ul>\n",
            escaped(&unchecked.name)
        ));
        for problem in &unchecked.problems {
            let place = place::of_problem(problem, &unchecked.sources).unwrap_or_default();
            page.push_str(&format!(
                "<li><code>{}</code> {}</li>\n",
                escaped(&place),
                prose(&problem.message)
            ));
        }
        page.push_str("</ul></section>\n");
    }
    if let Some(standard) = report.by {
        page.push_str(&compliance::html(report, standard));
    } else {
        page.push_str(&filter(report));
        report.checked.iter().for_each(|checked| project(checked, &mut page));
        page.push_str(&format!("<script>\n{SCRIPT}</script>\n"));
    }
    page + "</body>\n</html>\n"
}

fn filter(report: &Report) -> String {
    let mut boxes = String::new();
    for severity in Severity::ALL {
        let count: usize = report.checked.iter().map(|checked| checked.review.count(severity)).sum();
        boxes.push_str(&format!(
            "<label class=\"{severity}\"><input type=\"checkbox\" name=\"severity\" value=\"{severity}\" checked> {severity} <b>{count}</b></label>\n"
        ));
    }
    format!(
        "<form class=\"filter\" role=\"search\">\n{boxes}<input type=\"search\" name=\"words\" aria-label=\"Words to look for\" \
         placeholder=\"rule, service, words\">\n<output aria-live=\"polite\"></output>\n</form>\n"
    )
}

fn project(checked: &Checked, page: &mut String) {
    let review = &checked.review;
    let name = if review.name.is_empty() { "project" } else { &review.name };
    page.push_str(&format!(
        "<section><h2>{}</h2>\n<p>{}</p>\n",
        escaped(name),
        escaped(text::summary(review).trim_end())
    ));
    let shown = Shown::new(&review.sources);
    for item in &review.told() {
        finding(item, review, &shown, page);
    }
    if let Some(patch) = text::ready(review.counted()) {
        page.push_str(&format!(
            "<details><summary>The patch that <code>seaworthy harden</code> makes</summary><pre>{}</pre></details>\n",
            escaped(&patch)
        ));
    }
    for waiver in &review.unused {
        page.push_str(&format!(
            "<p class=\"note\">The waiver of <code>{}</code> at <code>{}</code> waives nothing.</p>\n",
            escaped(&waiver.rules.join(", ")),
            escaped(&review.sources.place(&waiver.span))
        ));
    }
    if review.gone > 0 {
        page.push_str(&format!(
            "<p class=\"note\">{} of the baseline gone.</p>\n",
            counted(review.gone, "finding")
        ));
    }
    page.push_str("</section>\n");
}

fn finding(item: &Reviewed, review: &Review, shown: &Shown<'_>, page: &mut String) {
    let finding = &item.finding;
    let open = if item.counts() && finding.severity >= Severity::High { " open" } else { "" };
    let standing = match &item.standing {
        Standing::Open => String::new(),
        Standing::Known => "<span class=\"standing\">known</span>".to_owned(),
        Standing::Waived(waiver) | Standing::Expired(waiver) => {
            let until = match (&item.standing, waiver.until) {
                (_, None) => String::new(),
                (Standing::Expired(_), Some(until)) => format!(" after {until}"),
                (_, Some(until)) => format!(" until {until}"),
            };
            let word = item.standing.as_str();
            format!("<span class=\"standing\" title=\"{}\">{word}{until}</span>", escaped(&waiver.reason))
        }
    };
    let source = shown.render(
        &Message {
            level: annotate_snippets::Level::NOTE,
            id: None,
            title: finding.rule.summary.to_owned(),
            span: Some(finding.span),
            related: &finding.related,
            footer: Vec::new(),
        },
        false,
    );
    let source = source.split_once('\n').map_or("", |(_, rest)| rest);
    let reason = item.standing.waiver().map(|waiver| format!("<p>Waiver: {}</p>\n", prose(&waiver.reason)));
    page.push_str(&format!(
        "<details class=\"finding {severity} {state}\" data-severity=\"{severity}\"{open}>\n<summary><span class=\"badge\">{severity}</span> \
         {message} <code>{rule}</code> <code class=\"place\">{place}</code>{standing}</summary>\n<pre>{source}</pre>\n<p>{help}</p>\n{reason}\
         <p class=\"why\">{why}</p>\n<p class=\"note\">{references}</p>\n</details>\n",
        severity = finding.severity,
        state = item.standing.as_str(),
        message = prose(&finding.message),
        rule = escaped(finding.rule.id),
        place = escaped(&review.sources.place(&finding.span)),
        source = escaped(source),
        help = prose(&finding.help),
        reason = reason.unwrap_or_default(),
        why = prose(finding.rule.why),
        references = escaped(&finding.rule.references.join(" · ")),
    ));
}

/// Text for a page.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() && c != '\n' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// As [`escaped`], with what stands in backticks as code.
pub(super) fn prose(text: &str) -> String {
    let parts: Vec<String> = escaped(text).split('`').map(str::to_owned).collect();
    if parts.len().is_multiple_of(2) {
        return escaped(text);
    }
    let part = |(at, part): (usize, &String)| {
        if at.is_multiple_of(2) { part.clone() } else { format!("<code>{part}</code>") }
    };
    parts.iter().enumerate().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_file_becomes_markup() {
        assert_eq!(escaped("<b a='\"'>&\u{1b}"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;\u{fffd}");
        assert_eq!(prose("`<i>` is"), "<code>&lt;i&gt;</code> is");
        assert_eq!(prose("odd ` <i>"), "odd ` &lt;i&gt;");
    }
}
