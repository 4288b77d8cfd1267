//! Where a value was written: file, line and column, kept through every phase.

use std::path::{Path, PathBuf};

/// One file of a [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A point in a file. Lines and columns count from 1, columns in characters; `byte` counts from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// Offset into the text, in bytes.
    pub byte: usize,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A stretch of a file, `start` inclusive and `end` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First character.
    pub start: Position,
    /// One past the last character.
    pub end: Position,
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// A value written at `span`.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// The same place, another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: change(self.value), span: self.span }
    }
}

/// A file that took part in loading, with its text.
#[derive(Debug, Clone)]
pub struct Source {
    /// As the user would name it: relative to the project folder where it lies inside.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
}

/// All files that took part in loading; a [`FileId`] is an index into it.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Adds a file and returns its id.
    pub fn add(&mut self, path: PathBuf, text: String) -> FileId {
        self.files.push(Source { path, text });
        FileId((self.files.len() - 1) as u32)
    }

    /// The file with that id.
    pub fn get(&self, id: FileId) -> Option<&Source> {
        self.files.get(id.0 as usize)
    }

    /// The file with that path, if it was read.
    pub fn find(&self, path: &Path) -> Option<(FileId, &Source)> {
        let index = self.files.iter().position(|source| source.path == path)?;
        Some((FileId(index as u32), &self.files[index]))
    }

    /// All files in the order they were read.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        self.files.iter().enumerate().map(|(index, source)| (FileId(index as u32), source))
    }

    /// The text of a span.
    pub fn text(&self, span: &Span) -> Option<&str> {
        self.get(span.file)?.text.get(span.start.byte..span.end.byte)
    }

    /// `path:line:column` of the start of a span.
    pub fn place(&self, span: &Span) -> String {
        let path = self.get(span.file).map(|source| source.path.display().to_string()).unwrap_or_default();
        format!("{path}:{}:{}", span.start.line, span.start.column)
    }
}
