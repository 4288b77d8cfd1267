//! Fills variables into every scalar of a tree; keys stay as they are.

use std::ops::Range;

use crate::load::report::Report;
use crate::load::template::{Expanded, Fault, Reason, expand};
use crate::load::variables::Variables;
use crate::{Node, Position, Problem, ProblemKind, Say, ScalarStyle, Span, Value};

/// The most faults and unset variables that are told of one text: to find the place of each takes a walk through it.
const MAX_TOLD: usize = 20;

/// Fills variables into the scalars of a tree read from `source`.
pub(crate) fn interpolate(node: &mut Node, source: &str, variables: &Variables, report: &mut Report) {
    let span = node.span;
    match &mut node.value {
        Value::Null => {}
        Value::Scalar(scalar) if !scalar.text.contains('$') => {}
        Value::Scalar(scalar) => {
            let expanded = expand(&scalar.text, &|name| variables.value(name));
            let place = |range: &Range<usize>| locate(source, span, &scalar.text, range);
            for fault in expanded.faults.iter().take(MAX_TOLD) {
                report.problem(describe(fault, place(&fault.range), &scalar.text));
            }
            for (name, range) in expanded.unset.iter().take(MAX_TOLD) {
                report.warn(unset(name, place(range)));
            }
            let Expanded { text, used, unset, defaulted, .. } = expanded;
            node.history.extend(used.into_iter().map(|(name, _)| {
                let place = variables.get(&name).and_then(|variable| variable.span);
                Say::Variable { name, place }
            }));
            let unset = unset.into_iter().map(|(name, _)| name);
            node.history.extend(defaulted.into_iter().chain(unset).map(Say::Unset));
            scalar.text = text;
            scalar.style = ScalarStyle::Quoted;
        }
        Value::Sequence(_) | Value::Mapping(_) => {
            node.children_mut().for_each(|child| interpolate(child, source, variables, report));
        }
    }
}

fn unset(name: &str, span: Span) -> Problem {
    Problem::at(ProblemKind::Required, span, format!("The variable `{name}` is not set and counts as empty."))
        .hint(format!("set `{name}`, or write `${{{name}:-}}` when empty is meant"))
}

/// The problem behind a fault.
pub(crate) fn describe(fault: &Fault, span: Span, template: &str) -> Problem {
    let expression = template.get(fault.range.clone()).unwrap_or_default();
    let broken = |message: String| Problem::at(ProblemKind::Interpolation, span, message);
    match &fault.reason {
        Reason::Unclosed => broken("This `${` is never closed.".to_owned())
            .hint("add the missing `}`, or write `$$` for a `$` that stands for itself"),
        Reason::BadName => broken(format!("`{expression}` does not name a variable."))
            .hint("a name has letters, digits and `_`, and does not begin with a digit"),
        Reason::BadOperator => broken(format!("`{expression}` has no operator that Compose knows.")).hint(
            "after the name, write `:-default`, `-default`, `:?message`, `?message`, `:+other` or `+other`",
        ),
        Reason::Limit(limit) => {
            Problem::at(ProblemKind::Limit, span, format!("This grows beyond the limit `{limit}`."))
                .hint("use fewer nested variables")
        }
        Reason::Required { name, message } => {
            let said = match message.trim() {
                "" => format!("The variable `{name}` must be set."),
                message => format!("The variable `{name}` must be set: {}.", message.trim_end_matches('.')),
            };
            Problem::at(ProblemKind::Required, span, said)
                .hint(format!("set `{name}` in the shell or in an environment file"))
        }
    }
}

/// Where a stretch of a scalar's text stands in the file: the scalar may have quotes, escapes and line breaks, so its
/// `$` signs are counted; the whole scalar when they do not match.
fn locate(source: &str, span: Span, template: &str, range: &Range<usize>) -> Span {
    let written = source.get(span.start.byte..span.end.byte).unwrap_or_default();
    let dollars = |text: &str| text.bytes().filter(|byte| *byte == b'$').count();
    if dollars(written) != dollars(template) {
        return span;
    }
    let index = dollars(template.get(..range.start).unwrap_or_default());
    let Some((offset, _)) = written.match_indices('$').nth(index) else { return span };
    let expression = template.get(range.clone()).unwrap_or_default();
    let length = if written[offset..].starts_with(expression) { expression.len() } else { 1 };
    let start = advance(span.start, &written[..offset]);
    Span { file: span.file, start, end: advance(start, &written[offset..offset + length]) }
}

fn advance(mut at: Position, text: &str) -> Position {
    for c in text.chars() {
        at.byte += c.len_utf8();
        (at.line, at.column) = if c == '\n' { (at.line + 1, 1) } else { (at.line, at.column + 1) };
    }
    at
}
