//! What is written into a Dockerfile, in the manner of what stands there.

use seaworthy_project::Span;

use super::TextEdit;
use crate::dockerfile::{Form, Instruction, Keyword};
use crate::shell::{Command, Joiner};

/// Characters that mean something to a shell.
const SHELL: [char; 18] =
    ['$', '`', '*', '?', '[', ']', '{', '}', '(', ')', '<', '>', '|', '&', ';', '~', '\\', '#'];
/// Programs that are part of the shell itself.
const BUILTINS: [&str; 12] =
    ["cd", "exec", "export", "set", ".", "source", "eval", "trap", "ulimit", "umask", "wait", "read"];

/// `CMD program argument` as a list where that is the same, else with `exec` before the program.
/// `raw` is the instruction as it stands.
pub(crate) fn as_list(step: &Instruction, raw: &str) -> Option<TextEdit> {
    let last = step.commands.last().filter(|last| last.depth == 0 && step.form == Form::Shell)?;
    let first = step.commands.first()?.words.first()?.span;
    let one_line = step.span.start.line == step.span.end.line;
    let simple = step.commands.len() == 1
        && one_line
        && step.keyword == Keyword::Cmd
        && last.assignments.is_empty()
        && last.redirects.is_empty()
        && !BUILTINS.contains(&last.words[0].text.as_str())
        && !raw.contains(SHELL)
        && !raw.contains(['"', '\'', '='])
        && last.words.iter().all(|word| !word.text.is_empty());
    if simple {
        let words: Vec<String> = last.words.iter().map(|word| format!("\"{}\"", word.text)).collect();
        let span = Span { start: first.start, ..step.span };
        return Some(TextEdit::replace(span, format!("[{}]", words.join(", "))));
    }
    let alone = matches!(last.joiner, Joiner::First | Joiner::And | Joiner::Then)
        && !step.commands.iter().any(|other| matches!(other.joiner, Joiner::Or | Joiner::Beside))
        && step.commands.iter().filter(|other| other.pipeline == last.pipeline).count() == 1
        && last.assignments.is_empty()
        && !raw.trim_end().ends_with(['&', ')', '}'])
        && !BUILTINS.contains(&last.words[0].text.as_str())
        && !is_word_of_shell(last)
        && !raw.split_whitespace().any(|word| matches!(word.trim_end_matches(';'), "fi" | "done" | "esac"));
    let start = last.words[0].span.start;
    let at = Span { start, end: start, file: step.span.file };
    alone.then(|| TextEdit::replace(at, "exec "))
}

fn is_word_of_shell(command: &Command) -> bool {
    matches!(
        command.words[0].text.as_str(),
        "if" | "while" | "for" | "case" | "fi" | "done" | "esac" | "{" | "!"
    )
}

/// A further command at the end of a `RUN`, on a line of its own where the instruction has several.
pub(crate) fn append_command(step: &Instruction, raw: &str, command: &str) -> Option<TextEdit> {
    let last = step.commands.last()?;
    if !step.heredocs.is_empty()
        || step.form != Form::Shell
        || last.depth > 0
        || raw.trim_end().ends_with(['&', ';', '\\'])
    {
        return None;
    }
    let mut lines = raw.lines().rev();
    let end = lines.next().unwrap_or_default();
    // Comments between the lines of an instruction are none of its text.
    let before = lines.find(|line| !line.trim_start().starts_with('#')).map(str::trim_end);
    let text = match before.and_then(|line| line.strip_suffix('\\')) {
        Some(before) => {
            let indent: String = end.chars().take_while(|c| c.is_whitespace()).collect();
            let newline = if raw.contains("\r\n") { "\r\n" } else { "\n" };
            let leads = end.trim_start().starts_with("&&");
            if !leads && before.trim_end().ends_with("&&") {
                format!(" && \\{newline}{indent}{command}")
            } else {
                format!(" \\{newline}{indent}&& {command}")
            }
        }
        None => format!(" && {command}"),
    };
    Some(TextEdit::after(step.span, text))
}

/// A line of its own behind an instruction.
pub(crate) fn insert_line(step: &Instruction, source: &str, line: &str) -> Option<TextEdit> {
    let rest = source.get(step.span.end.byte..)?;
    let newline = if source.contains("\r\n") { "\r\n" } else { "\n" };
    let end_of_line = rest.split('\n').next().unwrap_or_default().trim_end();
    (end_of_line.is_empty() && step.heredocs.is_empty())
        .then(|| TextEdit::after(step.span, format!("{newline}{line}")))
}

/// `MAINTAINER name` as the label that took its place.
pub(crate) fn label(step: &Instruction, raw: &str) -> Option<TextEdit> {
    let name = raw.get(step.name.text.len()..)?.trim();
    let plain = !name.is_empty() && !name.contains(['"', '\\', '\n', '$']);
    plain.then(|| TextEdit::replace(step.span, format!("LABEL org.opencontainers.image.authors=\"{name}\"")))
}

/// `ENV NAME value` as `ENV NAME="value"`.
pub(crate) fn old_variable(step: &Instruction, raw: &str) -> Option<TextEdit> {
    let pair = step.pairs.first().filter(|_| step.pairs.len() == 1)?;
    let value = raw.get(step.name.text.len()..)?.trim().strip_prefix(pair.name.text.as_str())?.trim();
    if value.is_empty() || value.contains(['"', '\'', '\\', '\n']) {
        return None;
    }
    let bare = value.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:$@,+%{}".contains(c));
    let value = if bare { value.to_owned() } else { format!("\"{value}\"") };
    let span = Span { start: pair.name.span.start, ..step.span };
    Some(TextEdit::replace(span, format!("{}={value}", pair.name.text)))
}
