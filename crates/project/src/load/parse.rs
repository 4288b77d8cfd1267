//! Text to trees: YAML events become [`Node`]s that know where they stand.

mod build;
mod merge_key;

use granit_parser::{Marker, Parser, ScanError};

use crate::load::report::Report;
use crate::{FileId, Node, Position, Problem, ProblemKind, Span};

/// The deepest nesting, aliases expanded: every later phase walks the tree by recursion.
pub(crate) const MAX_DEPTH: usize = 128;
/// The most nodes one file may have once its aliases are expanded: a project of 10,000 services has half of them.
pub(crate) const MAX_NODES: usize = 1_000_000;
/// The most nodes that aliases may stand for in a file, and in a longer one the most for each node that is written: a
/// generated project repeats its defaults in every service, a few lines that become millions are a bomb.
pub(crate) const MAX_ALIAS_NODES: usize = 100_000;
pub(crate) const MAX_ALIAS_SHARE: usize = 5;
/// The most characters that may stand where aliases are expanded, for the same reason.
pub(crate) const MAX_EXPANDED_BYTES: usize = 32 << 20;

/// As [`MAX_NODES`], for a project that we wrote out ourselves, with every range and short form expanded.
pub(crate) const MAX_RESOLVED_NODES: usize = 5_000_000;

/// The documents of a file, in order; none when there is a problem. Several documents lie one over the other.
pub(crate) fn parse(file: FileId, text: &str, max_nodes: usize, report: &mut Report) -> Option<Vec<Node>> {
    let before = report.problems.len();
    if let Some(span) = later_version(file, text) {
        let message = "Compose reads YAML 1.1, and this file says that it is of another version.";
        report.problem(Problem::at(ProblemKind::Dialect, span, message).hint("remove the line `%YAML`"));
        return None;
    }
    let mut builder = build::Builder::new(file, max_nodes, report);
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((event, span)) => {
                if !builder.event(event, &span) {
                    return None;
                }
            }
            Err(error) => {
                let problem = describe(file, text, &error);
                builder.report.problem(problem);
                return None;
            }
        }
    }
    let documents = builder.documents;
    (report.problems.len() == before).then_some(documents)
}

/// The line in front of the first document that asks for another version of YAML than 1.1.
fn later_version(file: FileId, text: &str) -> Option<Span> {
    let mut byte = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let plain = line.trim_end();
        if plain.strip_prefix("%YAML").is_some_and(|version| version.trim() != "1.1") {
            let number = index as u32 + 1;
            let start = Position { byte, line: number, column: 1 };
            let end = Position { byte: byte + plain.len(), line: number, column: plain.len() as u32 + 1 };
            return Some(Span { file, start, end });
        }
        if !(plain.is_empty() || plain.starts_with(['#', '%'])) {
            return None;
        }
        byte += line.len();
    }
    None
}

/// The place of a parser's marker.
pub(crate) fn position(marker: &Marker) -> Position {
    Position {
        byte: marker.byte_offset().unwrap_or(marker.index()),
        line: u32::try_from(marker.line()).unwrap_or(u32::MAX),
        column: u32::try_from(marker.col() + 1).unwrap_or(u32::MAX),
    }
}

/// The problem behind a syntax error, in the user's terms: a tab and a template are told apart from plain mistakes.
fn describe(file: FileId, text: &str, error: &ScanError) -> Problem {
    let at = position(error.marker());
    let end = Position { byte: next_char(text, at.byte), line: at.line, column: at.column + 1 };
    let span = Span { file, start: at, end };
    if let Some(tab) = tab_indentation(file, text, at.line) {
        return Problem::at(
            ProblemKind::Tab,
            tab,
            "A tab is used for indentation, which YAML does not allow.",
        )
        .hint("replace the tab with spaces");
    }
    if let Some(template) = template_mark(file, text) {
        return Problem::at(
            ProblemKind::Dialect,
            template,
            "This is a template of another tool (`{{` or `{%`), not a Compose file.",
        )
        .hint("render the template first, and give its output with `-f`");
    }
    let (kind, what) = match error.kind() {
        granit_parser::ErrorKind::RecursionLimitExceeded => {
            (ProblemKind::Limit, format!("The file nests deeper than {MAX_DEPTH} levels (`MAX_DEPTH`)."))
        }
        _ => {
            (ProblemKind::Syntax, format!("This is not valid YAML: {}.", error.info().trim_end_matches('.')))
        }
    };
    Problem::at(kind, span, what).hint("check indentation, colons and quotes on this line and the one before")
}

fn next_char(text: &str, byte: usize) -> usize {
    byte + text.get(byte..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
}

/// The last tab in the indentation at or just before the line of an error (errors show up to one line late).
fn tab_indentation(file: FileId, text: &str, error_line: u32) -> Option<Span> {
    let mut byte = 0;
    let mut found = None;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let number = index as u32 + 1;
        if number > error_line {
            break;
        }
        let indentation = line.len() - line.trim_start_matches([' ', '\t']).len();
        let blank = line.trim().is_empty();
        if let Some(tab) = line[..indentation].find('\t').filter(|_| !blank && number + 1 >= error_line) {
            let start = Position { byte: byte + tab, line: number, column: tab as u32 + 1 };
            let end = Position { byte: byte + tab + 1, line: number, column: tab as u32 + 2 };
            found = Some(Span { file, start, end });
        }
        byte += line.len();
    }
    found
}

/// The first mark of a template language that stands outside a comment.
pub(crate) fn template_mark(file: FileId, text: &str) -> Option<Span> {
    let mut byte = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let code = line.split(" #").next().unwrap_or(line);
        let marks = ["{{", "{%"].iter().filter_map(|mark| code.find(mark));
        if let Some(offset) = marks.min().filter(|_| !code.trim_start().starts_with('#')) {
            let column = line[..offset].chars().count() as u32 + 1;
            let line = index as u32 + 1;
            let start = Position { byte: byte + offset, line, column };
            let end = Position { byte: byte + offset + 2, line, column: column + 2 };
            return Some(Span { file, start, end });
        }
        byte += line.len();
    }
    None
}
