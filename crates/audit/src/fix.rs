//! A fix: edits of the production overlay, and what they may break.

/// Edits that settle a finding, or one point of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// How sure one can be that nothing else changes.
    pub level: Level,
    /// The point of the finding that it settles; `None` when the finding has no points.
    pub point: Option<&'static str>,
    /// What it writes.
    pub edits: Vec<Edit>,
    /// What may stop working, as a sentence; `None` for what cannot break anything.
    pub may_break: Option<String>,
    /// Whether it rests on facts about the image that no run has proved yet.
    pub unproven: bool,
}

/// How far a fix may reach, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The service behaves as before.
    Safe,
    /// It rests on what is known of the image.
    NeedsImageKnowledge,
    /// The service behaves differently, which is usually what production wants.
    BehaviourChanging,
}

impl Level {
    /// In lower case, with hyphens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::NeedsImageKnowledge => "needs-image-knowledge",
            Self::BehaviourChanging => "behaviour-changing",
        }
    }
}

/// One key of the overlay, and the value it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Keys from the top: `services`, `web`, `read_only`.
    pub path: Vec<String>,
    /// The value.
    pub value: EditValue,
    /// A line for the reader of the overlay, without `#`.
    pub comment: Option<String>,
}

/// What an edit writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditValue {
    /// A number or boolean, written as it is.
    Plain(String),
    /// A text, quoted where YAML would read it as something else.
    Text(String),
    /// A list of texts; where the key already has a list, what is missing is added.
    List(Vec<String>),
    /// A list of texts that replaces what the files below say (`!override`).
    Override(Vec<String>),
    /// Nothing: drops what the files below say (`!reset`).
    Reset,
}

impl Fix {
    /// A fix without points.
    pub(crate) fn new(level: Level, edits: Vec<Edit>) -> Self {
        Self { level, point: None, edits, may_break: None, unproven: false }
    }

    /// Settles only that point.
    pub(crate) fn point(mut self, point: &'static str) -> Self {
        self.point = Some(point);
        self
    }

    /// Says that it rests on facts that no run has proved yet.
    pub(crate) fn unproven(mut self, unproven: bool) -> Self {
        self.unproven = unproven;
        self
    }

    /// Says what may stop working.
    pub(crate) fn may_break(mut self, sentence: impl Into<String>) -> Self {
        self.may_break = Some(sentence.into());
        self
    }
}

impl Edit {
    /// An edit without a comment.
    pub(crate) fn new(path: Vec<String>, value: EditValue) -> Self {
        Self { path, value, comment: None }
    }

    /// Adds a line for the reader.
    pub(crate) fn comment(mut self, line: impl Into<String>) -> Self {
        self.comment = Some(line.into());
        self
    }
}

impl EditValue {
    /// A text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A number or boolean.
    pub(crate) fn plain(value: impl ToString) -> Self {
        Self::Plain(value.to_string())
    }

    /// A list of texts.
    pub(crate) fn list<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}
