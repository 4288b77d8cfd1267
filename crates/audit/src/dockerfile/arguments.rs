//! Reads what stands behind an instruction's name.

use std::ops::Range;

use super::words::{Source, list, split};
use super::{Fault, Flag, Form, Instruction, Keyword, Pair};
use crate::shell;

/// Reads flags, then words, a list, pairs or text for a shell.
pub(super) fn read(instruction: &mut Instruction, source: Source<'_>, start: usize, faults: &mut Vec<Fault>) {
    let text = &source.joined.text;
    let start = flags(instruction, source, start);
    let range = start..text.len();
    if text[range.clone()].trim().is_empty() {
        let empty_is_fine = matches!(instruction.keyword, Keyword::Healthcheck);
        if !empty_is_fine {
            faults.push(nothing(instruction));
        }
        return;
    }
    match instruction.keyword {
        Keyword::Run | Keyword::Cmd | Keyword::Entrypoint | Keyword::Shell => {
            command(instruction, source, range)
        }
        Keyword::Env | Keyword::Label => pairs(instruction, source, range, faults),
        Keyword::Arg => arguments(instruction, source, range),
        Keyword::Copy | Keyword::Add | Keyword::Volume => {
            match list(source, range.clone()) {
                Some(words) => {
                    instruction.form = Form::List;
                    instruction.words = words;
                }
                None => instruction.words = documents_aside(source, range),
            }
            if instruction.keyword != Keyword::Volume
                && instruction.words.len() < 2
                && !has_document(source, start)
            {
                faults.push(Fault {
                    span: instruction.span,
                    message: format!("`{}` names a source but no destination.", instruction.name.text),
                    hint: "name what is copied, then where to".to_owned(),
                });
            }
        }
        Keyword::Maintainer => instruction.words = vec![source.word(range)],
        _ => instruction.words = source.words(range),
    }
    if instruction.keyword == Keyword::From {
        from(instruction, faults);
    }
}

/// The words of `FROM`: an image, and `AS` with a name.
fn from(instruction: &Instruction, faults: &mut Vec<Fault>) {
    let words = &instruction.words;
    let named = words.get(1).is_some_and(|word| word.text.eq_ignore_ascii_case("as"));
    if words.len() == 1 || (words.len() == 3 && named) {
        return;
    }
    faults.push(Fault {
        span: instruction.span,
        message: "`FROM` takes an image, and may give the stage a name.".to_owned(),
        hint: "write `FROM image AS name`".to_owned(),
    });
}

fn nothing(instruction: &Instruction) -> Fault {
    Fault {
        span: instruction.span,
        message: format!("Nothing follows `{}`.", instruction.name.text),
        hint: "say what it is to do, or remove the line".to_owned(),
    }
}

/// Reads `--name=value` words; gives where the rest begins.
fn flags(instruction: &mut Instruction, source: Source<'_>, start: usize) -> usize {
    let text = &source.joined.text;
    let has_flags = matches!(
        instruction.keyword,
        Keyword::Add | Keyword::Copy | Keyword::From | Keyword::Run | Keyword::Healthcheck
    );
    for range in split(text, start..text.len(), source.escape).into_iter().take_while(|_| has_flags) {
        let word = source.word(range.clone());
        let Some(body) = word.text.strip_prefix("--").filter(|body| !body.is_empty()) else {
            return range.start;
        };
        let (name, value) = body.split_once('=').map_or((body, None), |(name, value)| (name, Some(value)));
        let (name, value) = (name.to_owned(), value.map(str::to_owned));
        instruction.flags.push(Flag { name, value, span: word.span });
    }
    if instruction.flags.is_empty() { start } else { text.len() }
}

/// A list, or text for a shell.
fn command(instruction: &mut Instruction, source: Source<'_>, range: Range<usize>) {
    let text = source.joined.text[range.clone()].trim();
    if let Some(words) = list(source, range.clone()) {
        instruction.form = Form::List;
        instruction.words = words;
        instruction.commands = nested_script(instruction);
        return;
    }
    let looks_like_list =
        text.starts_with('[') && text.ends_with(']') && text.contains(['\'', ',', '"', '\u{201c}']);
    let is_test = text.starts_with("[ ") && instruction.keyword == Keyword::Run;
    instruction.form = if looks_like_list && !is_test { Form::BrokenList } else { Form::Shell };
    let start = range.start;
    instruction.commands = shell::commands(&source.joined.text[range], &|inner| {
        source.span(&(start + inner.start..start + inner.end))
    });
}

/// The commands of `["sh", "-c", "text"]`, placed at the text as a whole; else the list as one command.
fn nested_script(instruction: &Instruction) -> Vec<shell::Command> {
    let words = &instruction.words;
    let is_shell = words.first().is_some_and(|word| {
        matches!(word.text.rsplit('/').next(), Some("sh" | "bash" | "ash" | "dash" | "zsh"))
    });
    let at = words.iter().position(|word| word.text.starts_with('-') && word.text.ends_with('c'));
    match at.and_then(|at| words.get(at + 1)).filter(|_| is_shell) {
        Some(script) => shell::commands(&script.text, &|_| script.span),
        None => shell::Command::of_words(words.clone(), instruction.span).into_iter().collect(),
    }
}

/// `NAME=value NAME=value`, or the old `NAME the whole rest`.
fn pairs(instruction: &mut Instruction, source: Source<'_>, range: Range<usize>, faults: &mut Vec<Fault>) {
    let text = &source.joined.text;
    let words = split(text, range.clone(), source.escape);
    let Some(first) = words.first().cloned() else { return };
    if !text[first.clone()].contains('=') {
        if words.len() == 1 {
            faults.push(Fault {
                span: source.span(&first),
                message: format!("`{}` gives `{}` no value.", instruction.name.text, &text[first.clone()]),
                hint: "write `NAME=value`".to_owned(),
            });
        }
        let value = words.get(1).map(|second| source.word(second.start..range.end));
        instruction.pairs.push(Pair { name: source.word(first), value, is_old: true });
        return;
    }
    for word in words {
        match text[word.clone()].find('=') {
            Some(equals) => {
                let name = source.word(word.start..word.start + equals);
                let value = Some(source.word(word.start + equals + 1..word.end));
                instruction.pairs.push(Pair { name, value, is_old: false });
            }
            None => faults.push(Fault {
                span: source.span(&word),
                message: "A word stands where `NAME=value` is expected.".to_owned(),
                hint: "put values with spaces in quotes".to_owned(),
            }),
        }
    }
}

/// `ARG NAME` and `ARG NAME=default`, any number of them.
fn arguments(instruction: &mut Instruction, source: Source<'_>, range: Range<usize>) {
    let text = &source.joined.text;
    for word in split(text, range, source.escape) {
        let equals = text[word.clone()].find('=');
        let end = equals.map_or(word.end, |equals| word.start + equals);
        let value = equals.map(|equals| source.word(word.start + equals + 1..word.end));
        instruction.pairs.push(Pair { name: source.word(word.start..end), value, is_old: false });
    }
}

/// The words of a stretch without the marks of documents.
fn documents_aside(source: Source<'_>, range: Range<usize>) -> Vec<super::Word> {
    let text = &source.joined.text;
    let words = split(text, range, source.escape).into_iter();
    words.filter(|range| !text[range.clone()].starts_with("<<")).map(|range| source.word(range)).collect()
}

fn has_document(source: Source<'_>, start: usize) -> bool {
    source.joined.text[start..].contains("<<")
}

/// The `CMD` of a `HEALTHCHECK`; none for `NONE`.
pub(super) fn health_command(
    instruction: &mut Instruction,
    source: Source<'_>,
    faults: &mut Vec<Fault>,
) -> Option<Instruction> {
    let kind = instruction.words.first()?;
    if kind.text.eq_ignore_ascii_case("none") {
        return None;
    }
    if !kind.text.eq_ignore_ascii_case("cmd") {
        faults.push(Fault {
            span: kind.span,
            message: format!("`HEALTHCHECK` knows no `{}`.", kind.text),
            hint: "write `HEALTHCHECK CMD program` or `HEALTHCHECK NONE`".to_owned(),
        });
        return None;
    }
    let text = &source.joined.text;
    let at = split(text, 0..text.len(), source.escape)
        .into_iter()
        .find(|range| text[range.clone()].eq_ignore_ascii_case("cmd"))?;
    let mut inner = Instruction {
        keyword: Keyword::Cmd,
        name: source.word(at.clone()),
        flags: Vec::new(),
        words: Vec::new(),
        pairs: Vec::new(),
        form: Form::Words,
        commands: Vec::new(),
        heredocs: Vec::new(),
        inner: None,
        span: source.span(&(at.start..text.len())),
    };
    read(&mut inner, source, at.end + (text[at.end..].len() - text[at.end..].trim_start().len()), faults);
    Some(inner)
}
