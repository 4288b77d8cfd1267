//! What is wrong in a user's file, and where; and what cannot be carried over.

use crate::Span;

/// Something wrong in a user's file. Collected, never thrown.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Which kind, for tests and machine formats.
    pub kind: ProblemKind,
    /// One sentence with literals in backticks, without a full stop's surprise.
    pub message: String,
    /// Where; `None` only when there is no file to point at (no Compose file found).
    pub span: Option<Span>,
    /// Further places that explain it, each with a few words.
    pub related: Vec<(Span, String)>,
    /// What to do next.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem at a place.
    pub fn at(kind: ProblemKind, span: Span, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), span: Some(span), related: Vec::new(), hint: None }
    }

    /// A problem that no place in a file can be named for.
    pub fn nowhere(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), span: None, related: Vec::new(), hint: None }
    }

    /// Adds what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds another place that explains it.
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }
}

/// The kinds of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// No Compose file was found.
    NoFile,
    /// A named file could not be read.
    Unreadable,
    /// The file is too large, too deep, or expands to too much; the limit is named in the message.
    Limit,
    /// Not YAML.
    Syntax,
    /// A tab used for indentation.
    Tab,
    /// The same key twice in one map.
    DuplicateKey,
    /// A key the specification does not know.
    UnknownKey,
    /// A value of the wrong type or form.
    WrongType,
    /// A value of the right type that is not allowed.
    InvalidValue,
    /// A broken `${…}`.
    Interpolation,
    /// A variable that must be set is not: `${X:?message}`.
    Required,
    /// A name that refers to nothing.
    Undefined,
    /// A cycle in `depends_on`, `extends` or `include`.
    Cycle,
    /// Two things that cannot both be, such as one host port published twice.
    Conflict,
    /// Several overlays could be meant; the user must say which.
    Ambiguous,
    /// A line of an environment file that cannot be read.
    EnvironmentFile,
    /// Not plain Compose: a template of another tool, or a version 1 file.
    Dialect,
    /// Part of the specification that is not carried yet.
    Unsupported,
}

/// A key that a target (an engine, a renderer) cannot express, and what happens instead.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss {
    /// The key, as a path: `services.web.read_only`.
    pub key: String,
    /// Where it was written.
    pub span: Option<Span>,
    /// What happens instead, as a sentence.
    pub instead: String,
}
