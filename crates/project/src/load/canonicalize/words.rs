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
        match shell_words(&scalar.text) {
            Some((words, rest)) => {
                if !rest.is_empty() {
                    let message = format!("Compose drops `{rest}`: no shell runs this command.");
                    let warning = Problem::at(ProblemKind::InvalidValue, node.span, message);
                    report.warn(warning.hint("write `[\"sh\", \"-c\", \"…\"]` where a shell is meant"));
                }
                let word = |word| Node { history: node.history.clone(), ..Node::string(word, node.span) };
                node.value = Value::Sequence(words.into_iter().map(word).collect());
            }
            None => report.problem(
                Problem::at(
                    ProblemKind::InvalidValue,
                    node.span,
                    "A quote or bracket in this command is never closed.",
                )
                .hint("close it, or write the command as a list: `[\"program\", \"argument\"]`"),
            ),
        }
    }
    node.children_mut().for_each(text::normalize);
}

/// The words of a command as Compose splits it, and what it drops: everything from the first sign on that only a shell
/// understands. `None` when something is not closed.
fn shell_words(line: &str) -> Option<(Vec<String>, &str)> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let (mut single, mut double, mut back, mut dollar) = (false, false, false, false);
    let mut rest = "";
    let mut characters = line.char_indices();
    while let Some((at, c)) = characters.next() {
        let quoted = single || double || back || dollar;
        match c {
            '\\' if !single => {
                let escaped = match characters.next()?.1 {
                    't' => '\t',
                    'n' => '\n',
                    other => other,
                };
                word.get_or_insert_default().push(escaped);
                continue;
            }
            ' ' | '\t' | '\r' | '\n' if !quoted => {
                words.extend(word.take());
                continue;
            }
            '`' if !single && !double && !dollar => back = !back,
            ')' if !single && !double && !back => dollar = !dollar,
            '(' if !single && !double && !back => {
                let opens = !dollar && word.as_ref().is_some_and(|word| word.ends_with('$'));
                if !opens {
                    return None;
                }
                dollar = true;
            }
            '"' if !single && !dollar => {
                double = !double;
                word.get_or_insert_default();
                continue;
            }
            '\'' if !double && !dollar => {
                single = !single;
                word.get_or_insert_default();
                continue;
            }
            ';' | '&' | '|' | '<' | '>' if !quoted => {
                if c == '>'
                    && word.as_ref().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()))
                {
                    word = None;
                }
                rest = &line[at..];
                break;
            }
            _ => {}
        }
        word.get_or_insert_default().push(c);
    }
    words.extend(word);
    (!(single || double || back || dollar)).then_some((words, rest))
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
