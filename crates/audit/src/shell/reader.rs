//! Reads commands one after the other.

use std::ops::Range;

use seaworthy_project::Span;

use super::word::{is_name, word_length};
use super::{Command, Joiner, Redirect};
use crate::dockerfile::Word;

/// How deep substitutions are followed; deeper ones stay text.
const MAX_DEPTH: usize = 16;
/// Words of the shell's own language that stand before a command.
const KEYWORDS: [&str; 12] =
    ["if", "then", "elif", "else", "fi", "while", "until", "do", "done", "esac", "{", "}"];

/// The commands of a text.
pub(super) fn read(text: &str, span: &dyn Fn(&Range<usize>) -> Span) -> Vec<Command> {
    let mut all = Vec::new();
    let mut pipelines = 0;
    let mut reader = Reader::new(text, 0..text.len(), span, 0);
    reader.run(&mut all, &mut pipelines);
    all
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    end: usize,
    depth: usize,
    span: &'a dyn Fn(&Range<usize>) -> Span,
    words: Vec<(Word, Range<usize>)>,
    assignments: Vec<(Word, Range<usize>)>,
    redirects: Vec<Redirect>,
    joiner: Joiner,
    /// Documents whose text begins at the next line.
    documents: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(
        text: &'a str,
        range: Range<usize>,
        span: &'a dyn Fn(&Range<usize>) -> Span,
        depth: usize,
    ) -> Self {
        Self {
            text,
            at: range.start,
            end: range.end,
            depth,
            span,
            words: Vec::new(),
            assignments: Vec::new(),
            redirects: Vec::new(),
            joiner: Joiner::First,
            documents: Vec::new(),
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..self.end]
    }

    fn run(&mut self, all: &mut Vec<Command>, pipelines: &mut usize) {
        *pipelines += 1;
        let mut pipeline = *pipelines;
        while let Some(c) = self.rest().chars().next() {
            match c {
                '\n' => {
                    self.end_command(Joiner::Then, all, pipelines, &mut pipeline, 1);
                    self.skip_documents();
                }
                _ if c.is_whitespace() => self.at += c.len_utf8(),
                '\\' if self.rest().starts_with("\\\n") => self.at += 2,
                '#' => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                '<' | '>' => self.redirect(all, pipelines),
                '&' if self.rest().starts_with("&>") => {
                    self.at += 1;
                    self.redirect(all, pipelines);
                }
                '&' | '|' | ';' | '(' | ')' => {
                    let (joiner, length) = match self.rest() {
                        rest if rest.starts_with("&&") => (Joiner::And, 2),
                        rest if rest.starts_with("||") => (Joiner::Or, 2),
                        rest if rest.starts_with("|&") => (Joiner::Pipe, 2),
                        rest if rest.starts_with('|') => (Joiner::Pipe, 1),
                        rest if rest.starts_with('&') => (Joiner::Beside, 1),
                        rest if rest.starts_with(";;") => (Joiner::Then, 2),
                        rest if rest.starts_with('(') && self.words.is_empty() => (self.joiner, 1),
                        _ => (Joiner::Then, 1),
                    };
                    self.end_command(joiner, all, pipelines, &mut pipeline, length);
                }
                _ => self.word(all, pipelines),
            }
        }
        self.end_command(Joiner::Then, all, pipelines, &mut pipeline, 0);
    }

    fn word(&mut self, all: &mut Vec<Command>, pipelines: &mut usize) {
        let length = word_length(self.rest());
        let range = self.at..self.at + length.max(1).min(self.end - self.at);
        self.at = self.floor(range.end);
        let word = self.make(range.start..self.at, all, pipelines);
        let begins = self.words.is_empty();
        let bare = self.text.get(range.start..self.at) == Some(word.text.as_str());
        if begins && bare && (KEYWORDS.contains(&word.text.as_str()) || word.text == "!") {
            return;
        }
        let number = word.text.chars().all(|c| c.is_ascii_digit());
        if number && self.rest().starts_with(['<', '>']) {
            return;
        }
        let assigns = word.text.split_once('=').is_some_and(|(name, _)| is_name(name.trim_end_matches('+')));
        let list = if begins && assigns { &mut self.assignments } else { &mut self.words };
        list.push((word, range.start..self.at));
    }

    /// The next character boundary at or after a byte.
    fn floor(&self, mut at: usize) -> usize {
        while !self.text.is_char_boundary(at) {
            at += 1;
        }
        at.min(self.end)
    }

    /// A word, quotes resolved; what it substitutes is read too.
    fn make(&self, range: Range<usize>, all: &mut Vec<Command>, pipelines: &mut usize) -> Word {
        let raw = &self.text[range.clone()];
        let taken = super::word::resolve(raw);
        if self.depth < MAX_DEPTH {
            for inner in taken.substitutions {
                let inner = range.start + inner.start..range.start + inner.end;
                Reader::new(self.text, inner, self.span, self.depth + 1).run(all, pipelines);
            }
        }
        Word { text: taken.text, span: (self.span)(&range), literal: taken.literal }
    }

    fn redirect(&mut self, all: &mut Vec<Command>, pipelines: &mut usize) {
        let rest = self.rest();
        if rest.starts_with("<(") || rest.starts_with(">(") {
            return self.word(all, pipelines);
        }
        let length = rest.find(|c| !matches!(c, '<' | '>' | '&' | '|' | '-')).unwrap_or(rest.len());
        let operator = &rest[..length];
        self.at += length;
        let blanks = self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
        self.at += blanks;
        let length = word_length(self.rest());
        let start = self.at;
        self.at += length;
        if length == 0 {
            return;
        }
        let target = self.make(start..self.at, all, pipelines);
        if operator.starts_with("<<") && !operator.starts_with("<<<") {
            self.documents.push(target.text.clone());
        }
        self.redirects.push(Redirect { operator: operator.to_owned(), target });
    }

    /// Skips the documents that follow a line.
    fn skip_documents(&mut self) {
        for name in std::mem::take(&mut self.documents) {
            let mut at = self.at;
            for line in self.rest().split_inclusive('\n') {
                at += line.len();
                if line.trim() == name {
                    self.at = at;
                    break;
                }
            }
        }
    }

    fn end_command(
        &mut self,
        next: Joiner,
        all: &mut Vec<Command>,
        pipelines: &mut usize,
        pipeline: &mut usize,
        length: usize,
    ) {
        self.at += length;
        let words = std::mem::take(&mut self.words);
        let assignments = std::mem::take(&mut self.assignments);
        let redirects = std::mem::take(&mut self.redirects);
        let first = assignments.iter().chain(&words).map(|(_, range)| range.start).min();
        let last = assignments.iter().chain(&words).map(|(_, range)| range.end).max();
        let Some((start, end)) = first.zip(last) else {
            if !matches!(self.joiner, Joiner::Pipe) || !matches!(next, Joiner::Then) {
                self.joiner = next;
            }
            return;
        };
        let bare = |list: Vec<(Word, Range<usize>)>| list.into_iter().map(|(word, _)| word).collect();
        let mut command = Command {
            words: bare(words),
            main: 0,
            assignments: bare(assignments),
            redirects,
            joiner: self.joiner,
            pipeline: *pipeline,
            depth: self.depth,
            span: (self.span)(&(start..end)),
        };
        command.settle();
        all.push(command);
        self.joiner = next;
        if next != Joiner::Pipe {
            *pipelines += 1;
            *pipeline = *pipelines;
        }
    }
}
