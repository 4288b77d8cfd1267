//! Environment files: the `.env` dialect of Compose (Compose Specification, "Env_file format").

use indexmap::IndexMap;

use crate::load::interpolate::describe;
use crate::load::lines::Lines;
use crate::load::report::Report;
use crate::load::template::{expand, name_length};
use crate::load::variables::{Variable, Variables};
use crate::{FileId, Problem, ProblemKind};

/// The most variables one file may set: the kernel would refuse more long before.
pub(crate) const MAX_VARIABLES: usize = 100_000;

/// What a file may refer to beside its own variables.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// Variables that win over the file's own, as those of the shell do.
    pub(crate) over: &'a Variables,
    /// Variables of files that this file lies over.
    pub(crate) under: &'a IndexMap<String, Variable>,
}

/// Reads a file.
pub(crate) fn parse(
    file: FileId,
    text: &str,
    around: Surroundings<'_>,
    report: &mut Report,
) -> IndexMap<String, Variable> {
    let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut parser = Parser { lines: Lines::new(file, text), text, at, around, set: IndexMap::new(), report };
    while parser.at < text.len() && parser.set.len() <= MAX_VARIABLES {
        parser.statement();
    }
    if parser.set.len() > MAX_VARIABLES {
        let message = format!("The file sets more than {MAX_VARIABLES} variables (`MAX_VARIABLES`).");
        parser.report.at(ProblemKind::Limit, parser.lines.span(parser.at, parser.at), message);
    }
    parser.set
}

/// Reads a file of the `raw` format: `NAME=value` lines, nothing quoted, nothing filled in; a name alone takes the value
/// of the variable around it.
pub(crate) fn parse_raw(
    file: FileId,
    text: &str,
    around: &Variables,
    report: &mut Report,
) -> IndexMap<String, Variable> {
    let lines = Lines::new(file, text);
    let mut set = IndexMap::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let line = line.trim_end_matches('\n').trim_end_matches('\r');
        let bare = line.trim_start_matches('\u{feff}').trim_start();
        if bare.is_empty() || bare.starts_with('#') {
            continue;
        }
        let (name, value) = bare.split_once('=').map_or((bare, None), |(name, value)| (name, Some(value)));
        if name.is_empty() || name.contains(char::is_whitespace) {
            let message = "This line does not begin with a variable's name.";
            report.at(ProblemKind::EnvironmentFile, lines.span(start, start + line.len()), message);
        } else if let Some(value) = value {
            let span = Some(lines.span(start + line.len() - value.len(), start + line.len()));
            set.insert(name.to_owned(), Variable { value: value.to_owned(), span });
        } else if let Some(variable) = around.get(name) {
            set.insert(name.to_owned(), variable.clone());
        }
    }
    set
}

struct Parser<'a> {
    lines: Lines<'a>,
    text: &'a str,
    at: usize,
    around: Surroundings<'a>,
    set: IndexMap<String, Variable>,
    report: &'a mut Report,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Skips blanks, but no line break.
    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_blank).len();
    }

    /// What is left of the current line, without its end.
    fn line(&self) -> &'a str {
        self.rest().split('\n').next().unwrap_or_default()
    }

    fn next_line(&mut self) {
        self.at += self.rest().find('\n').map_or(self.rest().len(), |end| end + 1);
    }

    /// Reads one line, or more where a quoted value has more, or less where something follows a quoted value.
    fn statement(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
        if self.rest().is_empty() || self.rest().starts_with('#') {
            return self.next_line();
        }
        if let Some(after) = self.line().strip_prefix("export").filter(|after| after.starts_with(is_blank)) {
            self.at += "export".len() + after.len() - after.trim_start_matches(is_blank).len();
        }
        let start = self.at;
        let line = self.line();
        let end = line.find(['=', ':']);
        let name = line[..end.unwrap_or(line.len())].trim_end();
        let odd = |c: &char| !(c.is_alphanumeric() || is_blank(*c) || "_.-[]".contains(*c));
        if let Some(odd) = name.chars().find(odd) {
            let message = format!("The character `{odd}` cannot stand in a variable's name.");
            return self.fail(start, &message);
        }
        if name.contains(' ') {
            return self.fail(start, "There is no `=` after the variable's name.");
        }
        match end {
            Some(end) => {
                self.at += end + 1;
                self.skip_blanks();
                self.value(name);
            }
            None => {
                // A name alone takes its value from around it.
                if let Some(variable) = self.around.over.get(name) {
                    self.set.insert(name.to_owned(), variable.clone());
                }
                self.next_line();
            }
        }
    }

    fn value(&mut self, name: &str) {
        match self.line().chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(name, quote),
            _ => {
                let line = self.line();
                let value = line.split(" #").next().unwrap_or_default().trim_end();
                let start = self.at;
                self.insert(name, value, start, value.len(), true);
                self.next_line();
            }
        }
    }

    fn quoted(&mut self, name: &str, quote: char) {
        let start = self.at;
        let inside = &self.text[start + 1..];
        let mut value = String::new();
        let mut escaped = false;
        let mut length = None;
        for (index, c) in inside.char_indices() {
            if c == quote && !escaped {
                length = Some(index);
                break;
            }
            if c == '\\' && !escaped {
                escaped = true;
                continue;
            }
            if escaped && c != quote {
                value.push('\\');
            }
            escaped = false;
            value.push(c);
        }
        let Some(length) = length else {
            return self.fail(start, "This quote is never closed.");
        };
        if quote == '"' {
            value = unescape(&value);
        }
        self.insert(name, &value, start, length + 2, quote == '"');
        self.at = start + length + 2;
    }

    fn insert(&mut self, name: &str, value: &str, start: usize, length: usize, fill: bool) {
        let span = self.lines.span(start, start + length);
        let mut text = value.to_owned();
        if fill && value.contains('$') {
            let set = &self.set;
            let around = self.around;
            let inner = |name: &str| {
                set.get(name).or_else(|| around.under.get(name)).map(|known| known.value.clone())
            };
            let known = |name: &str| around.over.value(name).or_else(|| inner(name));
            let expanded = expand(value, &known);
            for fault in &expanded.faults {
                let mut problem = describe(fault, span, value);
                if problem.kind == ProblemKind::Interpolation {
                    problem.kind = ProblemKind::EnvironmentFile;
                    problem = problem.hint("put the value in single quotes to keep every `$` as it is");
                }
                self.report.problem(problem);
            }
            text = expanded.text;
        }
        self.set.insert(name.to_owned(), Variable { value: text, span: Some(span) });
    }

    fn fail(&mut self, start: usize, message: &str) {
        // Up to the end of the name only: what follows may be a secret, and the excerpt is shown to people.
        let first = self.text[start..].chars().next().map_or(0, char::len_utf8);
        let shown = name_length(&self.text[start..]).max(first);
        let span = self.lines.span(start, start + shown);
        let problem = Problem::at(ProblemKind::EnvironmentFile, span, message);
        self.report
            .problem(problem.hint("write one `NAME=value` a line; put values with spaces or `#` in quotes"));
        self.next_line();
    }
}

/// A blank that does not end a line.
fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

/// The escapes of a value in double quotes; `\$` stays a `$` that begins no variable. What Compose does not know as an
/// escape stays as it is.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let known = match after.chars().next() {
            Some('a') => Some("\u{7}"),
            Some('b') => Some("\u{8}"),
            Some('f') => Some("\u{c}"),
            Some('n') => Some("\n"),
            Some('r') => Some("\r"),
            Some('t') => Some("\t"),
            Some('v') => Some("\u{b}"),
            Some('"') => Some("\""),
            Some('\\') => Some("\\"),
            Some('$') => Some("$$"),
            _ => None,
        };
        if let Some(known) = known {
            out.push_str(known);
            rest = &after[1..];
        } else if let Some(c) = octal(after) {
            out.push(c);
            rest = &after[4..];
        } else if let Some(digits) = after.strip_prefix('0') {
            // Compose takes the `0` away even where the rest is no character.
            out.push('\\');
            rest = digits;
        } else {
            out.push('\\');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// The character that `0123` after a backslash stands for: a `0` and three octal digits of one byte.
fn octal(text: &str) -> Option<char> {
    let digits = text.strip_prefix('0')?.get(..3)?;
    u8::from_str_radix(digits, 8).ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit())).map(char::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<(String, String)>, Vec<String>) {
        let mut report = Report::default();
        let outer =
            Variables::from_shell(&IndexMap::from([("SHELL_SET".to_owned(), "from shell".to_owned())]));
        let around = Surroundings { over: &outer, under: &IndexMap::new() };
        let set = parse(FileId(0), text, around, &mut report);
        let place = |problem: &Problem| {
            let at = problem.span.expect("each has a place").start;
            format!("{}:{} {}", at.line, at.column, problem.message)
        };
        let set = set.into_iter().map(|(name, variable)| (name, variable.value)).collect();
        (set, report.problems.iter().map(place).collect())
    }

    fn values(text: &str) -> Vec<(String, String)> {
        let (set, problems) = read(text);
        assert_eq!(problems, Vec::<String>::new());
        set
    }

    #[test]
    fn the_dialect() {
        let cases = [
            ("A=1", "1"),
            ("\u{feff}A=1\r\n", "1"),
            ("# note\n\nexport A=1", "1"),
            ("A = 1 # note", "1"),
            ("A=1#2", "1#2"),
            ("A=", ""),
            ("A=# note", "# note"),
            ("A: 1", "1"),
            ("A='x $B # y'  # note", "x $B # y"),
            ("A=\"x\\n\\\"y\\\" \\$B\"", "x\n\"y\" $B"),
            ("A=\"one\ntwo\"\n", "one\ntwo"),
            ("A=${SHELL_SET}!", "from shell!"),
            ("A=${NO:-default}", "default"),
        ];
        for (text, wanted) in cases.iter() {
            assert_eq!(values(text), [("A".to_owned(), (*wanted).to_owned())], "{text}");
        }
    }

    #[test]
    fn later_values_see_earlier_ones_and_the_last_wins() {
        let seen = values("A=1\nB=${A}2\nA=3\nSHELL_SET\nNOT_SET\n");
        let wanted = [("A", "3"), ("B", "12"), ("SHELL_SET", "from shell")];
        assert_eq!(seen, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn bad_lines_have_their_place_and_do_not_stop_the_rest() {
        let (set, problems) = read("A=1\nB!=2\nB C\nE=${A\nF=2\n");
        assert_eq!(
            problems,
            [
                "2:1 The character `!` cannot stand in a variable's name.",
                "3:1 There is no `=` after the variable's name.",
                "4:3 This `${` is never closed.",
            ]
        );
        assert_eq!(set.last(), Some(&("F".to_owned(), "2".to_owned())));
        assert_eq!(read("A='x\nB=1").1, ["1:3 This quote is never closed."]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(text in "[A-C=:'\"\\\\$#{} \n\r\té-]{0,80}") {
            read(&text);
            parse_raw(FileId(0), &text, &Variables::default(), &mut Report::default());
        }
    }
}
