//! Reads the instructions one after the other.

use seaworthy_project::{FileId, Span};

use super::arguments;
use super::heredoc::{self, Mark};
use super::lines::{directives, join};
use super::places::{Places, lines};
use super::words::Source;
use super::{Dockerfile, Fault, Form, Heredoc, Instruction, Keyword, stages};
use crate::shell;

/// The most instructions one Dockerfile may have: real ones have dozens.
const MAX_INSTRUCTIONS: usize = 20_000;
/// The longest word that is taken for the name of an instruction; the longest there is has 11 letters.
const MAX_NAME: usize = 16;
/// Shells whose heredocs hold commands.
const SHELLS: [&str; 6] = ["sh", "bash", "ash", "dash", "zsh", "ksh"];

/// Reads a Dockerfile that is a file of its own.
pub fn parse(file: FileId, text: &str) -> Dockerfile {
    read(text, &Places::of_file(file, text))
}

/// Reads a Dockerfile that stands as a block in another file, whose text is `source`.
pub fn parse_inline(span: Span, source: &str, text: &str) -> Dockerfile {
    read(text, &Places::of_block(span, source, text))
}

fn read(text: &str, places: &Places) -> Dockerfile {
    let (escape, directives) = directives(text, places);
    let all: Vec<(usize, &str)> = lines(text).collect();
    let mut dockerfile = Dockerfile { directives, ..Dockerfile::default() };
    let mut at = 0;
    while at < all.len() && dockerfile.instructions.len() < MAX_INSTRUCTIONS {
        let Some(joined) = join(&all, at, escape) else {
            at += 1;
            continue;
        };
        at = joined.next.max(at + 1);
        let source = Source { joined: &joined, places, escape };
        let mut faults = Vec::new();
        let mut instruction = instruction(source, 0, &mut faults);
        let can_have = |keyword| matches!(keyword, Keyword::Run | Keyword::Copy | Keyword::Add);
        let inner = instruction.inner.as_ref().map(|inner| inner.keyword);
        if can_have(instruction.keyword) || inner.is_some_and(can_have) {
            let marks = heredoc::marks(&joined.text, escape);
            at = documents(&mut instruction, marks, (source, &all, at), &mut faults);
        }
        dockerfile.faults.extend(faults);
        dockerfile.instructions.push(instruction);
    }
    stages::find(&mut dockerfile, places);
    dockerfile
}

/// One instruction, from a byte of the joined text on.
fn instruction(source: Source<'_>, start: usize, faults: &mut Vec<Fault>) -> Instruction {
    let text = &source.joined.text;
    let begin = start + (text[start..].len() - text[start..].trim_start().len());
    let length = text[begin..].find(char::is_whitespace).unwrap_or(text.len() - begin);
    let name = source.word(begin..begin + length);
    let keyword = Keyword::of(&text[begin..begin + length]);
    let mut instruction = Instruction {
        keyword,
        name,
        flags: Vec::new(),
        words: Vec::new(),
        pairs: Vec::new(),
        form: Form::Words,
        commands: Vec::new(),
        heredocs: Vec::new(),
        inner: None,
        span: source.span(&(begin..text.len())),
    };
    let rest = begin + length;
    let rest = rest + (text[rest..].len() - text[rest..].trim_start().len());
    match keyword {
        Keyword::Unknown => faults.push(unknown(&instruction)),
        Keyword::Onbuild if start == 0 && !text[rest..].is_empty() => {
            let inner = self::instruction(source, rest, faults);
            if matches!(inner.keyword, Keyword::Onbuild | Keyword::From | Keyword::Maintainer) {
                faults.push(Fault {
                    span: inner.name.span,
                    message: format!("`ONBUILD` cannot hold `{}`.", inner.name.text),
                    hint: "give it another instruction".to_owned(),
                });
            }
            instruction.inner = Some(Box::new(inner));
        }
        _ => arguments::read(&mut instruction, source, rest, faults),
    }
    if keyword == Keyword::Healthcheck {
        instruction.inner = arguments::health_command(&mut instruction, source, faults).map(Box::new);
    }
    instruction
}

fn unknown(instruction: &Instruction) -> Fault {
    let name = &instruction.name.text;
    let hint = nearest(name).map_or_else(
        || "begin each line with an instruction, and end a line that goes on with `\\`".to_owned(),
        |known| format!("did you mean `{known}`?"),
    );
    // Only what looks like a name is shown: a line that was torn off may begin with a secret.
    let is_name = name.len() <= MAX_NAME && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    let message = if is_name {
        format!("There is no instruction `{name}`.")
    } else {
        "This line does not begin with an instruction.".to_owned()
    };
    Fault { span: instruction.name.span, message, hint }
}

/// The instruction whose name is at most two letters away.
fn nearest(name: &str) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase();
    let distance = |known: &&str| {
        let letters = |text: &str| {
            let mut counts = [0i32; 26];
            text.bytes().filter(u8::is_ascii_uppercase).for_each(|b| counts[usize::from(b - b'A')] += 1);
            counts
        };
        let (one, other) = (letters(&upper), letters(known));
        one.iter().zip(other).map(|(a, b)| (a - b).abs()).sum::<i32>()
    };
    let names = Keyword::ALL.iter().map(|(name, _)| *name);
    names.min_by_key(distance).filter(|known| upper.len() > 2 && distance(known) <= 2)
}

/// Reads the documents that follow an instruction; gives the line after them.
fn documents(
    instruction: &mut Instruction,
    marks: Vec<Mark>,
    (source, all, mut at): (Source<'_>, &[(usize, &str)], usize),
    faults: &mut Vec<Fault>,
) -> usize {
    let count = marks.len();
    for mark in marks {
        let Some(length) = heredoc::length(&mark, all.get(at..).unwrap_or_default()) else {
            faults.push(Fault {
                span: source.span(&(mark.start..mark.end)),
                message: format!("The document that ends with `{}` never ends.", mark.name),
                hint: format!("write `{}` alone on the line after its last", mark.name),
            });
            // What follows may be instructions again: it is read as such.
            continue;
        };
        let start = all.get(at).map_or(0, |(start, _)| *start);
        let body: String =
            all[at..at + length].iter().flat_map(|(_, line)| [strip(line, &mark), "\n"]).collect();
        let end = all.get(at + length).map_or(start, |(end, _)| *end);
        let span = source.places.span(start, end.max(start));
        let target = match &mut instruction.inner {
            Some(inner) => inner,
            None => &mut *instruction,
        };
        if target.keyword == Keyword::Run && count == 1 && is_script(target, &body) {
            script(target, &all[at..at + length], source);
        }
        target.heredocs.push(Heredoc { name: mark.name, body, span });
        at += length + 1;
    }
    at
}

fn strip<'line>(line: &'line str, mark: &Mark) -> &'line str {
    if mark.strips_tabs { line.trim_start_matches('\t') } else { line }
}

/// Whether the document of a `RUN` holds commands: it stands alone, or is given to a shell.
fn is_script(instruction: &Instruction, body: &str) -> bool {
    let shebang = body.lines().next().filter(|line| line.starts_with("#!"));
    let shell = |name: &str| SHELLS.contains(&name.rsplit('/').next().unwrap_or(name));
    if let Some(shebang) = shebang {
        return shebang[2..].split_whitespace().any(shell);
    }
    instruction.commands.iter().all(|command| command.words.is_empty() || shell(command.program()))
}

/// Adds the commands of a document; its lines stand as they are in the file.
fn script(instruction: &mut Instruction, body: &[(usize, &str)], source: Source<'_>) {
    let Some((first, _)) = body.first() else { return };
    let mut text = String::new();
    let mut starts = Vec::new();
    for (start, line) in body {
        starts.push((text.len(), *start));
        text.push_str(line);
        text.push('\n');
    }
    let origin = |at: usize| {
        let index = starts.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        starts.get(index).map_or(*first, |(start, origin)| origin + (at - start))
    };
    let span = |range: &std::ops::Range<usize>| source.places.span(origin(range.start), origin(range.end));
    let mut commands = shell::commands(&text, &span);
    let used = instruction.commands.iter().map(|command| command.pipeline).max().unwrap_or(0);
    commands.iter_mut().for_each(|command| command.pipeline += used);
    instruction.commands.extend(commands);
}
