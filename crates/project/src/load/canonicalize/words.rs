//! Splits a command written as one string into words, as a POSIX shell would, with nothing expanded.

use crate::load::canonicalize::text;
use crate::load::report::Report;
use crate::{Node, Problem, ProblemKind, Value};

/// Makes a `command` or `entrypoint` a list of words.
pub(super) fn split_in_place(node: &mut Node, report: &mut Report) {
    let template = report.templates_stay && node.text().is_some_and(|text| text.contains('$'));
    if let Value::Scalar(scalar) = &node.value
        && !template
    {
        match split(&scalar.text) {
            Some(words) => {
                node.value =
                    Value::Sequence(words.into_iter().map(|word| Node::string(word, node.span)).collect());
            }
            None => report.problem(
                Problem::at(ProblemKind::InvalidValue, node.span, "A quote in this command is never closed.")
                    .hint("close the quote, or write the command as a list: `[\"program\", \"argument\"]`"),
            ),
        }
    }
    node.children_mut().for_each(text::normalize);
}

/// The words of a command line; `None` when a quote is not closed or a `\` ends it.
pub(crate) fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        inner => word.push(inner),
                    }
                }
            }
            '"' => double_quoted(&mut characters, word.get_or_insert_default())?,
            '\\' => {
                let escaped = characters.next()?;
                if escaped != '\n' {
                    word.get_or_insert_default().push(escaped);
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

fn double_quoted(characters: &mut std::str::Chars<'_>, word: &mut String) -> Option<()> {
    loop {
        match characters.next()? {
            '"' => return Some(()),
            '\\' => match characters.next()? {
                '\n' => {}
                c @ ('"' | '\\' | '$' | '`') => word.push(c),
                c => word.extend(['\\', c]),
            },
            c => word.push(c),
        }
    }
}
