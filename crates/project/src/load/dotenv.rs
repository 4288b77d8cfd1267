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

/// Reads a file of the `raw` format: `NAME=value` lines, nothing quoted, nothing filled in.
pub(crate) fn parse_raw(file: FileId, text: &str, report: &mut Report) -> IndexMap<String, Variable> {
    let lines = Lines::new(file, text);
    let mut set = IndexMap::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\n', '\r']);
        if !bare.trim().is_empty() && !bare.trim_start().starts_with('#') {
            match bare.split_once('=') {
                Some((name, value)) => {
                    let span = Some(lines.span(at + name.len() + 1, at + bare.len()));
                    set.insert(name.trim().to_owned(), Variable { value: value.to_owned(), span });
                }
                None => {
                    let message = "This line has no `=` after the variable's name.";
                    report.at(ProblemKind::EnvironmentFile, lines.span(at, at + bare.len()), message);
                }
            }
        }
        at += line.len();
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

    fn skip(&mut self, characters: &[char]) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(characters).len();
    }

    /// What is left of the current line, without its end.
    fn line(&self) -> &'a str {
        self.rest().split('\n').next().unwrap_or_default().trim_end_matches('\r')
    }

    fn next_line(&mut self) {
        self.at += self.rest().find('\n').map_or(self.rest().len(), |end| end + 1);
    }

    /// Reads one line, or more where a quoted value has more.
    fn statement(&mut self) {
        self.skip(&[' ', '\t', '\r', '\n']);
        if self.rest().is_empty() || self.rest().starts_with('#') {
            return self.next_line();
        }
        let start = self.at;
        if let Some(after) = self.line().strip_prefix("export").filter(|after| after.starts_with([' ', '\t']))
        {
            self.at += "export".len() + after.len() - after.trim_start().len();
        }
        let allowed = |c: char| c.is_alphanumeric() || "_.-[]".contains(c);
        let length = self.line().find(|c| !allowed(c)).unwrap_or(self.line().len());
        let name = self.line()[..length].to_owned();
        self.at += length;
        self.skip(&[' ', '\t']);
        match self.line().chars().next() {
            _ if name.is_empty() => self.fail(start, "This line does not begin with a variable's name."),
            Some('=' | ':') => {
                self.at += 1;
                self.skip(&[' ', '\t']);
                self.value(&name);
            }
            None | Some('#') => {
                // A name alone takes its value from the shell.
                if let Some(variable) = self.around.over.get(&name) {
                    self.set.insert(name, variable.clone());
                }
                self.next_line();
            }
            Some(_) => self.fail(start, "There is no `=` after the variable's name."),
        }
    }

    fn value(&mut self, name: &str) {
        match self.line().chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(name, quote),
            _ => {
                let line = self.line();
                let mut end = line.len();
                for (index, _) in line.match_indices('#') {
                    if index == 0 || line[..index].ends_with([' ', '\t']) {
                        end = index;
                        break;
                    }
                }
                let value = line[..end].trim_end();
                let start = self.at;
                self.insert(name, value, start, value.len(), true);
                self.next_line();
            }
        }
    }

    fn quoted(&mut self, name: &str, quote: char) {
        let start = self.at;
        let inside = &self.text[start + 1..];
        let mut escaped = false;
        let close = inside.char_indices().find(|(_, c)| {
            let found = *c == quote && !escaped;
            escaped = *c == '\\' && !escaped && quote == '"';
            found
        });
        let Some((length, _)) = close else {
            return self.fail(start, "This quote is never closed.");
        };
        let value = if quote == '"' { unescape(&inside[..length]) } else { inside[..length].to_owned() };
        self.insert(name, &value, start, length + 2, quote == '"');
        self.at = start + length + 2;
        let after = self.line().trim_start();
        if after.is_empty() || after.starts_with('#') {
            self.next_line();
        } else {
            let at = self.at;
            self.fail(at, "Something stands after the closing quote.");
        }
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
        let shown = name_length(&self.text[start..]).max(1);
        let span = self.lines.span(start, start + shown);
        let problem = Problem::at(ProblemKind::EnvironmentFile, span, message);
        self.report
            .problem(problem.hint("write one `NAME=value` a line; put values with spaces or `#` in quotes"));
        self.next_line();
    }
}

/// The escapes of a value in double quotes; `\$` stays a `$` that begins no variable.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match characters.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('$') => out.push_str("$$"),
            Some(c @ ('"' | '\\' | '\'')) => out.push(c),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
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
            ("A=# note", ""),
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
        let (set, problems) = read("A=1\n=2\nB C\nD=\"x\" y\nE=a$\nF=2\n");
        assert_eq!(
            problems,
            [
                "2:1 This line does not begin with a variable's name.",
                "3:1 There is no `=` after the variable's name.",
                "4:6 Something stands after the closing quote.",
                "5:3 A `$` stands here without a variable's name after it.",
            ]
        );
        assert_eq!(set.last(), Some(&("F".to_owned(), "2".to_owned())));
        assert_eq!(read("A='x\nB=1").1, ["1:3 This quote is never closed."]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(text in "[A-C=:'\"\\\\$#{} \n\r\té-]{0,80}") {
            read(&text);
            parse_raw(FileId(0), &text, &mut Report::default());
        }
    }
}
